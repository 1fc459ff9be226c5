/** Affinity and cgroup text as real machines show it, and the number of workers that follows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allowedCpus,
  cfsQuota,
  cgroupAncestors,
  cgroupPath,
  cpuListCount,
  cpuMaxQuota,
  defaultWorkers,
} from "./cpus.ts";

test("CPU lists count single CPUs and ranges", () => {
  assert.equal(cpuListCount("0"), 1);
  assert.equal(cpuListCount("0-3"), 4);
  assert.equal(cpuListCount("0-3,8,10-11\n"), 7);
  for (const text of ["", "a", "3-0", "0-", "0,,1"]) assert.equal(cpuListCount(text), null, text);
});

test("the affinity is read from /proc/self/status, and not from the memory nodes", () => {
  const status = "Name:\tnode\nCpus_allowed:\t0000000f\nCpus_allowed_list:\t0-1,3\nMems_allowed_list:\t0\n";
  assert.equal(allowedCpus(status), 3);
  assert.equal(allowedCpus("Name:\tnode\n"), null);
});

test("cpu.max is quota and period", () => {
  assert.equal(cpuMaxQuota("150000 100000\n"), 1.5);
  assert.equal(cpuMaxQuota("50000 100000"), 0.5);
  assert.equal(cpuMaxQuota("200000"), 2);
  for (const text of ["max 100000\n", "max", "", "0 100000", "100000 0", "nonsense"])
    assert.equal(cpuMaxQuota(text), null, text);
});

test("cgroup v1 says -1 for no quota", () => {
  assert.equal(cfsQuota("250000\n", "100000\n"), 2.5);
  assert.equal(cfsQuota("-1\n", "100000\n"), null);
  assert.equal(cfsQuota("", ""), null);
});

test("our cgroup is the unified one, or v1's with the cpu controller", () => {
  assert.equal(cgroupPath("0::/system.slice/docker-1.scope\n", 2), "/system.slice/docker-1.scope");
  assert.equal(cgroupPath("0::/\n", 2), "/");
  const v1 = "12:cpuset:/a\n5:cpu,cpuacct:/docker/abc:d\n1:name=systemd:/b\n0::/c\n";
  assert.equal(cgroupPath(v1, 1), "/docker/abc:d");
  assert.equal(cgroupPath(v1, 2), "/c");
  assert.equal(cgroupPath("", 2), null);
});

test("a cgroup's parents count up to the root", () => {
  assert.deepEqual(cgroupAncestors("/a/b"), ["/a/b", "/a", "/"]);
  assert.deepEqual(cgroupAncestors("/"), ["/"]);
  // What a process sees of a cgroup outside its own cgroup namespace.
  assert.deepEqual(cgroupAncestors("/../../x"), ["/x", "/"]);
});

const sizes: readonly (readonly [number, number | null, number, string])[] = [
  [2, null, 2, "2 CPUs (affinity)"],
  [1, null, 1, "1 CPU (affinity)"],
  [64, 1.5, 2, "cgroup quota 1.5 CPUs"],
  [64, 0.25, 1, "cgroup quota 0.25 CPUs"],
  [64, 1, 1, "cgroup quota 1 CPU"],
  [64, 4 / 3, 2, "cgroup quota 1.33 CPUs"],
  [2, 8, 2, "2 CPUs (affinity)"],
  [2, 2, 2, "2 CPUs (affinity)"],
];

for (const [affinity, quota, workers, reason] of sizes) {
  test(`${affinity} CPUs with quota ${quota} make ${workers} workers`, () => {
    assert.deepEqual(defaultWorkers(affinity, quota), { cpus: Math.min(affinity, quota ?? affinity), workers, reason });
  });
}
