/** Something that may happen thousands of times a second, told at most once a second, with how often it was. */
import type { Clock, Timer } from "../clock.ts";

const TELL_EVERY_MS = 1000;

export class ToldOften<D> {
  readonly #clock: Clock;
  readonly #tell: (count: number, last: D) => void;
  #count = 0;
  #last: D | null = null;
  #quiet: Timer | null = null;

  constructor(clock: Clock, tell: (count: number, last: D) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** `detail` of the last one is told. */
  happened(detail: D): void {
    this.#count++;
    this.#last = detail;
    if (this.#quiet === null) this.#tellNow();
  }

  // Private

  #tellNow(): void {
    this.#quiet = null;
    if (this.#count === 0) return;
    const last = this.#last as D;
    const count = this.#count;
    this.#count = 0;
    this.#last = null;
    this.#quiet = this.#clock.after(TELL_EVERY_MS, () => this.#tellNow());
    this.#tell(count, last);
  }
}
