import assert from "node:assert/strict";
import { test } from "node:test";
import { frame, FromWorker } from "../wire/frames.ts";
import { Link } from "./fake-link.test.ts";
import { TimeLimits, type TimeLimitSettings } from "./time-limits.ts";
import { Worker, type WorkerOwner } from "./worker.ts";

/** One worker with fake seats that share a clock, and what the limits did to it. */
class House {
  readonly links: readonly Link[];
  readonly did: string[] = [];
  readonly lines: string[] = [];
  readonly limits: TimeLimits;
  readonly worker: Worker;
  stacks: (text: string) => void = () => {};

  constructor(seats: number, settings: Partial<TimeLimitSettings> = {}, concurrent = false) {
    const first = new Link({ concurrent });
    this.links = [first, ...Array.from({ length: seats - 1 }, () => new Link({ concurrent }))];
    this.worker = new Worker(1, {} as WorkerOwner, first.clock);
    this.worker.pid = 7;
    this.worker.state = "serving";
    this.worker.seats = this.links.map(({ seat }) => seat);
    const tell = (level: string) => (line: string) => this.lines.push(`${level} ${line}`);
    const log = {
      debug: tell("debug"),
      info: tell("info"),
      warning: tell("warning"),
      error: tell("error"),
      critical: tell("critical"),
    };
    const all = { timeoutMs: 1000, gracefulTimeoutMs: 5000, cancelGoneMs: null, ...settings };
    this.limits = new TimeLimits(all, first.clock, log, {
      workers: () => [this.worker],
      giveUp: (_, reason) => this.did.push(`give up: ${reason.type}`),
      stacks: () => new Promise((resolve) => (this.stacks = resolve)),
      kill: (_, signal) => this.did.push(`kill ${signal}`),
    });
  }

  async pass(ms: number): Promise<void> {
    // All links tell the same time; the first one's timers go off.
    for (let passed = 0; passed < ms; passed += 50) {
      for (const { clock } of this.links) clock.advance(50);
      await Promise.resolve();
    }
  }
}

test("a stuck seat alone in its worker: 504, stacks, and only then the kill", async () => {
  const house = new House(1);
  house.links[0]!.give("/a");
  await house.pass(1200);
  assert.deepEqual(house.did, []);
  await house.pass(100);
  assert.deepEqual(house.did, ["give up: timeout"]);
  assert.match(house.links[0]!.sink.events[0]!, /^complete \/a 504/);
  await house.pass(3000);
  assert.deepEqual(house.did, ["give up: timeout"], "nobody is killed before it has said what it does");
  house.stacks("Thread 1\n");
  await house.pass(50);
  assert.deepEqual(house.did, ["give up: timeout", "kill 9"]);
  assert.match(house.lines.at(-1)!, /^critical What worker 1 \(pid 7\) was doing:\nThread 1$/);
  house.limits.stop();
});

test("a neighbour keeps its worker alive until it has its answer", async () => {
  const house = new House(2);
  house.links[0]!.give("/stuck");
  await house.pass(800);
  house.links[1]!.give("/fine");
  await house.pass(500);
  house.stacks("stacks");
  await house.pass(1000);
  assert.deepEqual(house.did, ["give up: timeout"]);
  house.links[1]!.responses("ok0");
  await house.pass(300);
  assert.deepEqual(house.did, ["give up: timeout", "kill 9"]);
  house.limits.stop();
});

