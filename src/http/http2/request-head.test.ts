/** Heads of HTTP/2 requests: the table of what must not come in by this door ("downgrade smuggling"), and what a good one becomes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_HEAD_LIMITS } from "../http1/head-limits.ts";
import { ProtocolError } from "../http1/protocol-error.ts";
import type { RequestHead } from "../request-head.ts";
import { Http2HeadReader } from "./request-head.ts";

const GET = [":method", "GET", ":scheme", "https", ":authority", "example.com", ":path", "/a?b=c"];
const TUNNEL = [":method", "CONNECT", ":protocol", "websocket", ...GET.slice(2)];
const POST = [":method", "POST", ...GET.slice(2)];

function read(flat: readonly string[], hasEnded = true, limits = {}): RequestHead | ProtocolError {
  return new Http2HeadReader({ ...DEFAULT_HEAD_LIMITS, ...limits }).read(flat, hasEnded);
}

function good(flat: readonly string[], hasEnded = true): RequestHead {
  const head = read(flat, hasEnded);
  return head instanceof ProtocolError ? assert.fail(`${head.code}: ${head.detail}`) : head;
}

const fields = ({ headers }: RequestHead): string[] =>
  headers.names.map((name, i) => `${name.raw}: ${headers.values[i]!}`);
const without = (name: string): string[] => GET.filter((_, i) => GET[i - (i % 2)] !== name);
const changed = (name: string, value: string): string[] =>
  GET.map((text, i) => (GET[i - 1] === name && i % 2 === 1 ? value : text));

test("a good head becomes what HTTP/1.1 would have given, with Host from :authority", () => {
  const head = good([...GET, "accept", "*/*", "user-agent", "x"]);
  assert.equal(head.method, "GET");
  assert.equal(head.target, "/a?b=c");
  assert.equal(head.path, "/a");
  assert.equal(head.query, "b=c");
  assert.equal(head.version, "2");
  assert.equal(head.framing, "none");
  assert.deepEqual(fields(head), ["host: example.com", "accept: */*", "user-agent: x"]);
});

test("an extended CONNECT has a :protocol and no body; its neighbours have none", () => {
  const reader = new Http2HeadReader(DEFAULT_HEAD_LIMITS);
  const bad = GET.filter((text) => text !== ":scheme" && text !== "https");
  for (const [flat, hasEnded, protocol] of [
    [TUNNEL, false, "websocket"],
    [GET, true, null],
    [TUNNEL, false, "websocket"],
    [bad, true, null],
    [TUNNEL, false, "websocket"],
    [GET, true, null],
    [[...bad, ":protocol", "x"], true, "x"],
    [GET, true, null],
  ] as const) {
    const head = reader.read(flat, hasEnded);
    assert.equal(reader.protocol, protocol);
    if (!(head instanceof ProtocolError)) assert.equal(head.framing, "none");
  }
});

test("cookie crumbs are one field, where the first stood", () => {
  assert.deepEqual(fields(good([...GET, "cookie", "a=1", "accept", "*/*", "cookie", "b=2", "cookie", "c=3"])), [
    "host: example.com",
    "cookie: a=1; b=2; c=3",
    "accept: */*",
  ]);
});

test("a body is of the length that is told, or of one that is not", () => {
  assert.deepEqual(pick(good([...POST, "content-length", "5"], false)), ["length", 5]);
  assert.deepEqual(pick(good(POST, false)), ["chunked", 0]);
  assert.deepEqual(pick(good([...POST, "content-length", "0"], false)), ["none", 0]);
  assert.deepEqual(pick(good([...POST, "content-length", "0"], true)), ["none", 0]);
});
const pick = ({ framing, contentLength }: RequestHead): unknown[] => [framing, contentLength];

test("Host serves where :authority is missing, and is dropped where it says the same", () => {
  assert.deepEqual(fields(good([...without(":authority"), "host", "h"])), ["host: h"]);
  assert.deepEqual(fields(good([...GET, "host", "Example.com"])), ["host: example.com"]);
});

test("fields that repeat share their block; another path does not matter, another field does", () => {
  const reader = new Http2HeadReader(DEFAULT_HEAD_LIMITS);
  const one = reader.read([...GET, "accept", "a"], true) as RequestHead;
  const two = reader.read([...changed(":path", "/other"), "accept", "a"], true) as RequestHead;
  const three = reader.read([...GET, "accept", "b"], true) as RequestHead;
  const four = reader.read([...changed(":authority", "evil"), "accept", "b"], true) as RequestHead;
  assert.equal(two.headers, one.headers);
  assert.equal(two.path, "/other");
  assert.deepEqual(fields(three), ["host: example.com", "accept: b"]);
  assert.deepEqual(fields(four), ["host: evil", "accept: b"]);
});

test("the very same list is the very same head, and not where the end differs", () => {
  const reader = new Http2HeadReader(DEFAULT_HEAD_LIMITS);
  const flat = [...POST, "accept", "a"];
  const one = reader.read(flat, true);
  assert.equal(reader.read(flat, true), one);
  assert.equal((reader.read(flat, false) as RequestHead).framing, "chunked");
});

