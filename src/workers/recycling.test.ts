import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { describeReason } from "./lifecycle.ts";
import { Recycling, type RecyclingSettings } from "./recycling.ts";
import type { Vitals } from "./vitals.ts";
import { Worker, type WorkerOwner } from "./worker.ts";

const MIB = 1_048_576;

function vitals(resident: number): Vitals {
  return { at: 0, rssBytes: resident * MIB, peakRssBytes: 0, threads: 1, cpuMs: 0, cpuShare: null };
}

class House {
  readonly clock = new FakeClock();
  readonly forked: Worker[] = [];
  readonly drained: string[] = [];
  readonly recycling: Recycling;
  /** What /proc says of whoever is asked about. */
  share: number | null = null;
  readonly asked: number[] = [];

  constructor(settings: Partial<RecyclingSettings>) {
    const never = { maxRequests: 0, maxRequestsJitter: 0, maxWorkerAgeMs: 0, maxWorkerMemoryBytes: 0 };
    this.recycling = new Recycling(
      { ...never, ...settings },
      () => {
        const worker = this.#make(100 + this.forked.length);
        this.forked.push(worker);
        return worker;
      },
      (worker, reason) => {
        worker.state = "draining";
        this.drained.push(`${worker.number} ${describeReason(reason)}`);
      },
      (pid) => {
        this.asked.push(pid);
        return Promise.resolve(this.share);
      },
    );
  }

  worker(number: number): Worker {
    const worker = this.#make(number);
    this.ready(worker);
    return worker;
  }

  ready(worker: Worker, random = 0): void {
    worker.state = "serving";
    worker.readyAt = this.clock.now();
    this.recycling.ready(worker, random);
  }

  serve(worker: Worker, times: number): void {
    for (let i = 0; i < times; i++) this.recycling.served(worker, this.clock.now());
  }

  #make(number: number): Worker {
    return new Worker(number, {} as WorkerOwner, this.clock);
  }
}

test("at its number of requests a replacement is started, and the old one goes on until that is ready", () => {
  const house = new House({ maxRequests: 10 });
  const worker = house.worker(1);
  house.serve(worker, 9);
  assert.equal(house.forked.length, 0);
  house.serve(worker, 4);
  assert.deepEqual([house.forked.length, house.drained], [1, []]);
  house.ready(house.forked[0]!);
  assert.deepEqual(house.drained, ["1 served 13 requests (--max-requests)"]);
});

test("one at a time: the next begins when the replacement of the first is ready", () => {
  const house = new House({ maxRequests: 10 });
  const [one, two] = [house.worker(1), house.worker(2)];
  house.serve(one, 10);
  house.serve(two, 10);
  assert.equal(house.forked.length, 1);
  house.ready(house.forked[0]!);
  house.serve(two, 1);
  house.ready(house.forked[1]!);
  assert.deepEqual(house.drained, ["1 served 10 requests (--max-requests)", "2 served 11 requests (--max-requests)"]);
});

test("jitter adds at most itself", () => {
  const house = new House({ maxRequests: 10, maxRequestsJitter: 5 });
  const worker = house.worker(1);
  for (const [random, most] of [
    [0, 10],
    [0.5, 13],
    [0.999, 15],
  ] as const) {
    house.ready(worker, random);
    assert.equal(worker.mostRequests, most);
  }
});

test("age and memory count too", async () => {
  const house = new House({ maxWorkerAgeMs: 60_000, maxWorkerMemoryBytes: 100 * 1_048_576 });
  const [old, large] = [house.worker(1), house.worker(2)];
  house.clock.advance(60_001);
  house.recycling.look(old, house.clock.now());
  house.ready(house.forked[0]!);
  large.readyAt = house.clock.now();
  large.vitals = vitals(101);
  house.recycling.look(large, house.clock.now());
  await Promise.resolve();
  await Promise.resolve();
  house.ready(house.forked[1]!);
  assert.deepEqual(house.drained, [
    "1 served for 60 s (--max-worker-age)",
    "2 grew to 101 MiB (--max-worker-memory 100 MiB)",
  ]);
});

test("of memory it is the share that counts; it is asked for where the resident size is too much, and not too often", async () => {
  const house = new House({ maxWorkerMemoryBytes: 100 * MIB });
  const worker = house.worker(7);
  const pass = async (resident: number, ms: number): Promise<void> => {
    worker.vitals = vitals(resident);
    for (let passed = 0; passed < ms; passed += 2000) {
      house.clock.advance(2000);
      house.recycling.look(worker, house.clock.now());
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await pass(100, 4000);
  assert.equal(house.asked.length, 0);
  house.share = 60 * MIB;
  await pass(300, 20_000);
  assert.deepEqual([house.asked.length, house.forked.length], [2, 0]);
  house.share = 130 * MIB;
  await pass(400, 10_000);
  assert.equal(house.forked.length, 1);
  house.ready(house.forked[0]!);
  assert.deepEqual(house.drained, ["7 grew to 130 MiB (--max-worker-memory 100 MiB)"]);
});

test("a replacement that dies leaves the old one serving, and is not tried again at once", () => {
  const house = new House({ maxRequests: 1 });
  const worker = house.worker(1);
  house.serve(worker, 1);
  assert.equal(house.recycling.ended(house.forked[0]!, house.clock.now()), false);
  house.serve(worker, 5);
  assert.deepEqual([house.forked.length, house.drained], [1, []]);
  house.clock.advance(10_000);
  house.serve(worker, 1);
  assert.equal(house.forked.length, 2);
});

test("an old one that dies meanwhile has its replacement on the way", () => {
  const house = new House({ maxRequests: 1 });
  const worker = house.worker(1);
  house.serve(worker, 1);
  assert.equal(house.recycling.ended(worker, house.clock.now()), true);
  house.ready(house.forked[0]!);
  assert.deepEqual(house.drained, []);
});
