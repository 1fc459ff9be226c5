import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleExchange } from "../http/exchange.test.ts";
import { describeEnding, describeWork, needsVerdict } from "./death.ts";
import type { EndReason } from "./lifecycle.ts";
import type { OomVerdict } from "./memory-cgroup.ts";
import type { Vitals } from "./vitals.ts";

const CRASHED: EndReason = { type: "crashed" };
const MIB = 1_048_576;
const vitals: Vitals = { at: 0, rssBytes: 812 * MIB, peakRssBytes: 0, threads: 1, cpuMs: 0, cpuShare: null };
const limitBytes = 1024 * MIB;

const table: readonly [number | null, number | null, OomVerdict | null, EndReason, RegExp][] = [
  [
    null,
    9,
    { isOom: true, limitBytes },
    CRASHED,
    /^killed by SIGKILL by the kernel: out of memory .*limit 1\.0 GiB, last seen with 812 MiB/,
  ],
  [null, 9, { isOom: true, limitBytes: null }, CRASHED, /has risen, last seen with 812 MiB\)$/],
  [null, 9, { isOom: false, limitBytes }, CRASHED, /sent by someone else: neither maitred nor the kernel/],
  [null, 9, { isOom: null, limitBytes: null }, CRASHED, /there is no cgroup counter to ask/],
  [null, 9, null, { type: "timeout", request: "GET /" }, /^killed by SIGKILL$/],
  [null, 11, null, CRASHED, /^killed by SIGSEGV: a fault in native code, or abort\(\), last seen with 812 MiB$/],
  [null, 1, null, CRASHED, /^killed by SIGHUP, which somebody else has sent$/],
  [0, null, null, CRASHED, /^exit code 0: the app has ended its process/],
  [0, null, null, { type: "stopping" }, /^exit code 0$/],
];
for (const [code, signal, oom, reason, told] of table) {
  test(`code ${code}, signal ${signal}, ${JSON.stringify(oom)}, ${reason.type}: ${told.source}`, () => {
    const exit = { worker: 1, code, signal, started: null };
    assert.match(describeEnding({ reason, exit, vitals, oom }), told);
    assert.equal(needsVerdict(reason, exit), oom !== null);
  });
}

test("the requests at work are named with their age, three of them, and without their query", () => {
  const begun = ["/a?secret=1", "/b", "/c", "/d"].map((path) => sampleExchange(path));
  assert.equal(describeWork(begun, 12), ", at work on GET /a (12 ms), GET /b (12 ms), GET /c (12 ms) and 1 more");
  assert.equal(describeWork([], 12), "");
});
