import assert from "node:assert/strict";
import { test } from "node:test";
import { LoopWindow } from "./loop-window.ts";

/** An event loop that reads what has come, answers, and then works through it, request by request. */
class Loop {
  readonly window = new LoopWindow();
  now = 1000;
  inFlight = 0;
  done = 0;
  pings = 0;
  readonly #workMs: number;
  /** Given and not read yet: a request, or a PING. */
  #socket: ("request" | "ping")[] = [];
  /** Read, with the work that is left of each. */
  #tasks: number[] = [];

  constructor(workMs: number) {
    this.#workMs = workMs;
  }

  /** Gives as many as it may, up to `count`. Returns how many. */
  give(count: number): number {
    let given = 0;
    for (; given < count && this.window.isOpen; given++) {
      this.inFlight++;
      this.#socket.push("request");
      if (!this.window.gave(this.now, this.inFlight)) continue;
      this.pings++;
      this.#socket.push("ping");
    }
    return given;
  }

  pass(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.now++;
      if (this.#tasks.length === 0) {
        const read = this.#socket.splice(0);
        this.#tasks = read.filter((one) => one === "request").map(() => this.#workMs);
        if (read.includes("ping")) this.window.answered(this.now);
      }
      let budget = 1;
      while (this.#tasks.length > 0 && budget > 0) {
        const part = Math.min(budget, this.#tasks[0]!);
        budget -= part;
        this.#tasks[0]! -= part;
        if (this.#tasks[0]! > 0) continue;
        this.#tasks.shift();
        this.inFlight--;
        this.done++;
      }
    }
  }
}

test("a loop that is fast enough has no bound, and is asked every now and then", () => {
  const loop = new Loop(0.5);
  for (let ms = 0; ms < 2000; ms++) {
    assert.equal(loop.give(1), 1);
    loop.pass(1);
  }
  assert.ok(loop.pings <= 40, `${loop.pings}`);
});

test("requests that come one after the other are not asked about at all", () => {
  const loop = new Loop(5);
  for (let i = 0; i < 100; i++) {
    loop.give(1);
    loop.pass(20);
  }
  assert.equal(loop.pings, 0);
});

test("a loop that is blocked for 20 ms by each request holds few, and is never idle", () => {
  const loop = new Loop(20);
  let most = 0;
  // 150 a second, three times what it can do; whoever is not taken waits outside.
  let waiting = 0;
  for (let ms = 0; ms < 6000; ms++) {
    if (ms % 7 === 0) waiting++;
    waiting -= loop.give(waiting);
    loop.pass(1);
    if (ms > 2000) most = Math.max(most, loop.inFlight);
  }
  assert.ok(most <= 15, `${most} in flight`);
  assert.ok(loop.done >= 290, `${loop.done} of 300 done`);
});

test("a loop that does not answer at all gets no more after a while, and has no bound soon after it does", () => {
  const loop = new Loop(0.1);
  loop.give(2);
  loop.now += 90;
  assert.equal(loop.give(1), 1);
  loop.now += 20;
  assert.equal(loop.give(1), 1, "this one finds out");
  assert.equal(loop.give(1), 0);
  loop.now += 2000;
  loop.pass(1);
  assert.equal(loop.window.isOpen, true);
  for (let ms = 0; ms < 40; ms++) {
    loop.give(3);
    loop.pass(1);
  }
  assert.equal(loop.give(500), 500);
});

test("an answer that nobody has asked for changes nothing", () => {
  const window = new LoopWindow();
  window.answered(5);
  assert.equal(window.isOpen, true);
  assert.equal(window.gave(10, 1), false);
});
