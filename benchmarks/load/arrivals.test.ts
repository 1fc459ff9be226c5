import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivals } from "./arrivals.ts";

const mix = { perSecond: 400, slowShare: 0.05, seconds: 100, seed: 1 };

test("the same seed gives the same arrivals, another seed others", () => {
  assert.deepEqual(arrivals(mix), arrivals(mix));
  assert.notDeepEqual(arrivals(mix), arrivals({ ...mix, seed: 2 }));
});

test("rate and share are what was asked for, within the noise of a Poisson process", () => {
  const list = arrivals(mix);
  const slow = list.filter((arrival) => arrival.slow).length;
  assert.ok(Math.abs(list.length - 40_000) < 4 * Math.sqrt(40_000), `${list.length} arrivals`);
  assert.ok(Math.abs(slow - 2_000) < 4 * Math.sqrt(2_000), `${slow} slow ones`);
});
