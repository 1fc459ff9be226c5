/** Time that stands still until a test moves it. Lives in a test file, so that nothing in the product can use it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, Timer } from "./clock.ts";

interface Appointment {
  at: number;
  readonly every: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  time = 0;
  /** What `wall` says at time 0: 2026-11-21 01:31:28 UTC. */
  epoch = 1_795_224_688_000;
  readonly #appointments = new Set<Appointment>();

  /** Timers that are set. */
  get timers(): number {
    return this.#appointments.size;
  }

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.epoch + this.time;
  }

  after(ms: number, callback: () => void): Timer {
    return this.#set({ at: this.time + ms, every: 0, callback });
  }

  every(ms: number, callback: () => void): Timer {
    return this.#set({ at: this.time + ms, every: ms, callback });
  }

  /** Moves on by `ms`; timers go off in the order of their time. */
  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      let next: Appointment | null = null;
      for (const one of this.#appointments) if (one.at <= end && (next === null || one.at < next.at)) next = one;
      if (next === null) break;
      this.time = Math.max(this.time, next.at);
      if (next.every > 0) next.at += next.every;
      else this.#appointments.delete(next);
      next.callback();
    }
    this.time = end;
  }

  #set(appointment: Appointment): Timer {
    this.#appointments.add(appointment);
    return { cancel: () => this.#appointments.delete(appointment) };
  }
}

test("a fake clock calls back in the order of time, and not after a cancel", () => {
  const clock = new FakeClock();
  const heard: string[] = [];
  clock.after(20, () => heard.push(`after 20 at ${clock.now()}`));
  const every = clock.every(15, () => heard.push(`every 15 at ${clock.now()}`));
  clock.advance(40);
  every.cancel();
  clock.advance(100);
  assert.deepEqual(heard, ["every 15 at 15", "after 20 at 20", "every 15 at 30"]);
  assert.equal(clock.timers, 0);
});
