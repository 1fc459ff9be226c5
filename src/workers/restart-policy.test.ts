import assert from "node:assert/strict";
import { test } from "node:test";
import { RestartPolicy } from "./restart-policy.ts";

test("the first two are replaced at once, the next ever later, up to half a minute", () => {
  const policy = new RestartPolicy();
  const delays = Array.from({ length: 12 }, () => policy.died(0).delayMs);
  assert.deepEqual(delays, [0, 0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test("after workers that had served nobody waits longer than a second", () => {
  const policy = new RestartPolicy();
  const delays = Array.from({ length: 8 }, () => policy.died(100).delayMs);
  assert.deepEqual(delays, [0, 0, 250, 500, 1000, 1000, 1000, 1000]);
});

test("a worker that lived ten seconds begins a new count", () => {
  const policy = new RestartPolicy();
  for (let i = 0; i < 6; i++) policy.died(9999);
  assert.deepEqual(policy.died(10_000), { delayMs: 0, deaths: 1, isLoopBegun: false });
  assert.equal(policy.died(0).delayMs, 0);
  assert.equal(policy.died(0).delayMs, 250);
});

test("a crash loop is told once, at the fifth death, and again after a healthy time", () => {
  const policy = new RestartPolicy();
  const begun = [0, 0, 0, 0, 0, 0, 0, 20_000, 0, 0, 0, 0].map((livedMs) => policy.died(livedMs).isLoopBegun);
  assert.deepEqual(
    begun.flatMap((is, i) => (is ? [i] : [])),
    [4, 11],
  );
});
