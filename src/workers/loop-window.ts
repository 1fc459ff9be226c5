/**
 * How many requests an event loop may be given before it shows that it has taken them (docs/decisions/0032). Pure: times in, a verdict out.
 *
 * A loop takes whatever comes. Where the app blocks it, requests queue inside the worker: other workers cannot have them, nobody notices that their
 * clients have left, and an overload is not seen. So a PING goes with a request now and then. While its answer is on time there is no bound. Where it is
 * late, the loop gets as many requests from PING to PONG as it can take in TARGET_MS, and the rest waits in the one queue for all. What only awaits
 * takes no time of the loop, however many they are.
 */

/** Requests that have been given may keep the next one waiting for about this long. */
const TARGET_MS = 100;
/** How often a loop is asked that has always been on time. */
const ASK_EVERY_MS = 50;
/** A bound that has grown beyond this is none. */
const MOST_BOUND = 64;

export class LoopWindow {
  /** It may be given one more. */
  isOpen = true;
  #most = Number.POSITIVE_INFINITY;
  /** Since the PING. */
  #given = 0;
  /** Clock time of the PING that is on its way, negative where none is. */
  #askedAt = -1;
  #askFrom = 0;

  /** One more is given, to a loop that has `inFlight` with it. True where a PING must follow it. */
  gave(nowMs: number, inFlight: number): boolean {
    if (this.#askedAt < 0) {
      if (this.#most === Number.POSITIVE_INFINITY && (inFlight < 2 || nowMs < this.#askFrom)) return false;
      this.#askedAt = nowMs;
      this.#given = 1;
      this.isOpen = this.#most > 1;
      return true;
    }
    this.#given++;
    if (this.#given >= this.#most || nowMs - this.#askedAt > TARGET_MS) this.isOpen = false;
    return false;
  }

  /** The PONG. */
  answered(nowMs: number): void {
    if (this.#askedAt < 0) return;
    const lagMs = nowMs - this.#askedAt;
    if (lagMs > TARGET_MS) this.#most = Math.max(1, Math.floor((this.#given * TARGET_MS) / lagMs));
    else if (lagMs < TARGET_MS / 2) this.#most *= 2;
    if (this.#most > MOST_BOUND) this.#most = Number.POSITIVE_INFINITY;
    this.#askedAt = -1;
    this.#askFrom = nowMs + ASK_EVERY_MS;
    this.isOpen = true;
  }
}
