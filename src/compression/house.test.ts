/** What the tests of this room share: an app and a client that are played by the test, around the real stage. */
import assert from "node:assert/strict";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { FakeClock } from "../clock.test.ts";
import { type CompressionPlan, DEFAULT_COMPRESSION } from "../config/compression.ts";
import { Exchange, Peer, type ResponseSink } from "../http/exchange.ts";
import { headOf } from "../http/exchange.test.ts";
import type { Coding } from "../http/negotiation.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";
import { Compression } from "./stage.ts";

const PEER = new Peer("192.0.2.7", 40_000, "127.0.0.1", 8000, "http");
export const PAGE: string = `<html>${"<p>One of many lines of a page.</p>".repeat(100)}</html>`;
export const CODINGS: readonly Coding[] = ["zstd", "br", "gzip"];

export function fieldsOf(...flat: string[]): ResponseFields {
  const fields = responseFields(flat);
  return fields instanceof ResponseFields ? fields : assert.fail(fields.reason);
}

export function decoded(bytes: Buffer, coding: string | undefined): Buffer {
  if (coding === "gzip") return gunzipSync(bytes);
  if (coding === "br") return brotliDecompressSync(bytes);
  return coding === "zstd" ? zstdDecompressSync(bytes) : bytes;
}

/** Takes a response as a client does: at once, or when `take` is called. */
export class Client implements ResponseSink {
  status = 0;
  fields: Record<string, string> = {};
  readonly pieces: Buffer[] = [];
  trailers: readonly string[] | null = null;
  isSlow = false;
  untaken = 0;
  mostUntaken = 0;
  readonly over: Promise<"whole" | "cut">;
  #end: (how: "whole" | "cut") => void = () => {};
  /** Called after each piece. */
  onPiece: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => (this.#end = resolve));
  }

  get body(): Buffer {
    return Buffer.concat(this.pieces);
  }

  get text(): string {
    return decoded(this.body, this.fields["content-encoding"]).toString("latin1");
  }

  complete(exchange: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    this.start(exchange, status, reason, fields);
    this.pieces.push(Buffer.from(body as string, "latin1"));
    this.#end("whole");
  }

  start(_exchange: Exchange, status: number, _reason: string, { flat }: ResponseFields): void {
    this.status = status;
    for (let i = 0; i < flat.length; i += 2) this.fields[flat[i]!.toLowerCase()] = flat[i + 1]!;
  }

  inform(): void {}

  write(exchange: Exchange, chunk: Buffer): void {
    this.pieces.push(chunk);
    this.untaken += chunk.length;
    this.mostUntaken = Math.max(this.mostUntaken, this.untaken);
    if (!this.isSlow) this.take(exchange, chunk.length);
    this.onPiece();
  }

  take(exchange: Exchange, bytes: number): void {
    this.untaken -= bytes;
    exchange.onSent?.(bytes);
  }

  end(_exchange: Exchange, trailers: ResponseFields | null): void {
    this.trailers = trailers?.flat ?? null;
    this.#end("whole");
  }

  cut(): void {
    this.#end("cut");
  }
}

export interface House {
  readonly compression: Compression;
  readonly clock: FakeClock;
  readonly told: string[];
}

export function house(): House {
  const clock = new FakeClock();
  const told: string[] = [];
  const tell = (line: string): void => void told.push(line);
  const log: Log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
  return { compression: new Compression(clock, log), clock, told };
}

export interface Passed {
  readonly outer: Exchange;
  readonly inner: Exchange;
  readonly client: Client;
}

/** A request with these lines on its way through the stage. */
export function pass(
  lines: string,
  { compression }: House = house(),
  plan: Partial<CompressionPlan> = {},
  method = "GET",
): Passed {
  const client = new Client();
  const text = `${method} /page HTTP/1.1\r\nHost: h\r\n${lines === "" ? "" : `${lines}\r\n`}\r\n`;
  const outer = new Exchange(headOf(text), PEER, client, 0);
  outer.body = EMPTY_BODY;
  let inner: Exchange | null = null;
  const full = Object.keys(plan).length === 0 ? DEFAULT_COMPRESSION : { ...DEFAULT_COMPRESSION, ...plan };
  compression.stage(full)((exchange) => {
    inner = exchange;
    exchange.state = "given";
  })(outer);
  return { outer, inner: inner ?? assert.fail("not passed on"), client };
}
