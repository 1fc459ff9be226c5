import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadField } from "../http/response-fields.ts";
import { relocate } from "./relocation.ts";
import { responseHead, responseTrailers } from "./response-head.ts";

const raw = (...flat: string[]): Buffer[] => flat.map((text) => Buffer.from(text, "latin1"));

function textOf(...flat: string[]): string {
  const fields = responseHead(raw(...flat), (location) => location);
  return fields instanceof BadField ? `bad ${fields.name}: ${fields.reason}` : fields.text;
}

describe("a response's fields", () => {
  test("go on in order, several of one name too", () => {
    assert.equal(
      textOf("Set-Cookie", "a=1", "X", "ÿ", "Set-Cookie", "b=2"),
      "Set-Cookie: a=1\r\nX: ÿ\r\nSet-Cookie: b=2\r\n",
    );
  });

  test("lose what is the connection's, and what Connection names", () => {
    const fields = responseHead(
      raw("Connection", "close, X-Hop", "x-hop", "1", "Keep-Alive", "timeout=5", "Upgrade", "h2c", "Y", "1"),
      (location) => location,
    );
    assert.ok(!(fields instanceof BadField));
    assert.equal(fields.text, "Y: 1\r\n");
    // Its connection ends, the client's does not.
    assert.equal(fields.wantsClose, false);
  });

  test("have no length where they have chunks", () => {
    const fields = responseHead(raw("Content-Length", "5", "Transfer-Encoding", "chunked"), (location) => location);
    assert.ok(!(fields instanceof BadField));
    assert.equal(fields.contentLength, -1);
  });

  test("keep their length though Connection names it", () => {
    const fields = responseHead(raw("Content-Length", "5", "Connection", "content-length"), (location) => location);
    assert.ok(!(fields instanceof BadField));
    assert.equal(fields.contentLength, 5);
  });

  test("are refused where they could split the response, or be read two ways", () => {
    assert.match(textOf("X", "a\nb"), /^bad X/);
    assert.match(textOf("X Y", "a"), /^bad X Y/);
    assert.match(textOf("Content-Length", "5", "Content-Length", "6"), /^bad Content-Length/);
    assert.match(textOf("Transfer-Encoding", "gzip, chunked"), /^bad Transfer-Encoding/);
    assert.match(textOf("Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"), /^bad Transfer-Encoding/);
  });

  test("trailers go on, what frames a message does not", () => {
    assert.equal(responseTrailers([]), null);
    assert.equal(responseTrailers(raw("Content-Length", "5")), null);
    assert.equal(responseTrailers(raw("X-Sum", "1", "Transfer-Encoding", "chunked"))?.text, "X-Sum: 1\r\n");
    assert.equal(responseTrailers(raw("X", "a\rb")), null);
  });
});

describe("a location", () => {
  const PLAN = { scheme: "http", authority: "10.0.0.2:9000", basePath: "/base", stripPrefix: "/api" } as const;
  const CASES: readonly [string, string][] = [
    ["http://10.0.0.2:9000/base/a?b#c", "https://www.example.com/api/a?b#c"],
    ["HTTP://10.0.0.2:9000", "https://www.example.com"],
    ["http://10.0.0.2:9000/elsewhere", "https://www.example.com/elsewhere"],
    ["https://www.example.com/base/a", "https://www.example.com/api/a"],
    ["/base/a", "/api/a"],
    ["/base", "/api"],
    ["/base?x", "/api?x"],
    ["/based", "/based"],
    ["//10.0.0.2:9000/base", "//10.0.0.2:9000/base"],
    ["https://other.example/base/a", "https://other.example/base/a"],
    ["http://10.0.0.2:90000/base/a", "http://10.0.0.2:90000/base/a"],
    ["a/b", "a/b"],
    ["mailto:a@b", "mailto:a@b"],
  ];
  for (const [from, to] of CASES)
    test(`${from} becomes ${to}`, () => assert.equal(relocate(from, PLAN, "https", "www.example.com"), to));

  test("gets the prefix also where the upstream has no base path", () => {
    const plan = { ...PLAN, basePath: "" };
    assert.equal(relocate("/a", plan, "https", "h"), "/api/a");
    assert.equal(relocate("/", plan, "https", "h"), "/api/");
  });

  test("stays where the client has named no host", () => {
    assert.equal(relocate("http://10.0.0.2:9000/base/a", PLAN, "https", ""), "http://10.0.0.2:9000/base/a");
  });
});
