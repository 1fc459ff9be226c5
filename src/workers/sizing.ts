/**
 * How many workers: the decisions, without clocks, processes or files. The sizer (sizer.ts) observes and carries out.
 *
 * Fixed by memory: as many as the CPUs can use and the memory can hold. Elastic: more when requests wait for a worker although neither the CPUs nor
 * the memory are what is short, fewer when the work of a whole while would have fitted into fewer.
 */
import { formatBytes } from "./format-bytes.ts";

/** Left of the memory to the kernel's caches, spool files and requests larger than those measured. */
const RESERVE = 0.1;
/** A worker that has just started grows with its first requests. */
const FRESH_FACTOR = 1.25;

export interface MemoryFigures {
  /** What all of us may use together; null = unknown. */
  readonly limitBytes: number | null;
  /** For the log: "the cgroup's limit", "what the machine has left". */
  readonly limitName: string;
  /** The front, the zygotes, and the workers of other pools. */
  readonly othersBytes: number;
  /** The largest worker: its share of the memory (PSS); null = not measured. */
  readonly workerBytes: number | null;
}

/** Most workers that the memory can hold, at least 1; Infinity where nothing is known. */
export function memoryRoom({ limitBytes, othersBytes, workerBytes }: MemoryFigures): number {
  if (limitBytes === null || workerBytes === null || workerBytes <= 0) return Infinity;
  return Math.max(1, Math.floor((limitBytes * (1 - RESERVE) - othersBytes) / workerBytes));
}

/** The sentence with the figures behind memoryRoom. */
export function describeRoom(figures: MemoryFigures, isFresh = false): string {
  const { limitBytes, limitName, othersBytes, workerBytes } = figures;
  if (workerBytes === null) return "the memory of a worker cannot be measured here";
  if (limitBytes === null) return "how much memory there is cannot be read here";
  const worker = `a worker has ${formatBytes(workerBytes)}${isFresh ? ` and may grow to ${formatBytes(workerBytes * FRESH_FACTOR)}` : ""}`;
  return `memory has room for ${memoryRoom(weighed(figures, isFresh))}: ${worker}, ${limitName} is ${formatBytes(limitBytes)}, ${formatBytes(othersBytes)} of it for maitred itself and other pools`;
}

/** How many workers may start before the first is measured: all where the memory is plentiful, else one. */
export function startUnmeasured(workers: number, limitBytes: number | null): number {
  // An application with its framework is seldom above this before it has served.
  const PLENTY_BYTES = 512 * 1_048_576;
  return limitBytes === null || (limitBytes * (1 - RESERVE)) / workers >= PLENTY_BYTES ? workers : 1;
}

/** `-w auto`: as many as wanted for the CPUs and held by the memory. `isFresh`: measured before it has served. */
export function fitMemory(wanted: number, figures: MemoryFigures, isFresh: boolean): number {
  return Math.min(wanted, memoryRoom(weighed(figures, isFresh)));
}

function weighed(figures: MemoryFigures, isFresh: boolean): MemoryFigures {
  const { workerBytes } = figures;
  return isFresh && workerBytes !== null ? { ...figures, workerBytes: workerBytes * FRESH_FACTOR } : figures;
}

/** What the elastic policy is told, several times a second. */
export interface Observation {
  readonly nowMs: number;
  /** Workers asked for; 0 = paused. */
  readonly workers: number;
  /** Of them, those that take requests. */
  readonly serving: number;
  /** Requests in the queue. */
  readonly waiting: number;
  /** The longest that one of them has waited for a worker since the observation before. */
  readonly waitMs: number;
  /** Work at this moment, in workers: 1.5 = one worker and half of the seats of another. */
  readonly load: number;
  /** Of our CPUs, the part in use by us (0 to 1); null = unknown. */
  readonly cpuUse: number | null;
  /** The same in CPUs for the average worker. */
  readonly cpuPerWorker: number | null;
  /** Part of the time in which something waited for a CPU (Linux's pressure stall information); null = unknown. */
  readonly cpuPressure: number | null;
  /** Most workers that the memory can hold. */
  readonly room: number;
  /** Tells that room. */
  readonly roomReason: string;
  /** Workers keep dying. */
  readonly isCrashLooping: boolean;
  /** Workers run an event loop: their queue is inside, so their work is what tells. */
  readonly isConcurrent: boolean;
}

export interface ElasticSettings {
  readonly least: number;
  readonly most: number;
  /** A wait this long asks for another worker. */
  readonly growWaitMs: number;
  /** So long must fewer have been enough. */
  readonly shrinkAfterMs: number;
}

export type Step =
  | { readonly type: "scale"; readonly workers: number; readonly reason: string }
  /** More would be wanted; told once for as long as it lasts. */
  | { readonly type: "held"; readonly reason: string };

/** Late observations (minus punctual ones) before a step: one burst is no reason. */
const GROW_SCORE = 3;
/** Fewer must have been enough with this much to spare. */
const SHRINK_LOAD = 0.7;
/** An event loop is full when its process uses this much of a CPU. */
const LOOP_FULL = 0.8;
/** From these on the CPUs are what is short, and another worker would only take its turn. */
const CPU_FULL = 0.9;
const PRESSURE_HIGH = 0.5;
const CPU_BOUND = 0.3;
/** Workers that no longer fit into the memory leave after so long: a sample may catch a large request. */
const OVERWEIGHT_MS = 10_000;
/** Weight of the newest observation of the load. */
const SMOOTHING = 0.125;
/** Growing soon after shrinking makes shrinking this much more patient, up to so often. */
const PATIENCE_GROWTH = 2;
const MOST_PATIENCE = 8;

