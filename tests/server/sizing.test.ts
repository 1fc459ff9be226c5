/** How many workers: from the memory there is, and from the work there is. The cgroup is a folder of ours, laid out as the kernel's. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { startLoad } from "../support/load.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";

const HERE = ["-b", "127.0.0.1:0", "-k", "sync", "--chdir", testApps];
const APP = "wsgi_app:application";
const skip = process.platform !== "linux";

/** A cgroup with this memory limit, whose tasks never wait for a CPU. */
function cgroup(memoryMax: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "maitred-cgroup-"));
  folders.push(folder);
  writeFileSync(join(folder, "memory.max"), `${memoryMax}\n`);
  writeFileSync(join(folder, "cpu.pressure"), "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  return ["--cgroup-root", folder];
}

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

suite("-w auto", { skip: skip || availableParallelism() < 2 }, () => {
  test("measures the first worker where memory is short, then starts those that fit", async () => {
    const server = await startMaitred([...HERE, ...cgroup(String(300 * 1_048_576)), "-w", "auto", APP]);
    await server.waitForLine(/with 1 worker \(.*once the first is measured\)/);
    const [line] = await server.waitForLine(/Scaling from 1 to \d+ workers: .*/);
    assert.match(line, /CPU.*memory has room for \d+: a worker has [\d.]+ MiB .*the cgroup's limit is 300 MiB/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("stays with one where no more fit", async () => {
    const server = await startMaitred([...HERE, ...cgroup(String(40 * 1_048_576)), APP]);
    await server.waitForLine(/Staying with 1 worker: .*memory has room for 1: .*the cgroup's limit is 40 MiB/);
    await server.stop();
  });
});

suite("-w MIN:MAX", { skip }, () => {
  test("grows while requests wait, to the most, and shrinks to the least when they no longer come", async () => {
    const server = await startMaitred([
      ...HERE,
      ...cgroup("max"),
      "-w",
      "1:3",
      "--scale-up-wait",
      "50ms",
      "--scale-down-after",
      "1s",
      APP,
    ]);
    await server.waitForLine(/Serving .* with 1 worker \(-w 1:3, as many as 3 when they are needed\)/);
    const load = startLoad(server.port, "/work?ms=150", 9);
    await server.waitForLine(/Scaling from 1 to 2 workers: requests waited up to \d+ ms for a worker, \d+ wait/);
    await server.waitForLine(/Scaling from 2 to 3 workers: /);
    await server.waitForLine(/Staying with 3 workers: .* 3 is the most that --workers allows/);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await server.waitForLine(/Scaling from \d to 1 workers: for 1 s the work was never more than/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("does not grow beyond the memory, and says so", async () => {
    const server = await startMaitred([
      ...HERE,
      ...cgroup(String(40 * 1_048_576)),
      "-w",
      "1:3",
      "--scale-up-wait",
      "50ms",
      APP,
    ]);
    const load = startLoad(server.port, "/work?ms=150", 4);
    await server.waitForLine(/Staying with 1 worker: requests waited .* but memory has room for 1/);
    await load.stop();
    assert.doesNotMatch(server.stderr(), /Scaling/);
    await server.stop();
  });
});
