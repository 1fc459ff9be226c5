/** What the tests of this room share: exchanges as the edge makes them, stages with a destination that writes down, a log that keeps its lines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Exchange, Peer, type ResponseSink } from "../http/exchange.ts";
import { headOf } from "../http/exchange.test.ts";
import type { Handler, Stage } from "../http/handler.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";

export interface Answer {
  readonly status: number;
  readonly fields: Record<string, string>;
  readonly body: string;
}

/** The client's end of an exchange. */
export class Client implements ResponseSink {
  answer: Answer | null = null;
  isCut = false;
  #body = "";

  complete(_exchange: Exchange, status: number, _reason: string, fields: ResponseFields, body: string | Buffer): void {
    this.answer = { status, fields: tableOf(fields), body: body.toString("latin1") };
  }

  start(_exchange: Exchange, status: number, _reason: string, fields: ResponseFields): void {
    this.answer = { status, fields: tableOf(fields), body: "" };
  }

  inform(): void {}

  write(_exchange: Exchange, chunk: Buffer): void {
    this.#body += chunk.toString("latin1");
  }

  end(): void {
    this.answer = { ...this.answer!, body: this.#body };
  }

  cut(): void {
    this.isCut = true;
  }

  get status(): number {
    return this.answer?.status ?? 0;
  }
}

export interface Asking {
  readonly method?: string;
  readonly path?: string;
  readonly from?: string;
  readonly scheme?: "http" | "https";
  /** "Name: value" lines. */
  readonly fields?: readonly string[];
  readonly peer?: Peer;
}

export function peerAt(address: string, scheme: "http" | "https" = "http"): Peer {
  return new Peer(address, 40_000, "127.0.0.1", 8000, scheme);
}

/** A request whose body is complete, and its client. */
export function asked(asking: Asking = {}): { readonly exchange: Exchange; readonly client: Client } {
  const { method = "GET", path = "/", from = "192.0.2.7", scheme = "http", fields = [], peer } = asking;
  const host = fields.some((line) => line.startsWith("Host:")) ? [] : ["Host: example.com"];
  const head = headOf(
    `${method} ${path} HTTP/1.1\r\n${[...host, ...fields].map((line) => `${line}\r\n`).join("")}\r\n`,
  );
  const client = new Client();
  const exchange = new Exchange(head, peer ?? peerAt(from, scheme), client, 0);
  exchange.body = EMPTY_BODY;
  return { exchange, client };
}

/** Where requests end up that have passed; they are answered at once, or when the test says so. */
export class Destination {
  readonly got: Exchange[] = [];
  answers: ((exchange: Exchange) => void) | null;

  constructor(answers: ((exchange: Exchange) => void) | null = answerWith(200)) {
    this.answers = answers;
  }

  get handler(): Handler {
    return (exchange) => {
      this.got.push(exchange);
      exchange.state = "given";
      this.answers?.(exchange);
    };
  }
}

export function answerWith(status: number, ...flat: string[]): (exchange: Exchange) => void {
  const fields = ownFields(flat);
  return (exchange) => exchange.complete(status, reasonPhrase(status), fields, "hello");
}

/** What a client hears that asks a stage before a destination which answers at once. */
export function through(stage: Stage, asking: Asking = {}, destination: Destination = new Destination()): Client {
  const { exchange, client } = asked(asking);
  stage(destination.handler)(exchange);
  return client;
}

export class KeptLog implements Log {
  readonly lines: string[] = [];
  readonly debug = (line: string): void => void this.lines.push(`debug ${line}`);
  readonly info = (line: string): void => void this.lines.push(`info ${line}`);
  readonly warning = (line: string): void => void this.lines.push(`warning ${line}`);
  readonly error = (line: string): void => void this.lines.push(`error ${line}`);
  readonly critical = (line: string): void => void this.lines.push(`critical ${line}`);
}

/** Lower-case names; several values of one name joined by ", ". */
function tableOf({ flat }: ResponseFields): Record<string, string> {
  const table: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!.toLowerCase();
    table[name] = name in table ? `${table[name]}, ${flat[i + 1]!}` : flat[i + 1]!;
  }
  return table;
}

test("a request that passes nothing is answered by its destination", () => {
  const client = through((next) => next, { path: "/a" });
  assert.deepEqual(client.answer, { status: 200, fields: {}, body: "hello" });
});
