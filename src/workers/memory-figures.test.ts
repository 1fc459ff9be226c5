/** Memory and CPU pressure from files laid out as the kernel's. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { availableBytes, cpuPressure, pssBytes, pssBytesLater } from "./memory-figures.ts";

const root = mkdtempSync(join(tmpdir(), "maitred-figures-"));
after(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const proc = join(root, "proc");
const cgroup = join(root, "cgroup");

test("a process's PSS, or its resident size where the kernel gives none", async () => {
  put("proc/7/smaps_rollup", "00400000-7fff [rollup]\nRss:   9000 kB\nPss:   4000 kB\nPss_Anon: 1 kB\n");
  put("proc/7/status", "VmRSS:\t  9000 kB\n");
  put("proc/8/status", "Name:\tx\nVmRSS:\t  9000 kB\n");
  assert.equal(pssBytes(7, proc), 4000 * 1024);
  assert.equal(pssBytes(8, proc), 9000 * 1024);
  assert.equal(pssBytes(9, proc), null);
  assert.deepEqual(
    await Promise.all([7, 8, 9].map((pid) => pssBytesLater(pid, proc))),
    [4000 * 1024, null, null],
    "without the resident size, which the caller has",
  );
});

test("what the machine has available", () => {
  assert.equal(availableBytes(proc), null);
  put("proc/meminfo", "MemTotal:  100 kB\nMemFree:  5 kB\nMemAvailable:   60 kB\n");
  assert.equal(availableBytes(proc), 60 * 1024);
});

test("CPU pressure of the own cgroup before that of the mount's root, before that of the machine", () => {
  const line = (percent: string): string => `some avg10=${percent} avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00\n`;
  put("proc/self/cgroup", "0::/app/web\n");
  assert.equal(cpuPressure(cgroup, proc), null);
  put("proc/pressure/cpu", line("30.00"));
  assert.equal(cpuPressure(cgroup, proc), 0.3);
  put("cgroup/cpu.pressure", line("20.50"));
  assert.equal(cpuPressure(cgroup, proc), 0.205);
  put("cgroup/app/web/cpu.pressure", line("10.00"));
  assert.equal(cpuPressure(cgroup, proc), 0.1);
});
