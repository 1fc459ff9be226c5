import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryCgroup } from "./memory-cgroup.ts";

/** A root laid out as the kernel's, and who reads it. */
function laidOut(membership: string, files: Record<string, string>): MemoryCgroup {
  return new MemoryCgroup("/r", membership, (path) => files[path.slice(3)] ?? null);
}

test("v2: a counter that rises is one kill each, also where two come between two looks", () => {
  const files: Record<string, string> = { "a/b/memory.events": "oom 0\noom_kill 5\n", "a/memory.max": "1048576\n" };
  const cgroup = laidOut("0::/a/b\n", files);
  assert.deepEqual(cgroup.judge(), { isOom: false, limitBytes: 1_048_576 });
  files["a/b/memory.events"] = "oom 0\noom_kill 7\noom_group_kill 0\n";
  assert.deepEqual([cgroup.judge().isOom, cgroup.judge().isOom, cgroup.judge().isOom], [true, true, false]);
});

test("the smallest limit above us counts, and `max` is none", () => {
  const files = { "a/b/memory.max": "max\n", "a/memory.max": "3000\n", "memory.max": "9000\n" };
  assert.deepEqual(laidOut("0::/a/b\n", files).judge(), { isOom: null, limitBytes: 3000 });
  assert.equal(laidOut("0::/\n", { "memory.max": "max\n" }).judge().limitBytes, null);
});

test("a container that sees its own cgroup as the root of the mount is found there", () => {
  const files: Record<string, string> = { "memory.events": "oom_kill 0\n" };
  const cgroup = laidOut("0::/docker/abc\n", files);
  files["memory.events"] = "oom_kill 1\n";
  assert.equal(cgroup.judge().isOom, true);
});

test("v1: memory.oom_control of the memory controller, and its number for no limit", () => {
  const files: Record<string, string> = {
    "memory/x/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
    "memory/x/memory.limit_in_bytes": "9223372036854771712\n",
  };
  const cgroup = laidOut("5:cpu,cpuacct:/y\n4:memory:/x\n0::/\n", files);
  files["memory/x/memory.oom_control"] = "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n";
  assert.deepEqual(cgroup.judge(), { isOom: true, limitBytes: null });
});

test("nothing to read is no verdict", () => {
  assert.deepEqual(laidOut("", {}).judge(), { isOom: null, limitBytes: null });
});
