import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes } from "./format-bytes.ts";
import { sampleVitals } from "./vitals.ts";

test("our own memory, threads and CPU are found, and the share since the sample before", () => {
  const first = sampleVitals(process.pid, 0, null)!;
  assert.ok(first.rssBytes > 10_000_000 && first.peakRssBytes >= first.rssBytes && first.threads > 1);
  assert.equal(first.cpuShare, null);
  const second = sampleVitals(process.pid, 1000, { ...first, cpuMs: first.cpuMs - 500 })!;
  assert.ok(second.cpuShare! >= 0.5);
});

test("a process that is gone has none", () => {
  assert.equal(sampleVitals(2 ** 22 + 1, 0, null), null);
});

test("bytes are told in the unit that is read most easily", () => {
  assert.deepEqual([1_500_000, 50 * 2 ** 20, 1.5 * 2 ** 30].map(formatBytes), ["1.4 MiB", "50 MiB", "1.5 GiB"]);
});
