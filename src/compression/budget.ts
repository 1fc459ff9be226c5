/**
 * What compression may cost, over all responses: time of the event loop, threads of the pool (files are read there too), and compressors that are
 * open at the same time. Who gets nothing of it sends his response as it is. Pure: the time comes in.
 */
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";

/** Of the event loop's time, the part that compression may take, and how much of that may be saved up. */
const LOOP_SHARE = 0.6;
const MOST_SAVED_MS = 50;
/** Of libuv's four threads. */
const MOST_AT_WORK = 2;
/** Whole bodies and pieces that may wait for a thread. */
const MOST_WAITING = 64;
/** Each holds about a megabyte. */
const MOST_STREAMS = 64;
const TELL_EVERY_MS = 10_000;

export class CompressionBudget {
  readonly #clock: Clock;
  readonly #log: Log;
  #savedMs = MOST_SAVED_MS;
  #savedAt: number;
  #atWork = 0;
  readonly #waiting: (() => void)[] = [];
  #streams = 0;
  #refused = 0;
  #toldAt = -Infinity;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#savedAt = clock.now();
  }

  /** Compresses on the event loop, where there is time for it; null: there is none. */
  here<T>(compress: () => T): T | null {
    const from = this.#clock.now();
    this.#savedMs = Math.min(MOST_SAVED_MS, this.#savedMs + (from - this.#savedAt) * LOOP_SHARE);
    this.#savedAt = from;
    if (this.#savedMs <= 0) return null;
    const result = compress();
    this.#savedMs -= this.#clock.now() - from;
    return result;
  }

  /** So many wait for a thread that one more whole body had better not. */
  get isCrowded(): boolean {
    return this.#waiting.length >= MOST_WAITING;
  }

  /** Calls `work` when a thread is free; it calls `threadFree` when it is done. */
  onThread(work: () => void): void {
    if (this.#atWork >= MOST_AT_WORK) {
      this.#waiting.push(work);
      return;
    }
    this.#atWork++;
    work();
  }

  threadFree(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#atWork--;
    else next();
  }

  /** Room for one more stream. Who gets it calls `closeStream` once. */
  openStream(): boolean {
    if (this.#streams >= MOST_STREAMS || this.isCrowded) return false;
    this.#streams++;
    return true;
  }

  closeStream(): void {
    this.#streams--;
  }

  /** A response that would have been compressed was not. */
  refused(): void {
    this.#refused++;
    const now = this.#clock.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    const count = this.#refused;
    this.#refused = 0;
    this.#log.warning(
      `Sent ${count} response${count === 1 ? "" : "s"} uncompressed: ${this.#streams} are being compressed, ${this.#waiting.length} wait for it`,
    );
  }
}
