/**
 * Workers that have served, lived or grown enough are replaced, one at a time: the replacement is ready before the old one goes. While it boots, the old
 * one goes on, beyond its limit: a limit is the moment to begin, since stopping at it would make requests wait for a boot.
 */
import type { EndReason } from "./lifecycle.ts";
import type { Worker } from "./worker.ts";

export interface RecyclingSettings {
  /** 0 = never, as all of these. */
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
  readonly maxWorkerAgeMs: number;
  readonly maxWorkerMemoryBytes: number;
}

/** A worker whose share was within the limit although its resident size is not (`--preload`) is asked again after this: asking costs CPU time. */
const SHARE_EVERY_MS = 10_000;

/** A replacement that could not start is not tried again at once. */
const RETRY_AFTER_MS = 10_000;

export class Recycling {
  readonly #settings: RecyclingSettings;
  readonly #fork: () => Worker;
  readonly #drain: (worker: Worker, reason: EndReason) => void;
  readonly #shareOf: (pid: number) => Promise<number | null>;
  /** Workers whose share of the memory is not asked for before this clock time. */
  readonly #shareFrom = new WeakMap<Worker, number>();
  #pending: { readonly old: Worker; readonly replacement: Worker; readonly reason: EndReason } | null = null;
  #notBefore = 0;

  /** `shareOf` is a process's PSS, null where that is not known. */
  constructor(
    settings: RecyclingSettings,
    fork: () => Worker,
    drain: (worker: Worker, reason: EndReason) => void,
    shareOf: (pid: number) => Promise<number | null>,
  ) {
    this.#settings = settings;
    this.#fork = fork;
    this.#drain = drain;
    this.#shareOf = shareOf;
  }

  get countsRequests(): boolean {
    return this.#settings.maxRequests > 0;
  }

  /** A worker is ready. `random` is in [0, 1). */
  ready(worker: Worker, random: number): void {
    const { maxRequests, maxRequestsJitter } = this.#settings;
    worker.mostRequests = maxRequests === 0 ? 0 : maxRequests + Math.floor(random * (maxRequestsJitter + 1));
    if (this.#pending?.replacement !== worker) return;
    const { old, reason } = this.#pending;
    this.#pending = null;
    this.#drain(old, reason.type === "max-requests" ? { type: "max-requests", requests: old.served } : reason);
  }

  /** A worker that serves has finished one more request. */
  served(worker: Worker, now: number): void {
    worker.served++;
    if (worker.served >= worker.mostRequests)
      this.#begin(worker, { type: "max-requests", requests: worker.served }, now);
  }

  /** Its vitals were taken. */
  look(worker: Worker, now: number): void {
    const { maxWorkerAgeMs, maxWorkerMemoryBytes } = this.#settings;
    const ageMs = now - worker.readyAt;
    const residentBytes = worker.vitals?.rssBytes ?? 0;
    if (maxWorkerAgeMs > 0 && ageMs > maxWorkerAgeMs) this.#begin(worker, { type: "max-age", ageMs }, now);
    else if (maxWorkerMemoryBytes > 0 && residentBytes > maxWorkerMemoryBytes)
      void this.#weigh(worker, residentBytes, now);
  }

  /** A worker has ended. True where its replacement is under way already. */
  ended(worker: Worker, now: number): boolean {
    const pending = this.#pending;
    if (pending === null || (pending.old !== worker && pending.replacement !== worker)) return false;
    this.#pending = null;
    // The replacement died: the old one goes on serving.
    if (pending.old !== worker) this.#notBefore = now + RETRY_AFTER_MS;
    return pending.old === worker;
  }

  /** What is resident is more than the limit. What others have too is not this worker's doing: its share decides. */
  async #weigh(worker: Worker, residentBytes: number, now: number): Promise<void> {
    const { maxWorkerMemoryBytes: limitBytes } = this.#settings;
    if (now < (this.#shareFrom.get(worker) ?? 0)) return;
    this.#shareFrom.set(worker, Number.POSITIVE_INFINITY); // until there is an answer
    const bytes = (await this.#shareOf(worker.pid)) ?? residentBytes;
    const isWithin = bytes <= limitBytes;
    this.#shareFrom.set(worker, isWithin ? now + SHARE_EVERY_MS : 0);
    if (!isWithin) this.#begin(worker, { type: "max-memory", bytes, limitBytes }, now);
  }

  #begin(worker: Worker, reason: EndReason, now: number): void {
    if (this.#pending !== null || worker.state !== "serving" || now < this.#notBefore) return;
    this.#pending = { old: worker, replacement: this.#fork(), reason };
  }
}
