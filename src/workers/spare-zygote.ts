/**
 * For development: a Python that has been started ahead of the next restart and has imported what the app needs of the standard library, but nothing
 * of the app or its packages. A restart then costs the app's own imports and no more.
 */
import type { Zygote, ZygoteHandler } from "./zygote.ts";

/** A spare one has no workers and loads no app: it only says hello, to which whoever takes it listens. */
const NOBODY: ZygoteHandler = {
  onHello: () => {},
  onLoaded: () => {},
  onFailed: () => {},
  onForked: () => {},
  onExit: () => {},
  onGone: () => {},
};

export class SpareZygote {
  readonly #spawn: (handler: ZygoteHandler) => Zygote;
  #spare: Zygote | null = null;

  constructor(spawn: (handler: ZygoteHandler) => Zygote) {
    this.#spawn = spawn;
  }

  /** Starts one where there is none. */
  prepare(warm: readonly string[]): void {
    if (this.#spare !== null && !this.#spare.isGone) return;
    this.#spare = this.#spawn(NOBODY);
    this.#spare.warm(warm);
  }

  /** Gives it away; null where there is none. */
  take(handler: ZygoteHandler): Zygote | null {
    const spare = this.#spare;
    this.#spare = null;
    if (spare === null || spare.isGone) return null;
    spare.handOver(handler);
    return spare;
  }

  /** Ends it. */
  discard(): void {
    this.#spare?.close();
    this.#spare = null;
  }
}
