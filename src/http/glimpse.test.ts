/** What is seen of heads that were refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { glimpseOfList, glimpseOfText, UNREADABLE } from "./glimpse.ts";
import type { RequestHead } from "./request-head.ts";

function seen({ method, headers }: RequestHead): string {
  return [method, headers.get("host"), headers.get("accept")].join(" | ");
}

test("method, host and Accept of what is plain to see", () => {
  const head = "HEAD /x HTTP/1.1\r\nHost: a.example\r\nbad field\r\naccept:text/html \r\nCookie: x\r\n";
  assert.equal(seen(glimpseOfText(head)), "HEAD | a.example | text/html");
  assert.equal(seen(glimpseOfText("POST /x HTTP/3\r\nHost: a.example\r\nAccept: text/ht")), "- | a.example | ");
  const list = [":method", "HEAD", ":authority", "b.example", ":path", "nonsense", "accept", "application/json"];
  assert.equal(seen(glimpseOfList(list)), "HEAD | b.example | application/json");
});

test("what stands twice, is folded, has strange characters or is far behind is not seen", () => {
  assert.equal(
    seen(glimpseOfText("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: text/html\r\n")),
    "- |  | text/html",
  );
  assert.equal(seen(glimpseOfText("GET / HTTP/1.1\r\nHost: a\0b\r\nAccept : text/html\r\n")), "- |  | ");
  assert.equal(seen(glimpseOfText(`GET /${"x".repeat(5000)} HTTP/1.1\r\nHost: a\r\n`)), "- |  | ");
  assert.equal(seen(glimpseOfText(`GET / HTTP/1.1\r\nAccept: ${"x".repeat(600)}\r\n`)), "- |  | ");
  assert.equal(glimpseOfText(""), UNREADABLE);
});

test("anything at all is taken without a word", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void glimpseOfText(text)));
  fc.assert(fc.property(fc.array(fc.string()), (list) => void glimpseOfList(list)));
});