test("an underscore is dropped, or refused", () => {
  assert.deepEqual(fields(good([...GET, "x_forwarded_for", "1"])), ["host: example.com"]);
  const refused = read([...GET, "x_forwarded_for", "1"], true, { underscores: "refuse" });
  assert.equal((refused as ProtocolError).code, "MAITRED_UNDERSCORE_IN_NAME");
});

const REFUSED: readonly [string, readonly string[], number, boolean?][] = [
  ["no :method", without(":method"), 400],
  ["no :scheme", without(":scheme"), 400],
  ["no :path", without(":path"), 400],
  ["neither :authority nor Host", without(":authority"), 400],
  ["two :path", [...GET, ":path", "/b"], 400],
  ["two :method", [...GET, ":method", "POST"], 400],
  ["two :authority", [...GET, ":authority", "b"], 400],
  [":status in a request", [...GET, ":status", "200"], 400],
  ["an unknown pseudo-header field", [...GET, ":x", "1"], 400],
  ["a pseudo-header field behind a field", [...without(":path"), "accept", "a", ":path", "/"], 400],
  ["an empty :path", changed(":path", ""), 400],
  [":path without slash", changed(":path", "admin"), 400],
  [":path in absolute-form", changed(":path", "http://internal/admin"), 400],
  [":path that is * in a GET", changed(":path", "*"), 400],
  ["a space in :path, which would end the HTTP/1.1 target", changed(":path", "/ HTTP/1.1"), 400],
  ["CR LF in :path", changed(":path", "/\r\nX: y"), 400],
  ["NUL in :path", changed(":path", "/\0"), 400],
  ["a fragment in :path", changed(":path", "/#a"), 400],
  ["raw UTF-8 in :path", changed(":path", "/\xc3\xa9"), 400],
  ["a space in :method", changed(":method", "GET /"), 400],
  [":method in lower case", changed(":method", "get"), 400],
  ["CR LF in :method", changed(":method", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"), 400],
  ["an unknown :method", changed(":method", "FOO"), 501],
  ["CONNECT", changed(":method", "CONNECT"), 501],
  ["an extended CONNECT whose stream has ended", [...TUNNEL, "sec-websocket-version", "13"], 400],
  [":protocol without CONNECT", [...GET, ":protocol", "websocket"], 400],
  ["a :scheme that is neither http nor https", changed(":scheme", "file"), 400],
  ["CR LF in :scheme", changed(":scheme", "https://evil/\r\n"), 400],
  ["an empty :authority", changed(":authority", ""), 400],
  ["userinfo in :authority", changed(":authority", "a@b"), 400],
  ["CR LF in :authority", changed(":authority", "a\r\nX: y"), 400],
  ["a path in :authority", changed(":authority", "a/b"), 400],
  ["Host that contradicts :authority", [...GET, "host", "evil"], 400],
  ["two Hosts that differ", [...without(":authority"), "host", "a", "host", "b"], 400],
  ["connection", [...GET, "connection", "close"], 400],
  ["keep-alive", [...GET, "keep-alive", "1"], 400],
  ["proxy-connection", [...GET, "proxy-connection", "close"], 400],
  ["upgrade", [...GET, "upgrade", "websocket"], 400],
  ["transfer-encoding: chunked (TE.CL after a downgrade)", [...POST, "transfer-encoding", "chunked"], 400, false],
  ["te other than trailers", [...GET, "te", "chunked"], 400],
  ["an upper-case name", [...GET, "Accept", "a"], 400],
  ["a name with a space", [...GET, "a b", "c"], 400],
  ["a name with a colon inside", [...GET, "a:b", "c"], 400],
  ["CR LF in a name", [...GET, "a\r\nx", "c"], 400],
  ["an empty name", [...GET, "", "c"], 400],
  ["CR LF in a value", [...GET, "a", "b\r\nTransfer-Encoding: chunked"], 400],
  ["LF in a value", [...GET, "a", "b\nc"], 400],
  ["NUL in a value", [...GET, "a", "b\0"], 400],
  ["DEL in a value", [...GET, "a", "b\x7f"], 400],
  ["white space before a value", [...GET, "a", " b"], 400],
  ["white space behind a value", [...GET, "a", "b\t"], 400],
  ["two content-lengths", [...POST, "content-length", "5", "content-length", "5"], 400, false],
  ["a content-length list", [...POST, "content-length", "5, 5"], 400, false],
  ["a signed content-length", [...POST, "content-length", "+5"], 400, false],
  ["a content-length beyond 2^53", [...POST, "content-length", "9".repeat(20)], 400, false],
  ["a content-length without a body", [...POST, "content-length", "5"], 400, true],
  ["an expectation nobody knows", [...POST, "expect", "tea"], 417, false],
  ["a long :path", changed(":path", `/${"a".repeat(5000)}`), 414],
  ["a long value", [...GET, "a", "b".repeat(9000)], 431],
  ["a long cookie in crumbs", [...GET, ...Array.from({ length: 90 }, () => ["cookie", "c".repeat(100)]).flat()], 431],
  ["many fields", [...GET, ...Array.from({ length: 101 }, (_, i) => [`x-${i}`, "v"]).flat()], 431],
];
for (const [what, flat, status, hasEnded = true] of REFUSED)
  test(`refused with ${status}: ${what}`, () => {
    const head = read(flat, hasEnded);
    assert.ok(head instanceof ProtocolError, "it was let through");
    assert.equal(head.status, status, head.detail);
  });
