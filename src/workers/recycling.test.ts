import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { describeReason } from "./lifecycle.ts";
import { Recycling, type RecyclingSettings } from "./recycling.ts";
import { Worker, type WorkerOwner } from "./worker.ts";

class House {
  readonly clock = new FakeClock();
  readonly forked: Worker[] = [];
  readonly drained: string[] = [];
  readonly recycling: Recycling;

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

test("age and memory count too", () => {
  const house = new House({ maxWorkerAgeMs: 60_000, maxWorkerMemoryBytes: 100 * 1_048_576 });
  const [old, large] = [house.worker(1), house.worker(2)];
  house.clock.advance(60_001);
  house.recycling.look(old, house.clock.now());
  house.ready(house.forked[0]!);
  large.readyAt = house.clock.now();
  large.vitals = { at: 0, rssBytes: 101 * 1_048_576, peakRssBytes: 0, threads: 1, cpuMs: 0, cpuShare: null };
  house.recycling.look(large, house.clock.now());
  house.ready(house.forked[1]!);
  assert.deepEqual(house.drained, [
    "1 served for 60 s (--max-worker-age)",
    "2 grew to 101 MiB (--max-worker-memory 100 MiB)",
  ]);
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
