/** Warnings that clients can cause as often as they like: of each kind at most one a second is logged, with the number of those before it that were not. */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";

const EVERY_MS = 1000;

export class Complaints {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kinds = new Map<string, { toldAt: number; untold: number }>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param outcome what became of the response, one of a few texts; it is also the kind. */
  tell(line: string, outcome: string): void {
    const now = this.#clock.now();
    const kind = this.#kinds.get(outcome);
    if (kind !== undefined && now - kind.toldAt < EVERY_MS) {
      kind.untold++;
      return;
    }
    const untold = kind?.untold ?? 0;
    this.#log.warning(`${line} (${outcome}${untold === 0 ? "" : `; and ${untold} more that were not logged`})`);
    this.#kinds.set(outcome, { toldAt: now, untold: 0 });
  }
}
