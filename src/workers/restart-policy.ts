/**
 * When a worker that died is replaced: at once the first times, then ever later while workers keep dying young, and a crash loop is told once.
 * Pure: the caller brings the time.
 */

/** A worker that lived this long had started well; its death begins a new count. */
export const HEALTHY_AFTER_MS = 10_000;
const FREE_RESTARTS = 2;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;
/** After a worker that had served: what kills workers at work comes from outside or from single requests, and the others must not run out. */
const LONGEST_DELAY_SERVING_MS = 1000;
/** So many deaths in a row are a crash loop. */
export const LOOP_AFTER = 5;

export interface Restart {
  readonly delayMs: number;
  /** Deaths in a row, this one included. */
  readonly deaths: number;
  /** True exactly once per crash loop: the moment to say so. */
  readonly isLoopBegun: boolean;
}

export class RestartPolicy {
  #deaths = 0;

  /** So many died in a row that starting another is hardly the answer. */
  get isLooping(): boolean {
    return this.#deaths >= LOOP_AFTER;
  }

  /** A worker died `livedMs` after it became ready (0 when it never did). */
  died(livedMs: number): Restart {
    this.#deaths = livedMs >= HEALTHY_AFTER_MS ? 1 : this.#deaths + 1;
    const delayMs =
      this.#deaths <= FREE_RESTARTS
        ? 0
        : Math.min(
            livedMs > 0 ? LONGEST_DELAY_SERVING_MS : LONGEST_DELAY_MS,
            FIRST_DELAY_MS * 2 ** (this.#deaths - FREE_RESTARTS - 1),
          );
    return { delayMs, deaths: this.#deaths, isLoopBegun: this.#deaths === LOOP_AFTER };
  }
}