export class ElasticPolicy {
  readonly #settings: ElasticSettings;
  #score = 0;
  #load = 0;
  #peakLoad = 0;
  #windowFrom = -1;
  #shrunkAt = -Infinity;
  #patience = 1;
  #workers = 0;
  #isHeld = false;
  /** Since when they have not fitted into the memory; -1 = they do. */
  #overweightFrom = -1;

  constructor(settings: ElasticSettings) {
    this.#settings = settings;
  }

  observe(seen: Observation): Step | null {
    this.#load += (seen.load - this.#load) * SMOOTHING;
    // Somebody else scaled, workers boot, or it is the first look: what was seen before says nothing about what is now.
    if (seen.workers !== this.#workers || seen.serving < seen.workers || seen.workers === 0) {
      this.#workers = seen.workers;
      this.#score = 0;
      this.#openWindow(seen.nowMs);
      return null;
    }
    const isLate = seen.waitMs >= this.#settings.growWaitMs || this.#isLoopFull(seen);
    this.#score = Math.min(GROW_SCORE, Math.max(0, this.#score + (isLate ? 1 : -1)));
    this.#peakLoad = Math.max(this.#peakLoad, this.#load);
    if (isLate) this.#openWindow(seen.nowMs);
    if (this.#isOverweight(seen)) return this.#scale(seen, Math.max(this.#settings.least, seen.room), seen.roomReason);
    if (this.#score === GROW_SCORE) return this.#grow(seen);
    if (this.#score === 0) this.#isHeld = false;
    return this.#mayShrink(seen);
  }

  #grow(seen: Observation): Step | null {
    const { most } = this.#settings;
    const { workers, room } = seen;
    const why = this.#isLoopFull(seen)
      ? `each worker uses ${percent(seen.cpuPerWorker ?? 0)} of a CPU`
      : `requests waited up to ${Math.round(seen.waitMs)} ms for a worker, ${seen.waiting} wait`;
    if (seen.isCrashLooping) return this.#hold(`${why}, but workers keep dying`);
    if (workers >= most) return this.#hold(`${why}, and ${most} is the most that --workers allows`);
    const cpu = cpuShortage(seen);
    if (cpu !== null) return this.#hold(`${why}, but more workers would not help: ${cpu}`);
    if (workers >= room) return this.#hold(`${why}, but ${seen.roomReason}`);
    const step = Math.max(1, Math.min(Math.ceil(workers / 2), seen.waiting));
    const next = Math.min(most, room, workers + step);
    if (seen.nowMs - this.#shrunkAt < this.#settings.shrinkAfterMs * this.#patience)
      this.#patience = Math.min(MOST_PATIENCE, this.#patience * PATIENCE_GROWTH);
    return this.#scale(seen, next, why);
  }

  #mayShrink(seen: Observation): Step | null {
    const { least, shrinkAfterMs } = this.#settings;
    const { workers, nowMs } = seen;
    const patienceMs = shrinkAfterMs * this.#patience;
    if (nowMs - this.#windowFrom < patienceMs) return null;
    const peak = this.#peakLoad;
    const enough = Math.max(least, Math.ceil(peak / SHRINK_LOAD), 1);
    if (enough >= workers) {
      // A whole while with the right number: earlier haste is forgiven.
      this.#patience = Math.max(1, this.#patience / PATIENCE_GROWTH);
      this.#openWindow(nowMs);
      return null;
    }
    const next = workers - Math.max(1, Math.floor((workers - enough) / 2));
    this.#shrunkAt = nowMs;
    const why = `for ${seconds(patienceMs)} the work was never more than ${peak.toFixed(1)} workers can do`;
    return this.#scale(seen, next, why);
  }

  #scale(seen: Observation, workers: number, reason: string): Step {
    this.#workers = workers;
    this.#score = 0;
    this.#overweightFrom = -1;
    this.#isHeld = false;
    this.#openWindow(seen.nowMs);
    return { type: "scale", workers, reason };
  }

  #hold(reason: string): Step | null {
    if (this.#isHeld) return null;
    this.#isHeld = true;
    return { type: "held", reason };
  }

  #openWindow(nowMs: number): void {
    this.#windowFrom = nowMs;
    this.#peakLoad = this.#load;
  }

  #isOverweight({ nowMs, workers, room }: Observation): boolean {
    if (workers <= room || workers <= this.#settings.least) this.#overweightFrom = -1;
    else if (this.#overweightFrom < 0) this.#overweightFrom = nowMs;
    return this.#overweightFrom >= 0 && nowMs - this.#overweightFrom >= OVERWEIGHT_MS;
  }

  #isLoopFull({ isConcurrent, cpuPerWorker }: Observation): boolean {
    return isConcurrent && cpuPerWorker !== null && cpuPerWorker >= LOOP_FULL;
  }
}

/** Why another worker would find no CPU; null where it would. */
function cpuShortage({ cpuUse, cpuPerWorker, cpuPressure }: Observation): string | null {
  if (cpuUse !== null && cpuUse >= CPU_FULL) return `${percent(cpuUse)} of the CPUs are in use`;
  // Others may be the ones that press: that matters only to workers that compute, not to those that wait for a database.
  if (cpuPressure !== null && cpuPressure >= PRESSURE_HIGH && (cpuPerWorker ?? 1) >= CPU_BOUND)
    return `something waits for a CPU ${percent(cpuPressure)} of the time`;
  return null;
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
