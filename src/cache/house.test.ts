/** What the tests of this room share: clients and an app that are played by the test, around a real cache. */
import assert from "node:assert/strict";
import { FakeClock } from "../clock.test.ts";
import { cacheDefaults, type CachePlan } from "../config/sites/cache-plan.ts";
import { Exchange, Peer, type ResponseSink } from "../http/exchange.ts";
import { fieldsOf, headOf } from "../http/exchange.test.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { caching } from "./desk.ts";
import { ResponseCache } from "./response-cache.ts";
import { routeRules } from "./route-rules.ts";
import { StoredResponse } from "./stored-response.ts";
import type { Terms } from "./terms.ts";

const PEER = new Peer("192.0.2.7", 40_000, "127.0.0.1", 8000, "http");

/** Fresh for a minute from clock time 0 on. */
export function storedResponse({ body = "", ...terms }: Partial<Terms> & { readonly body?: string }): StoredResponse {
  return new StoredResponse(
    {
      status: 200,
      reason: "OK",
      flat: ["Content-Type", "text/plain", "Date", "Thu, 01 Jan 2026 00:00:00 GMT"],
      tags: [],
      vary: [],
      variantKey: "",
      bornAt: 0,
      freshUntil: 60_000,
      isNoCache: false,
      isStrict: false,
      hasValidator: false,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 0,
      staleIfDownMs: 0,
      showsStatus: true,
      showsTags: true,
      ...terms,
    },
    body,
  );
}

export type Fields = Readonly<Record<string, string>>;

export function request(
  target: string,
  fields: Fields = { Host: "h" },
  method: string = "GET",
  sink: ResponseSink = new Client(),
  now: number = 0,
): Exchange {
  const all = { Host: "h", ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const exchange = new Exchange(headOf(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`), PEER, sink, now);
  exchange.body = EMPTY_BODY;
  return exchange;
}

export function headers(fields: Fields): HeaderBlock {
  return request("/", fields).head.headers;
}

/** Writes down what a client gets. */
export class Client implements ResponseSink {
  status = 0;
  fields: Record<string, string> = {};
  text = "";
  state: "waiting" | "begun" | "whole" | "cut" = "waiting";
  informed: number[] = [];
  isSlow = false;

  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    this.start(exchange, status, reason, fields);
    this.text = body.toString("latin1");
    this.state = "whole";
  }

  start(_exchange: Exchange, status: number, _reason: string, { flat }: ResponseFields): void {
    this.status = status;
    this.state = "begun";
    for (let i = 0; i < flat.length; i += 2) this.fields[flat[i]!.toLowerCase()] = flat[i + 1]!;
  }

  inform(_exchange: Exchange, status: number): void {
    this.informed.push(status);
  }

  write(exchange: Exchange, chunk: Buffer): void {
    this.text += chunk.toString("latin1");
    if (!this.isSlow) exchange.onSent?.(chunk.length);
  }

  end(): void {
    this.state = "whole";
  }

  cut(): void {
    this.state = "cut";
  }
}

/** A cache before an app that answers when the test says so. */
export class House {
  readonly clock: FakeClock = new FakeClock();
  readonly cache: ResponseCache = new ResponseCache(1_000_000, this.clock, null);
  /** Requests that have reached the app, in order. */
  readonly asked: Exchange[] = [];
  readonly #handle: (exchange: Exchange) => void;

  constructor(plan: Partial<CachePlan> = {}) {
    const stage = caching(this.cache, routeRules({ ...cacheDefaults, ...plan }));
    this.#handle = stage((exchange) => {
      exchange.state = "given";
      this.asked.push(exchange);
    });
  }

  /** A request on its way; what its client gets. */
  ask(target: string, fields: Fields = {}, method: string = "GET"): Client & { readonly exchange: Exchange } {
    const client = new Client();
    const exchange = request(target, fields, method, client, this.clock.now());
    this.#handle(exchange);
    return Object.assign(client, { exchange });
  }

  submit(exchange: Exchange): void {
    this.#handle(exchange);
  }

  /** The app's whole answer to the last request. */
  answer(body: string, fields: Fields = FRESH, status: number = 200): void {
    this.last.complete(status, "", fieldsOf(...Object.entries(fields).flat()), body);
  }

  get last(): Exchange {
    return this.asked.at(-1) ?? assert.fail("nobody asked");
  }

  /** A field of the last request as the app sees it. */
  seen(name: string): string | undefined {
    return this.last.head.headers.get(name);
  }
}

export const FRESH: Fields = { "Cache-Control": "max-age=60" };
export { fieldsOf };
