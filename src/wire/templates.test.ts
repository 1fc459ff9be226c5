import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { headOf, RecordingSink, SAMPLE_PEER, sampleExchange } from "../http/exchange.test.ts";
import { Exchange } from "../http/exchange.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { WebSocketClient } from "../http/web-socket.ts";
import { loadedByPython } from "./python.test.ts";
import { MarshalWriter } from "./marshal-writer.ts";
import { EnvironEncoder, type RequestEncoder, ScopeEncoder } from "./request-encoder.ts";
import { KEPT, Templates } from "./templates.ts";

const BASE = { serverName: "127.0.0.1", serverPort: 8000, rootPath: "", mount: "" };
const head = (request = "GET /a HTTP/1.1"): RequestHead => headOf(`${request}\r\nHost: h\r\n\r\n`);

describe("what a worker remembers", () => {
  test("is found for the same section, peer and method, on the same seat", () => {
    const seat = new Templates(0);
    const known = head();
    assert.equal(seat.find(known, SAMPLE_PEER), 0);
    assert.equal(seat.define(known, SAMPLE_PEER), 1);
    assert.equal(seat.find(known, SAMPLE_PEER), 1);
    assert.equal(seat.find({ ...known, path: "/b", query: "c" }, SAMPLE_PEER), 1);
    assert.equal(seat.find({ ...known, method: "POST" }, SAMPLE_PEER), 0);
    assert.equal(seat.find({ ...known, version: "1.0" }, SAMPLE_PEER), 0);
    assert.equal(seat.find(known, { ...SAMPLE_PEER } as typeof SAMPLE_PEER), 0);
    assert.equal(seat.find(head(), SAMPLE_PEER), 0);
    assert.equal(new Templates(0).find(known, SAMPLE_PEER), 0);
    assert.equal(new Templates(8).find(known, SAMPLE_PEER), 0);
  });

  test("is the last ones only", () => {
    const seat = new Templates(3);
    const known = head();
    seat.define(known, SAMPLE_PEER);
    for (let i = 1; i < KEPT; i++)
      assert.notEqual(seat.find(known, SAMPLE_PEER) && seat.define(head(), SAMPLE_PEER), 0);
    assert.equal(seat.find(known, SAMPLE_PEER), 1);
    seat.define(head(), SAMPLE_PEER);
    assert.equal(seat.find(known, SAMPLE_PEER), 0);
  });

  test("is not replaced for ever by sections that never come again", () => {
    const seat = new Templates(0);
    let defined = 0;
    for (let i = 0; i < 10_000; i++) if (seat.define(head(), SAMPLE_PEER) !== 0) defined++;
    assert.equal(defined, KEPT);
  });
});

test("a WebSocket's handshake is always said in full: over HTTP/2 a client may repeat its section", () => {
  const encoder = new ScopeEncoder(BASE);
  const templates = new Templates(0);
  const known = head("GET /a HTTP/1.1");
  for (let i = 0; i < 4; i++) {
    const exchange = new Exchange(known, SAMPLE_PEER, new RecordingSink(), 0);
    exchange.body = Buffer.alloc(0);
    exchange.webSocket = { subprotocols: [], app: null, client: {} as WebSocketClient };
    assert.match(itemOf(encoder, exchange, templates), /^\(5, \{.*'subprotocols': \[\].*\}, False\)$/);
  }
});

for (const encoder of [new EnvironEncoder(BASE), new ScopeEncoder(BASE)] as const) {
  test(`${encoder.constructor.name}: a request of a known user is never remembered for another`, () => {
    const templates = new Templates(0);
    const known = sampleExchange();
    const often = (): void => {
      for (let i = 0; i < 4; i++) encoder.encode(new MarshalWriter(64), 5, known, templates);
    };
    known.user = { name: "zoë", scheme: "Basic" };
    often();
    const item = itemOf(encoder, known, templates);
    assert.match(item, /^\(5, \{.*\}, b''\)$/);
    // The bytes of UTF-8 as characters (PEP 3333).
    if (encoder instanceof EnvironEncoder) assert.match(item, /'REMOTE_USER': 'zo\\xc3\\xab', 'AUTH_TYPE': 'Basic'\}/);
    known.user = null;
    assert.doesNotMatch(itemOf(encoder, known, templates), /REMOTE_USER/);
  });

  describe(`${encoder.constructor.name} with templates`, () => {
    test("says all of it three times, and then what differs", () => {
      const templates = new Templates(0);
      const known = head("GET /a HTTP/1.1");
      const item = (exchange: Exchange): string => itemOf(encoder, exchange, templates);
      const ask = (path: string, query = ""): Exchange => {
        const target = query === "" ? path : `${path}?${query}`;
        const exchange = new Exchange({ ...known, path, query, target }, SAMPLE_PEER, new RecordingSink(), 0);
        exchange.body = Buffer.alloc(0);
        return exchange;
      };
      assert.match(item(ask("/a")), /^\(5, \{.*\}, b''\)$/);
      assert.match(item(ask("/a")), /^\(5, \{.*\}, b''\)$/);
      assert.match(item(ask("/a")), /^\(5, \{.*\}, b'', 1\)$/);
      const wsgi = encoder instanceof EnvironEncoder;
      const target = wsgi ? "'/%C3%A9?c=d'" : "b'/%C3%A9'";
      const path = wsgi ? "'/\\xc3\\xa9'" : "'/\\xe9'";
      assert.equal(item(ask("/%C3%A9", "c=d")), `(5, 1, b'', ${path}, ${wsgi ? "" : "b"}'c=d', ${target})`);
    });

    test("a streamed, spooled or chunked body is always said in full", () => {
      const templates = new Templates(0);
      const known = head("POST /a HTTP/1.1");
      const streamed = (): Exchange => new Exchange(known, SAMPLE_PEER, new RecordingSink(), 0);
      for (let i = 0; i < 4; i++) assert.match(itemOf(encoder, streamed(), templates), /^\(5, \{.*\}, None\)$/);
    });
  });
}

function itemOf(encoder: RequestEncoder, exchange: Exchange, templates: Templates): string {
  const writer = new MarshalWriter();
  encoder.encode(writer, 5, exchange, templates);
  return loadedByPython([writer.since(0)])[0]!;
}