test("but not beyond the grace period, and it is told", async () => {
  const house = new House(2, { gracefulTimeoutMs: 2000 });
  house.links[0]!.give("/stuck");
  await house.pass(800);
  house.links[1]!.give("/long");
  await house.pass(500);
  house.stacks("stacks");
  await house.pass(2500);
  assert.deepEqual(house.did, ["give up: timeout", "kill 9"]);
  assert.match(house.lines.at(-1)!, /^error Killed with worker 1 \(pid 7\): GET \/long \(\d+ ms/);
  house.limits.stop();
});

test("more time is given to a request that asks, and not to the next one of its seat", async () => {
  const house = new House(1);
  const link = house.links[0]!;
  link.give("/a");
  link.says(frame(FromWorker.extend, 0, Buffer.from([0xb8, 0x0b, 0, 0])));
  await house.pass(2900);
  assert.deepEqual(house.did, []);
  link.responses("ok0");
  link.give("/b");
  await house.pass(1500);
  assert.deepEqual(house.did, ["give up: timeout"]);
  house.limits.stop();
});

test("EXTEND of nobody, or without a number, is a violation", () => {
  const link = new Link();
  link.says(frame(FromWorker.extend, 3, Buffer.alloc(4)));
  assert.match(link.told[0]!, /^broken: .*request 3, which it does not have/);
  const other = new Link();
  other.give("/a");
  other.says(frame(FromWorker.extend, 0));
  assert.deepEqual(other.told, ["broken: EXTEND without a number"]);
});

test("on a loop that answers its pings only the late request ends", async () => {
  const house = new House(1, {}, true);
  const link = house.links[0]!;
  link.seat.onPong = () => house.limits.alive(link.seat);
  link.give("/late");
  for (let i = 0; i < 6; i++) {
    await house.pass(250);
    link.says(frame(FromWorker.pong, 0));
  }
  assert.deepEqual(house.did, []);
  assert.match(link.sink.events[0]!, /^complete \/late 504/);
  assert.match(house.lines[0]!, /^error GET \/late .* answered 504 and cancelled in worker 1/);
  house.limits.stop();
});

for (const [own, pool, lateAt] of [
  [500, 1000, 750],
  [3000, 1000, 3250],
  [500, 0, 750],
  [0, 1000, null],
] as const) {
  const when = lateAt === null ? "never ends" : `ends after ${lateAt} ms at the latest`;
  const what = `a request with a limit of its own (${own}) in a pool with ${pool} ${when}`;
  test(`${what}, in a thread`, async () => {
    const house = new House(1, { timeoutMs: pool });
    house.links[0]!.give("/a", 1, own);
    if (lateAt === null) await house.pass(20_000);
    else await house.pass(lateAt - 300);
    assert.deepEqual(house.did, []);
    if (lateAt !== null) {
      await house.pass(350);
      assert.deepEqual(house.did, ["give up: timeout"]);
      assert.match(house.lines[0]!, new RegExp(`WORKER TIMEOUT.*\\(its own limit of ${own / 1000} s\\); answered 504`));
    }
    house.limits.stop();
  });

  test(`${what}, on an event loop, alone`, async () => {
    const house = new House(1, { timeoutMs: pool }, true);
    const link = house.links[0]!;
    link.seat.onPong = () => house.limits.alive(link.seat);
    link.give("/a", 1, own);
    const passing = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 50) {
        await house.pass(50);
        link.says(frame(FromWorker.pong, 0));
      }
    };
    if (lateAt === null) await passing(20_000);
    else await passing(lateAt - 300);
    assert.deepEqual([house.did, link.sink.events], [[], []]);
    if (lateAt !== null) {
      await passing(350);
      assert.match(link.sink.events[0]!, /^complete \/a 504/);
      assert.match(house.lines[0]!, new RegExp(`cancelled in worker 1 .*\\(its own limit of ${own / 1000} s\\)`));
      assert.deepEqual(house.did, []);
    }
    house.limits.stop();
  });
}

test("a blocked loop is the pool's business, whatever limits its requests have", async () => {
  const house = new House(1, {}, true);
  house.links[0]!.give("/short", 1, 300);
  house.links[0]!.give("/any", 1, 0);
  await house.pass(600);
  assert.deepEqual(house.did, []);
  assert.deepEqual(house.links[0]!.sink.events.length, 1, "504 for the one with the limit");
  await house.pass(1000);
  assert.deepEqual(house.did, ["give up: timeout"]);
  assert.match(house.lines.at(-1)!, /event loop has been blocked.*\(--timeout 1\)/);
  house.limits.stop();
});

test("a loop that does not answer is blocked, and its worker given up whole", async () => {
  const house = new House(1, {}, true);
  house.links[0]!.give("/block");
  await house.pass(1300);
  assert.deepEqual(house.did, ["give up: timeout"]);
  assert.match(
    house.lines[0]!,
    /event loop has been blocked for \d+ ms, with 1 requests at work, among them GET \/block/,
  );
  house.links[0]!.give("/other");
  house.stacks("stacks");
  await house.pass(50);
  assert.deepEqual(house.did, ["give up: timeout", "kill 9"]);
  house.limits.stop();
});

test("a front that was stopped itself blames nobody for it", async () => {
  const house = new House(1);
  house.links[0]!.give("/a");
  house.links[0]!.clock.time += 60_000;
  await house.pass(900);
  assert.deepEqual(house.did, []);
  await house.pass(600);
  assert.deepEqual(house.did, ["give up: timeout"]);
  house.limits.stop();
});

test("a worker that leaves gets the grace period; one whose server stops is the server's business", async () => {
  for (const [reason, did] of [
    [{ type: "reload" }, ["kill 9"]],
    [{ type: "stopping" }, []],
  ] as const) {
    const house = new House(1, { timeoutMs: 0, gracefulTimeoutMs: 1000 });
    house.links[0]!.give("/a");
    house.worker.drain(reason);
    await house.pass(2000);
    assert.deepEqual(house.did, did);
    house.limits.stop();
  }
});
