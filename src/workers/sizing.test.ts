/** How many workers: memory arithmetic, and the elastic policy against a simulated server of one queue. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  describeRoom,
  ElasticPolicy,
  fitMemory,
  type MemoryFigures,
  memoryRoom,
  type Observation,
  startUnmeasured,
  type Step,
} from "./sizing.ts";

const MIB = 1_048_576;
const figures: MemoryFigures = {
  limitBytes: 1000 * MIB,
  limitName: "the cgroup's limit",
  othersBytes: 100 * MIB,
  workerBytes: 100 * MIB,
};

suite("memory", () => {
  test("holds what is left beside the reserve and the others, and never less than one", () => {
    assert.equal(memoryRoom(figures), 8);
    assert.equal(memoryRoom({ ...figures, othersBytes: 2000 * MIB }), 1);
    assert.equal(memoryRoom({ ...figures, limitBytes: null }), Infinity);
    assert.equal(memoryRoom({ ...figures, workerBytes: null }), Infinity);
  });
  test("fits the CPUs' number into it, with room to grow for a worker that has not served yet", () => {
    assert.equal(fitMemory(4, figures, false), 4);
    assert.equal(fitMemory(64, figures, false), 8);
    assert.equal(fitMemory(64, figures, true), 6);
  });
  test("starts all at once only where there is plenty", () => {
    assert.equal(startUnmeasured(8, null), 8);
    assert.equal(startUnmeasured(8, 16_384 * MIB), 8);
    assert.equal(startUnmeasured(64, 512 * MIB), 1);
  });
  test("is told with its figures", () => {
    assert.equal(
      describeRoom(figures),
      "memory has room for 8: a worker has 100 MiB, the cgroup's limit is 1000 MiB, 100 MiB of it for maitred itself and other pools",
    );
  });
});

const EVERY_MS = 250;
const calm: Observation = {
  nowMs: 0,
  workers: 2,
  serving: 2,
  waiting: 0,
  waitMs: 0,
  load: 0.5,
  cpuUse: 0.1,
  cpuPerWorker: 0.1,
  cpuPressure: 0,
  room: Infinity,
  roomReason: "memory has room for 2",
  isCrashLooping: false,
  isConcurrent: false,
};
const busy = { waiting: 5, waitMs: 300, load: 2 };
const settings = { least: 1, most: 8, growWaitMs: 100, shrinkAfterMs: 10_000 };

/** Observes the same thing for a while; the steps that came of it. */
function watch(policy: ElasticPolicy, forMs: number, seen: Partial<Observation>): Step[] {
  const steps: Step[] = [];
  for (let nowMs = 0; nowMs < forMs; nowMs += EVERY_MS) {
    const step = policy.observe({ ...calm, ...seen, nowMs });
    if (step !== null) steps.push(step);
  }
  return steps;
}

suite("the elastic policy", () => {
  test("one burst is no reason to grow, a second of waiting is", () => {
    assert.deepEqual(watch(new ElasticPolicy(settings), 3 * EVERY_MS, busy), []);
    const [step] = watch(new ElasticPolicy(settings), 1250, busy);
    assert.deepEqual(step, {
      type: "scale",
      workers: 3,
      reason: "requests waited up to 300 ms for a worker, 5 wait",
    });
  });

  for (const [name, seen, told] of [
    ["the CPUs are full", { cpuUse: 0.95 }, /95 % of the CPUs are in use/],
    ["CPUs are pressed and the workers compute", { cpuPressure: 0.7, cpuPerWorker: 0.6 }, /70 % of the time/],
    ["the memory is full", { room: 2 }, /memory has room for 2/],
    ["it has the most", { workers: 8, serving: 8 }, /8 is the most/],
    ["workers keep dying", { isCrashLooping: true }, /keep dying/],
  ] as const) {
    test(`does not grow where ${name}, and says so once`, () => {
      const steps = watch(new ElasticPolicy(settings), 20_000, { ...busy, ...seen });
      assert.deepEqual(
        steps.map(({ type }) => type),
        ["held"],
      );
      assert.match(steps[0]!.reason, told);
    });
  }

  test("somebody else's pressure does not hold back workers that wait for a database", () => {
    const [step] = watch(new ElasticPolicy(settings), 2000, { ...busy, cpuPressure: 0.9, cpuPerWorker: 0.05 });
    assert.equal(step?.type, "scale");
  });

  test("an event loop that is full grows without a queue", () => {
    const [step] = watch(new ElasticPolicy(settings), 2000, { isConcurrent: true, cpuPerWorker: 0.95, cpuUse: 0.5 });
    assert.deepEqual(step, { type: "scale", workers: 3, reason: "each worker uses 95 % of a CPU" });
  });

  test("does nothing while workers boot, or while it is paused", () => {
    assert.deepEqual(watch(new ElasticPolicy(settings), 30_000, { ...busy, serving: 1 }), []);
    assert.deepEqual(watch(new ElasticPolicy(settings), 30_000, { ...busy, workers: 0, serving: 0 }), []);
  });

  test("workers that have outgrown the memory leave, down to the least", () => {
    const steps = watch(new ElasticPolicy(settings), 12_000, { workers: 5, serving: 5, load: 5, room: 3 });
    assert.deepEqual(
      steps.map((step) => step.type === "scale" && step.workers),
      [3],
    );
    assert.deepEqual(
      watch(new ElasticPolicy({ ...settings, least: 5 }), 12_000, { workers: 5, serving: 5, load: 5, room: 3 }),
      [],
    );
  });

  test("shrinks after a while of too little work, never below the least", () => {
    const idle = { workers: 5, serving: 5, load: 0.1 };
    const [step] = watch(new ElasticPolicy(settings), 10_500, idle);
    assert.equal(step?.type === "scale" && step.workers, 3);
    assert.deepEqual(watch(new ElasticPolicy({ ...settings, least: 5 }), 60_000, idle), []);
  });
});

