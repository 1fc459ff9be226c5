/** Warnings that clients can cause as often as they like: at most one a second is logged, with the number of those before it that were not. */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";

const EVERY_MS = 1000;

export class Complaints {
  readonly #clock: Clock;
  readonly #log: Log;
  #toldAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  tell(line: string): void {
    const now = this.#clock.now();
    if (now - this.#toldAt < EVERY_MS) {
      this.#untold++;
      return;
    }
    this.#log.warning(this.#untold === 0 ? line : `${line} (and ${this.#untold} more that were not logged)`);
    this.#toldAt = now;
    this.#untold = 0;
  }
}
