/** Whether a client takes what is written to it, by looking now and then at how that goes on. */
export class StallWatch {
  /** What the mark was at the last look, and since when it has been that; -1: nothing waited. */
  #mark = -1;
  #since = 0;

  /**
   * True where something has been waiting for the client, and nothing of it was taken, for more than `limitMs`; 0 = no limit.
   * @param mark a number that changes, and is not negative, with every byte that the client takes: what is unsent, or what has been sent.
   */
  isStalled(isWaiting: boolean, mark: number, now: number, limitMs: number): boolean {
    if (isWaiting && mark === this.#mark) return limitMs > 0 && now - this.#since > limitMs;
    this.#mark = isWaiting ? mark : -1;
    this.#since = now;
    return false;
  }
}