interface Simulated {
  /** Workers once a second. */
  readonly workers: number[];
  readonly steps: Step[];
  /** Longest wait of a request that arrived within the last tenth of the time. */
  readonly lateWaitMs: number;
}

/** One queue, workers that serve one request each, boots that take a second; arrivals and services in steps of 5 ms of invented time. */
function simulate(
  policy: ElasticPolicy,
  forMs: number,
  perSecond: (nowMs: number) => number,
  serviceMs: number,
  start: number,
): Simulated {
  const STEP_MS = 5;
  const BOOT_MS = 1000;
  const steps: Step[] = [];
  const workers: number[] = [];
  const queue: number[] = [];
  /** Per worker the time at which it is free. */
  let free = Array.from({ length: start }, () => 0);
  let wanted = start;
  let random = 12_345;
  let peakWait = 0;
  let lateWaitMs = 0;
  for (let now = 0; now < forMs; now += STEP_MS) {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    if (random / 2_147_483_648 < (perSecond(now) * STEP_MS) / 1000) queue.push(now);
    for (let i = 0; i < free.length && queue.length > 0; i++) {
      if (free[i]! > now) continue;
      const wait = now - queue.shift()!;
      peakWait = Math.max(peakWait, wait);
      if (now > forMs * 0.9) lateWaitMs = Math.max(lateWaitMs, wait);
      free[i] = now + serviceMs;
    }
    if (now % 1000 === 0) workers.push(wanted);
    if (now % EVERY_MS !== 0) continue;
    const oldest = queue.length > 0 ? now - queue[0]! : 0;
    const step = policy.observe({
      ...calm,
      nowMs: now,
      workers: wanted,
      serving: free.filter((at) => at !== Infinity && at <= now + serviceMs).length,
      waiting: queue.length,
      waitMs: Math.max(peakWait, oldest),
      load: free.filter((at) => at > now && at <= now + serviceMs).length,
    });
    peakWait = 0;
    if (step === null) continue;
    steps.push(step);
    if (step.type !== "scale") continue;
    for (; wanted < step.workers; wanted++) free.push(now + BOOT_MS + serviceMs);
    wanted = step.workers;
    free = free.slice(free.length - wanted);
  }
  return { workers, steps, lateWaitMs };
}

suite("a simulated server", () => {
  test("grows to what the work needs, and stays there", () => {
    // 30 requests a second of 200 ms keep 6 workers at work.
    const { workers, lateWaitMs, steps } = simulate(
      new ElasticPolicy({ ...settings, most: 20 }),
      300_000,
      () => 30,
      200,
      1,
    );
    const after = workers.slice(60);
    assert.ok(Math.min(...after) >= 7 && Math.max(...after) <= 14, workers.join(" "));
    assert.ok(lateWaitMs < 500, `${lateWaitMs}`);
    assert.ok(steps.length < 15, `${steps.length} steps are flapping`);
  });

  test("follows a day: quiet, a rush, quiet again", () => {
    const rush = (nowMs: number): number => (nowMs > 60_000 && nowMs < 180_000 ? 40 : 2);
    const { workers } = simulate(new ElasticPolicy({ ...settings, most: 20 }), 400_000, rush, 200, 1);
    assert.ok(workers[59]! <= 3, workers.join(" "));
    assert.ok(workers[120]! >= 8, workers.join(" "));
    assert.ok(workers.at(-1)! <= 3, workers.join(" "));
  });

  test("a rush that comes every 15 s does not make it grow and shrink each time", () => {
    const waves = (nowMs: number): number => (nowMs % 15_000 < 2500 ? 40 : 1);
    const { steps } = simulate(new ElasticPolicy({ ...settings, most: 20 }), 600_000, waves, 200, 1);
    assert.ok(steps.length < 40, `${steps.length} steps in 40 waves`);
  });
});
