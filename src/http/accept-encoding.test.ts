/** Accept-Encoding fields. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptance } from "./accept-encoding.ts";

for (const [field, br, zstd, gzip] of [
  [undefined, 0, 0, 0],
  ["", 0, 0, 0],
  ["gzip, deflate, br, zstd", 1, 1, 1],
  ["gzip;q=0.5, br;q=0.8", 0.8, 0, 0.5],
  ["GZIP ; Q=0.3", 0, 0, 0.3],
  ["*", 1, 1, 1],
  ["*;q=0.2, br;q=0", 0, 0.2, 0.2],
  ["x-gzip", 0, 0, 1],
  ["gzip;q=2", 0, 0, 0],
  ["gzip;q=x", 0, 0, 0],
  ["identity", 0, 0, 0],
] as const)
  test(`${field ?? "no field"}`, () => assert.deepEqual(acceptance(field), { br, zstd, gzip }));

test("what clients invent is not remembered without end", () => {
  for (let count = 0; count < 1000; count++) assert.equal(acceptance(`gzip;q=0.5, x${count}`).gzip, 0.5);
  assert.equal(acceptance("gzip").gzip, 1);
});
