/** Gathers what is to be written until the end of this turn of the event loop, so that requests which arrive together leave in one write. */

export interface Flushable {
  flush(): void;
}

export class TurnEnd {
  #waiting: Flushable[] = [];
  readonly #run = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.flush();
  };

  /** `one.flush()` is called once at the end of the turn. Call it once per turn and object. */
  add(one: Flushable): void {
    if (this.#waiting.push(one) === 1) setImmediate(this.#run);
  }
}
