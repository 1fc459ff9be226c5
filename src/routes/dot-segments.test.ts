/** Which paths could be read as others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hasDotSegment } from "./dot-segments.ts";

for (const path of [
  "/..",
  "/.",
  "/a/../b",
  "/a/./b",
  "/a/..",
  "/a/%2e%2e/b",
  "/a/.%2E/b",
  "/a%2f..%2Fb",
  "/a\\..\\b",
  "/a%5C..%5cb",
  "/a/..;/b",
  "/a/..;x=1/b",
  "/a/..%3b/b",
])
  test(`${path} has one`, () => assert.equal(hasDotSegment(path), true));

for (const path of [
  "/",
  "*",
  "/a",
  "/.well-known/x",
  "/a..b",
  "/a/..b/c",
  "/...",
  "/a/b.",
  "/a/b..",
  "/%20/x",
  "/%2e%2e%2e",
  "/.a%2f",
])
  test(`${path} has none`, () => assert.equal(hasDotSegment(path), false));
