/**
 * When does a queue wait in vain? Pure: counts and times in, a verdict out (docs/decisions/0014).
 *
 *     punctual ──oldest waits too long, and more come than are served──▶ late ──queue empty──▶ punctual
 *
 * A queue that is only long (a burst, a worker that was stuck for a while) shrinks by itself and is left alone, first in, first out. One that
 * is late *and grows* would make everybody wait for as long as clients are patient: from then on the newest go first, and those that have waited
 * too long are refused, until the queue has been empty once.
 */

/** The queue's growth is measured over windows of this length, or half the patience where that is longer. */
export const WINDOW_MS = 250;
/** So many in a row must show growth: in the first one a worker that was stuck may just have come back. */
const GROWING_WINDOWS = 2;
/** Too long is also measured in service times: who takes 2 s may wait 10. */
export const PATIENCE_FACTOR = 5;
/**
 * More must have come than were served by this share and this number: clients that wait for one answer before they ask again do not overload. And more
 * work by this share: while a burst of long requests is served, short ones come faster than long ones go, and all of them will be served soon.
 */
const EXCESS_SHARE = 0.05;
const EXCESS = 3;

export class Overload {
  /** Serve the newest first, and refuse those that have waited too long. */
  isLate = false;
  /** Clock time at which it became late. */
  lateSince = 0;
  /** Refused since then, as the caller counts. */
  refused = 0;
  /** In this window. */
  #came = 0;
  #served = 0;
  /** The time that those of this window take, as far as their routes are known. */
  #cameMs = 0;
  #servedMs = 0;
  /** Where this window began, negative where nobody waits. */
  #windowAt = -1;
  #growing = 0;

  /** One more waits, which will take so long. */
  came(workMs: number): void {
    this.#came++;
    this.#cameMs += workMs;
  }

  /** One of those that waited goes to a seat. */
  served(workMs: number): void {
    this.#served++;
    this.#servedMs += workMs;
  }

  /**
   * Looks at the queue; call it every few milliseconds while somebody waits, and once when nobody does. Returns what has changed.
   * @param oldestMs how long the oldest has waited, negative where nobody waits.
   * @param patienceMs how long may one wait; Infinity = any time.
   */
  look(nowMs: number, oldestMs: number, patienceMs: number): "late" | "punctual" | null {
    if (oldestMs < 0) {
      this.#windowAt = -1;
      this.#growing = 0;
      if (!this.isLate) return null;
      this.isLate = false;
      return "punctual";
    }
    if (this.#windowAt < 0) this.#begin(nowMs);
    else if (nowMs - this.#windowAt >= Math.max(WINDOW_MS, patienceMs / 2)) {
      this.#growing = this.#grew ? this.#growing + 1 : 0;
      this.#begin(nowMs);
    }
    if (this.isLate || oldestMs <= patienceMs || this.#growing < GROWING_WINDOWS) return null;
    this.isLate = true;
    this.lateSince = nowMs;
    this.refused = 0;
    return "late";
  }

  /** Nothing served at all is a stuck worker: its end comes, and then the queue moves again. */
  get #grew(): boolean {
    const excess = this.#came - this.#served;
    const excessMs = this.#cameMs - this.#servedMs;
    return (
      this.#served > 0 &&
      excess > Math.max(EXCESS, EXCESS_SHARE * this.#served) &&
      excessMs >= EXCESS_SHARE * this.#servedMs
    );
  }

  #begin(nowMs: number): void {
    this.#windowAt = nowMs;
    this.#came = this.#served = this.#cameMs = this.#servedMs = 0;
  }
}
