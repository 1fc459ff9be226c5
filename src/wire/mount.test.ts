import assert from "node:assert/strict";
import { test } from "node:test";
import { belowMount } from "./mount.ts";

for (const [path, below] of [
  ["/api", ""],
  ["/api/", "/"],
  ["/api/users%20all", "/users%20all"],
  ["/%61pi/x", "/x"],
  ["/a%70%69", ""],
  ["/api/api/x", "/api/x"],
  ["/api%2Fx", "%2Fx"],
] as const) {
  test(`${path} below /api is "${below}"`, () => assert.equal(belowMount(path, "/api"), below));
}
