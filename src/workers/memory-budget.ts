/** What the pools share: the memory and the CPUs of the machine or container, and how much of the memory each pool's workers hold. */
import { cpuPressure, pssBytes, availableBytes } from "./memory-figures.ts";
import type { MemoryCgroup } from "./memory-cgroup.ts";
import type { MemoryFigures } from "./sizing.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Worker } from "./worker.ts";

interface Claim {
  supervisor: Supervisor;
  workers: number;
  /** The largest worker. */
  workerBytes: number | null;
  zygoteBytes: number;
}

const PRESSURE_EVERY_MS = 1000;
const FRONT_EVERY_MS = 2000;

export class MemoryBudget {
  readonly #cgroup: MemoryCgroup;
  readonly #cgroupRoot: string;
  readonly #claims = new Map<object, Claim>();
  #frontBytes = 0;
  #availableBytes: number | null = null;
  #pressure: number | null = null;
  #pressureAt = -Infinity;
  #front = { ms: 0, at: -Infinity, share: 0 };

  constructor(cgroup: MemoryCgroup, cgroupRoot: string) {
    this.#cgroup = cgroup;
    this.#cgroupRoot = cgroupRoot;
  }

  /** The limit above us before anything runs; null = none known. */
  get limitBytes(): number | null {
    return this.#cgroup.limitBytes ?? availableBytes();
  }

  /** Measures one pool: its zygote and its largest worker, as the resident sizes tell. One, because PSS of a large process takes the kernel milliseconds. */
  weigh(pool: object, supervisor: Supervisor): void {
    let largest: Worker | null = null;
    let workers = 0;
    for (const worker of supervisor.workers) {
      if (worker.state !== "serving") continue;
      workers++;
      if (largest === null || (worker.vitals?.rssBytes ?? 0) > (largest.vitals?.rssBytes ?? 0)) largest = worker;
    }
    const workerBytes = largest === null ? null : pssBytes(largest.pid);
    let zygoteBytes = 0;
    for (const pid of supervisor.zygotes) zygoteBytes += pssBytes(pid) ?? 0;
    this.#claims.set(pool, { supervisor, workers, workerBytes, zygoteBytes });
    this.#frontBytes = process.memoryUsage.rss();
    this.#availableBytes = availableBytes();
  }

  /** A pool has, or will have, so many workers. */
  claim(pool: object, workers: number): void {
    const claim = this.#claims.get(pool);
    if (claim !== undefined) claim.workers = workers;
  }

  figures(pool: object): MemoryFigures {
    let othersBytes = this.#frontBytes;
    let ownBytes = 0;
    for (const [other, { workers, workerBytes, zygoteBytes }] of this.#claims) {
      const bytes = (workerBytes ?? 0) * workers;
      othersBytes += zygoteBytes + (other === pool ? 0 : bytes);
      ownBytes += zygoteBytes + bytes;
    }
    const workerBytes = this.#claims.get(pool)?.workerBytes ?? null;
    const limit = this.#cgroup.limitBytes;
    const available = this.#availableBytes;
    // What the machine has left, and what we have taken from it already.
    const machine = available === null ? null : available + this.#frontBytes + ownBytes;
    if (limit !== null && (machine === null || limit <= machine))
      return { limitBytes: limit, limitName: "the cgroup's limit", othersBytes, workerBytes };
    return { limitBytes: machine, limitName: "what the machine can give us", othersBytes, workerBytes };
  }

  /** Part of our CPUs that the workers of all pools use; null before they were sampled twice. */
  cpuUse(nowMs: number, cpus: number): number | null {
    let used: number | null = null;
    for (const { supervisor } of this.#claims.values()) {
      for (const { vitals } of supervisor.workers) {
        if (vitals !== null && vitals.cpuShare !== null) used = (used ?? 0) + vitals.cpuShare;
      }
    }
    return used === null ? null : Math.min(1, (used + this.#frontShare(nowMs)) / cpus);
  }

  /** CPUs that this process uses. */
  #frontShare(nowMs: number): number {
    const { ms, at } = this.#front;
    if (nowMs - at < FRONT_EVERY_MS) return this.#front.share;
    const { user, system } = process.cpuUsage();
    const used = (user + system) / 1000;
    this.#front = { ms: used, at: nowMs, share: at < 0 ? 0 : (used - ms) / (nowMs - at) };
    return this.#front.share;
  }

  cpuPressure(nowMs: number): number | null {
    if (nowMs - this.#pressureAt >= PRESSURE_EVERY_MS) {
      this.#pressureAt = nowMs;
      this.#pressure = cpuPressure(this.#cgroupRoot);
    }
    return this.#pressure;
  }
}
