/** Which paths could be read as others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasDotSegment, isSuspect, otherReadings } from "./readings.ts";

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
  test(`${path} has a dot segment`, () => assert.deepEqual([isSuspect(path), hasDotSegment(path)], [true, true]));

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
  test(`${path} has no dot segment`, () => assert.equal(hasDotSegment(path), false));

for (const [path, ...others] of [
  ["/"],
  ["/a/b/"],
  ["/caf%C3%A9"],
  ["//admin", "/admin", "/"],
  ["///admin", "/admin", "/"],
  ["/%2Fadmin", "/admin", "/"],
  ["//host/admin", "/host/admin", "/admin"],
  ["/\\host/admin", "/host/admin", "/admin"],
  ["/%5chost%5cadmin", "/host/admin", "/admin"],
  ["//host//admin", "/host/admin", "/admin"],
  ["/a//b", "/a/b"],
  ["/a/"],
  ["/a//", "/a/"],
  ["/a\\b", "/a/b"],
  ["/web/https://example.com/x", "/web/https:/example.com/x"],
] as const)
  test(`${path} is ${others.length === 0 ? "that to everybody" : others.join(" or ")} to others`, () => {
    assert.deepEqual(otherReadings(path), others);
    if (others.length > 0) assert.equal(isSuspect(path), true);
  });

test("no path that is not suspect has another reading", () => {
  const path = fc.string({
    unit: fc.constantFrom("/", "\\", ".", "%2f", "%5C", "%2e", "a", ";", "%", "2", "f"),
    maxLength: 8,
  });
  fc.assert(
    fc.property(path, (rest) => {
      const whole = `/${rest}`;
      assert.ok(isSuspect(whole) || (!hasDotSegment(whole) && otherReadings(whole).length === 0));
    }),
  );
});
