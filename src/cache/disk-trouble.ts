/**
 * A disk that does not do what it should: told once when it begins and once when it is over, at most every minute, and not tried again at once. Pure.
 */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";

/** For so long nothing is written after it could not be. */
export const REST_MS = 3000;
const COMPLAIN_MS = 60_000;

export class DiskTrouble {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The last thing that was tried to be written could not be. */
  isThere = false;
  #restsUntil = -Infinity;
  #isTold = false;
  #toldAt = -Infinity;
  #unreadableAt = -Infinity;
  #leftAt = -Infinity;
  #hasGivenWay = false;

  constructor(folder: string, clock: Clock, log: Log) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
  }

  /** Nothing is to be written now. */
  get isResting(): boolean {
    return this.isThere && this.#clock.now() < this.#restsUntil;
  }

  /** It cannot be written. */
  begin({ message }: Error): void {
    const now = this.#clock.now();
    this.#restsUntil = now + REST_MS;
    if (!this.isThere && now - this.#toldAt >= COMPLAIN_MS) {
      this.#isTold = true;
      this.#toldAt = now;
      this.#log.warning(
        `Cache: cannot write to ${this.#folder} (--cache-disk), responses are kept in memory alone until that works again: ${message}`,
      );
    }
    this.isThere = true;
  }

  /** Something was written. */
  end(): void {
    if (this.isThere && this.#isTold) this.#log.info(`Cache: ${this.#folder} can be written again (--cache-disk)`);
    this.isThere = this.#isTold = false;
  }

  /** The disk is smaller than what it may hold. */
  gaveWay(bytes: number): void {
    if (this.#hasGivenWay) return;
    this.#hasGivenWay = true;
    this.#log.warning(
      `Cache: the disk of ${this.#folder} is full with ${bytes} bytes of responses there, fewer than --cache-disk-size: from now on the least used give way`,
    );
  }

  unreadable({ message }: Error): void {
    const now = this.#clock.now();
    if (now - this.#unreadableAt < COMPLAIN_MS) return;
    this.#unreadableAt = now;
    this.#log.warning(`Cache: cannot read a file in ${this.#folder} (--cache-disk): ${message}`);
  }

  /** What is purged stays there. */
  left({ message }: Error): void {
    const now = this.#clock.now();
    if (now - this.#leftAt < COMPLAIN_MS) return;
    this.#leftAt = now;
    this.#log.warning(
      `Cache: cannot remove a file in ${this.#folder} (--cache-disk), which is tried again later; a restart before that would find what was purged: ${message}`,
    );
  }
}
