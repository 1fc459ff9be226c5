/** Whether a client takes what is written to it, by looking now and then at how much of it still waits here. */
export class StallWatch {
  /** What the client had not taken at the last look, and since when that has not changed. */
  #unsent = 0;
  #since = 0;

  /** True where there has been something to take, and nothing of it was taken for more than `limitMs`. 0 = no limit. */
  isStalled(unsent: number, now: number, limitMs: number): boolean {
    if (unsent !== 0 && unsent === this.#unsent) return limitMs > 0 && now - this.#since > limitMs;
    this.#unsent = unsent;
    this.#since = now;
    return false;
  }
}
