import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerError } from "./error-response.ts";
import { Exchange, type ExchangeState, Peer, type ResponseSink } from "./exchange.ts";
import { DEFAULT_HEAD_LIMITS } from "./http1/head-limits.ts";
import { RequestParser } from "./http1/request-parser.ts";
import { EMPTY_BODY } from "./request-body.ts";
import type { RequestHead } from "./request-head.ts";
import { ResponseFields, responseFields } from "./response-fields.ts";

/** The head that the codec makes of a request's bytes. */
export function headOf(text: string): RequestHead {
  const heads: RequestHead[] = [];
  const parser = new RequestParser(DEFAULT_HEAD_LIMITS, {
    onHead: (head) => heads.push(head),
    onBody: () => {},
    onEnd: () => {},
    onError: (error) => assert.fail(`${error.code}: ${JSON.stringify(text.slice(0, 200))}`),
  });
  parser.push(Buffer.from(text, "latin1"));
  return heads[0] ?? assert.fail("no head");
}

/** A sink that writes down what happens to its exchanges. */
export class RecordingSink implements ResponseSink {
  readonly events: string[] = [];

  complete(exchange: Exchange, status: number, _reason: string, fields: ResponseFields, body: string | Buffer): void {
    const retry = fields.flat.indexOf("Retry-After");
    const after = retry === -1 ? "" : ` retry-after ${fields.flat[retry + 1]}`;
    this.events.push(`complete ${exchange.head.path} ${status} ${JSON.stringify(body.toString("latin1"))}${after}`);
  }

  start(exchange: Exchange, status: number): void {
    this.events.push(`start ${exchange.head.path} ${status}`);
  }

  inform(exchange: Exchange, status: number, fields: ResponseFields): void {
    this.events.push(`inform ${exchange.head.path} ${status} ${fields.flat.join(" ")}`);
  }

  write(exchange: Exchange, chunk: Buffer): void {
    this.events.push(`write ${exchange.head.path} ${chunk.toString("latin1")}`);
  }

  end(exchange: Exchange, trailers: ResponseFields | null): void {
    this.events.push(`end ${exchange.head.path}${trailers === null ? "" : ` ${trailers.flat.join(" ")}`}`);
  }

  cut(exchange: Exchange): void {
    this.events.push(`cut ${exchange.head.path}`);
  }
}

export const SAMPLE_PEER: Peer = new Peer("192.0.2.7", 40_000, "127.0.0.1", 8000, "http");

/** An exchange whose body is complete, with a sink that records. */
export function sampleExchange(path = "/", method = "GET", sink: ResponseSink = new RecordingSink()): Exchange {
  const exchange = new Exchange(headOf(`${method} ${path} HTTP/1.1\r\nHost: h\r\n\r\n`), SAMPLE_PEER, sink, 0);
  exchange.body = EMPTY_BODY;
  return exchange;
}

export function fieldsOf(...flat: string[]): ResponseFields {
  const fields = responseFields(flat);
  assert.ok(fields instanceof ResponseFields);
  return fields;
}

const NONE = fieldsOf();

describe("what happens to an exchange in each state", () => {
  const steps: Record<string, (exchange: Exchange) => void> = {
    complete: (exchange) => exchange.complete(200, "OK", NONE, "body"),
    start: (exchange) => exchange.start(200, "OK", NONE),
    write: (exchange) => exchange.write(Buffer.from("piece")),
    end: (exchange) => exchange.end(),
    cut: (exchange) => exchange.cut(),
    leave: (exchange) => exchange.leave(),
  };
  const complete = 'complete / 200 "body"';
  // state, step, event, state after it
  const table: readonly [ExchangeState, string, string | null, ExchangeState][] = [
    ["given", "complete", complete, "done"],
    ["given", "start", "start / 200", "streaming"],
    ["given", "write", null, "given"],
    ["given", "end", null, "given"],
    ["given", "cut", null, "given"],
    ["given", "leave", "gone", "done"],
    ["waiting", "complete", complete, "done"],
    ["queued", "complete", complete, "done"],
    ["queued", "leave", "gone", "done"],
    ["streaming", "write", "write / piece", "streaming"],
    ["streaming", "end", "end /", "done"],
    ["streaming", "cut", "cut /", "done"],
    ["streaming", "leave", "gone", "done"],
    ...Object.keys(steps).map((step): [ExchangeState, string, null, ExchangeState] => ["done", step, null, "done"]),
  ];
  for (const [state, step, event, after] of table) {
    test(`${state}: ${step} ${event === null ? "is ignored" : `makes it ${after}`}`, () => {
      const sink = new RecordingSink();
      const exchange = sampleExchange("/", "GET", sink);
      exchange.onGone = () => sink.events.push("gone");
      exchange.state = state;
      steps[step]!(exchange);
      assert.deepEqual(sink.events, event === null ? [] : [event]);
      assert.equal(exchange.state, after);
    });
  }

  test("status and fields are kept for the access log", () => {
    const exchange = sampleExchange();
    const fields = fieldsOf("X", "y");
    exchange.start(404, "Not Found", fields);
    assert.deepEqual([exchange.status, exchange.responseFields], [404, fields]);
  });
});

describe("an error answer", () => {
  test("is short, plain and not stored", () => {
    const sink = new RecordingSink();
    const exchange = sampleExchange("/", "GET", sink);
    answerError(exchange, 502);
    assert.deepEqual(sink.events, ['complete / 502 "502 Bad Gateway\\n"']);
    assert.equal(
      exchange.responseFields?.text,
      "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n",
    );
  });

  test("says when to come back, in whole seconds and at least one", () => {
    for (const [given, said] of [
      [0, 1],
      [1.2, 2],
      [30, 30],
    ] as const) {
      const sink = new RecordingSink();
      answerError(sampleExchange("/", "GET", sink), 503, given);
      assert.deepEqual(sink.events, [`complete / 503 "503 Service Unavailable\\n" retry-after ${said}`]);
    }
  });

  test("cuts a response that has begun, and is nothing to one that is over", () => {
    const sink = new RecordingSink();
    const exchange = sampleExchange("/", "GET", sink);
    exchange.start(200, "OK", NONE);
    answerError(exchange, 502);
    answerError(exchange, 502);
    assert.deepEqual(sink.events, ["start / 200", "cut /"]);
  });
});
