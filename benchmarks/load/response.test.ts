import assert from "node:assert/strict";
import { test } from "node:test";
import { readResponse } from "./response.ts";

const cases = [
  [
    "a length",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    { status: 200, body: "hi", keepAlive: true, coding: "" },
  ],
  [
    "chunks",
    "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n",
    { status: 404, body: "hi", keepAlive: true, coding: "" },
  ],
  [
    "a close",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
    { status: 200, body: "hi", keepAlive: false, coding: "" },
  ],
] as const;

for (const [name, text, expected] of cases) {
  test(`a response with ${name} is read when its last byte is there, and not before`, () => {
    for (let end = 0; end < text.length; end++) assert.equal(readResponse(text.slice(0, end), false), null);
    assert.deepEqual(readResponse(text, false), expected);
  });
}

test("a body without a length ends with the connection", () => {
  const text = "HTTP/1.1 200 OK\r\n\r\nhi";
  assert.equal(readResponse(text, false), null);
  assert.deepEqual(readResponse(text, true), { status: 200, body: "hi", keepAlive: false, coding: "" });
});
