import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ResponseFields, responseFields } from "../response-fields.ts";
import { CHUNK_END, chunkHeader, lastChunk } from "./chunk.ts";
import { type ResponseHeadOptions, carriesBody, completeHead, reasonPhrase, streamedHead } from "./response-head.ts";

const PLAIN: ResponseHeadOptions = { method: "GET", minor: 1, keepAlive: true, date: "", server: "" };

function fieldsOf(...flat: string[]): ResponseFields {
  const fields = responseFields(flat);
  assert.ok(fields instanceof ResponseFields);
  return fields;
}

const NONE = fieldsOf();
const lines = (head: string): string[] => {
  assert.ok(head.endsWith("\r\n\r\n"));
  return head.slice(0, -4).split("\r\n");
};

describe("the head of a complete response", () => {
  const complete = (
    status: number,
    length: number,
    fields: ResponseFields = NONE,
    options: Partial<ResponseHeadOptions> = {},
  ): string[] => lines(completeHead(status, "", fields, length, { ...PLAIN, ...options })).slice(1);

  test("has status line, the app's fields, length, Date and Server", () => {
    const head = completeHead(200, "Fine", fieldsOf("X", "y", "Content-Length", "2"), 2, {
      ...PLAIN,
      date: "today",
      server: "maitred",
    });
    assert.equal(head, "HTTP/1.1 200 Fine\r\nX: y\r\nContent-Length: 2\r\nDate: today\r\nServer: maitred\r\n\r\n");
    assert.deepEqual(complete(200, 0, fieldsOf("Date", "x", "server", "y"), { date: "today", server: "maitred" }), [
      "Date: x",
      "server: y",
      "Content-Length: 0",
    ]);
  });

  test("says the length that will be sent, not the one the app claimed", () => {
    assert.deepEqual(complete(200, 3, fieldsOf("Content-Length", "9")), ["Content-Length: 3"]);
  });

  test("has a length without body only where it is true (RFC 9110 section 8.6)", () => {
    const nine = fieldsOf("Content-Length", "9");
    assert.deepEqual(complete(204, 0, nine), []);
    assert.deepEqual(complete(304, 0), []);
    assert.deepEqual(complete(304, 0, nine), ["Content-Length: 9"]);
    assert.deepEqual(complete(205, 0, nine), ["Content-Length: 0"]);
    assert.deepEqual(complete(200, 0, NONE, { method: "HEAD" }), []);
    assert.deepEqual(complete(200, 7, NONE, { method: "HEAD" }), ["Content-Length: 7"]);
    assert.deepEqual(complete(200, 0, nine, { method: "HEAD" }), ["Content-Length: 9"]);
  });

  test("says how the connection goes on (RFC 9112 section 9.3)", () => {
    const closing = fieldsOf("Connection", "close");
    assert.deepEqual(complete(204, 0, NONE, { minor: 1 }), []);
    assert.deepEqual(complete(204, 0, NONE, { minor: 0 }), ["Connection: keep-alive"]);
    assert.deepEqual(complete(204, 0, NONE, { keepAlive: false }), ["Connection: close"]);
    assert.deepEqual(complete(204, 0, closing), ["Connection: close"]);
    assert.deepEqual(complete(204, 0, closing, { minor: 0 }), ["Connection: close"]);
  });
});

describe("the head of a streamed response", () => {
  const streamed = (status: number, fields: ResponseFields, options: Partial<ResponseHeadOptions> = {}): unknown[] => {
    const { text, chunked, close } = streamedHead(status, "", fields, { ...PLAIN, ...options });
    return [...lines(text).slice(1), chunked, close];
  };
  const nine = fieldsOf("Content-Length", "9");

  test("is chunked, delimited by the app's length, or in HTTP/1.0 by the close (RFC 9112 section 6)", () => {
    assert.deepEqual(streamed(200, NONE), ["Transfer-Encoding: chunked", true, false]);
    assert.deepEqual(streamed(200, nine), ["Content-Length: 9", false, false]);
    assert.deepEqual(streamed(200, NONE, { minor: 0 }), ["Connection: close", false, true]);
    assert.deepEqual(streamed(200, nine, { minor: 0 }), ["Content-Length: 9", "Connection: keep-alive", false, false]);
    assert.deepEqual(streamed(200, NONE, { keepAlive: false }), [
      "Transfer-Encoding: chunked",
      "Connection: close",
      true,
      true,
    ]);
  });

  test("has no framing where no body follows", () => {
    assert.deepEqual(streamed(204, NONE), [false, false]);
    assert.deepEqual(streamed(304, nine), ["Content-Length: 9", false, false]);
    assert.deepEqual(streamed(200, NONE, { method: "HEAD" }), [false, false]);
    assert.deepEqual(streamed(200, NONE, { method: "HEAD", minor: 0 }), ["Connection: keep-alive", false, false]);
  });
});

test("a body follows neither HEAD nor 1xx, 204, 205 and 304", () => {
  assert.deepEqual(
    [200, 404, 103, 204, 205, 304].map((status) => carriesBody(status, "GET")),
    [true, true, false, false, false, false],
  );
  assert.equal(carriesBody(200, "HEAD"), false);
});

test("a reason that would split the response gives way to the standard one", () => {
  assert.match(completeHead(200, "OK\r\nX: y", NONE, 0, PLAIN), /^HTTP\/1\.1 200 OK\r\nContent-Length/);
  assert.match(completeHead(299, "", NONE, 0, PLAIN), /^HTTP\/1\.1 299 Unknown\r\n/);
  assert.equal(reasonPhrase(404), "Not Found");
});

test("chunks are sized in hexadecimal", () => {
  assert.equal(chunkHeader(255) + CHUNK_END, "ff\r\n\r\n");
  assert.equal(lastChunk(null), "0\r\n\r\n");
  assert.equal(lastChunk(fieldsOf("X-Sum", "1")), "0\r\nX-Sum: 1\r\n\r\n");
});
