/** Media types by names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentTypeOf, isCompressed } from "./media-types.ts";

for (const [name, type] of [
  ["a.html", "text/html; charset=utf-8"],
  ["a.b.CSS", "text/css; charset=utf-8"],
  ["a.js", "text/javascript; charset=utf-8"],
  ["a.mjs", "text/javascript; charset=utf-8"],
  ["a.json", "application/json"],
  ["a.wasm", "application/wasm"],
  ["a.svg", "image/svg+xml"],
  ["a.woff2", "font/woff2"],
  ["README", "application/octet-stream"],
  ["a.constructor", "application/octet-stream"],
  ["a.own", "text/own; charset=utf-8"],
  ["a.set", "text/plain; charset=latin-1"],
] as const)
  test(`${name}: ${type}`, () =>
    assert.equal(contentTypeOf(name, { own: "text/own", set: "text/plain; charset=latin-1" }, "utf-8"), type));

test("text without a known encoding says none", () => assert.equal(contentTypeOf("a.txt", {}, ""), "text/plain"));

test("pictures and archives are compressed already, pages and vector pictures are not", () => {
  for (const name of ["a.png", "a.jpg", "a.woff2", "a.zip", "a.mp4", "a.docx"])
    assert.ok(isCompressed(contentTypeOf(name, {}, "")), name);
  for (const name of ["a.html", "a.svg", "a.bmp", "a.ico", "a.wasm", "a.ttf", "a.json", "a.wav"])
    assert.ok(!isCompressed(contentTypeOf(name, {}, "")), name);
});
