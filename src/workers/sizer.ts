/**
 * Keeps the number of one pool's workers right: observes, asks the policy (sizing.ts), tells the supervisor. `auto` looks twice, when the first worker
 * is ready and when the workers have served; elastic looks four times a second for as long as the server lives.
 */
import type { Clock, Timer } from "../clock.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { PoolPlan } from "../config/plan.ts";
import type { Log } from "../telemetry/log.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { describeRoom, ElasticPolicy, fitMemory, type MemoryFigures, memoryRoom, type Observation } from "./sizing.ts";
import type { Supervisor } from "./supervisor.ts";

/** How many workers were asked for, and why. */
export type SizingPlan = Pick<PoolPlan, "workers" | "workersReason" | "sizing" | "withoutGil">;

export interface SizerHouse {
  readonly supervisor: Supervisor;
  readonly dispatcher: Dispatcher;
  readonly budget: MemoryBudget;
  readonly clock: Clock;
  readonly log: Log;
  /** CPUs we may use. */
  readonly cpus: number;
}

const OBSERVE_EVERY_MS = 250;
/** PSS costs the kernel a walk through the pages of a process. */
const WEIGH_EVERY_MS = 10_000;
/** The second look of `auto`: so many requests per worker, or so late. */
const SETTLED_REQUESTS = 20;
const SETTLED_AFTER_MS = 30_000;
const SETTLED_LOOK_MS = 1000;

export class Sizer {
  readonly #plan: SizingPlan;
  readonly #house: SizerHouse;
  #timer: Timer | null = null;
  #weighedAt = -Infinity;
  #readyAt = 0;
  /** What `auto` has chosen. */
  #fitted = 0;

  constructor(plan: SizingPlan, house: SizerHouse) {
    this.#plan = plan;
    this.#house = house;
  }

  /** The first workers are ready. */
  begin(): void {
    const { clock } = this.#house;
    const { sizing } = this.#plan;
    this.#weigh();
    switch (sizing.type) {
      case "fixed":
        return;
      case "auto":
        this.#fit(true);
        return this.#settle();
      case "elastic": {
        const policy = new ElasticPolicy(sizing);
        this.#timer = clock.every(OBSERVE_EVERY_MS, () => this.#observe(policy));
      }
    }
  }

  /** A new generation serves: its code may need another amount of memory. */
  reloaded(): void {
    if (this.#plan.sizing.type === "auto") this.#settle();
    else this.#weigh();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  // Private

  #settle(): void {
    const { clock } = this.#house;
    this.stop();
    this.#readyAt = clock.now();
    this.#timer = clock.every(SETTLED_LOOK_MS, () => this.#lookAgain());
  }

  #lookAgain(): void {
    const { supervisor, clock } = this.#house;
    let served = 0;
    let count = 0;
    for (const { seats } of supervisor.workers) {
      count++;
      for (const seat of seats) served += seat.given;
    }
    if (served < SETTLED_REQUESTS * count && clock.now() - this.#readyAt < SETTLED_AFTER_MS) return;
    this.stop();
    this.#weigh();
    this.#fit(false);
  }

  #fit(isFresh: boolean): void {
    const { supervisor, log } = this.#house;
    // Whoever scaled by hand meanwhile knows better.
    if (!isFresh && supervisor.wanted !== this.#fitted) return;
    const figures = this.#figures();
    const most = supervisor.isFreeThreaded ? this.#plan.withoutGil.workers : this.#plan.workers;
    const workers = fitMemory(most, figures, isFresh);
    const why = `${this.#plan.workersReason}; ${describeRoom(figures, isFresh)}`;
    this.#fitted = workers;
    if (workers === supervisor.wanted) {
      if (isFresh) log.info(`Staying with ${countOf(workers)}: ${why}`);
    } else supervisor.scale(workers, why);
    this.#announce();
  }

  #observe(policy: ElasticPolicy): void {
    const { supervisor, log, clock } = this.#house;
    const now = clock.now();
    if (now - this.#weighedAt >= WEIGH_EVERY_MS) this.#weigh();
    const step = policy.observe(this.#observation(now));
    if (step === null) return;
    if (step.type === "held") log.warning(`Staying with ${countOf(supervisor.wanted)}: ${step.reason}`);
    else {
      supervisor.scale(step.workers, step.reason);
      this.#announce();
    }
  }

  #observation(nowMs: number): Observation {
    const { supervisor, dispatcher, budget, cpus } = this.#house;
    let serving = 0;
    let load = 0;
    let cpuUse = 0;
    let isConcurrent = false;
    for (const { state, seats, vitals } of supervisor.workers) {
      if (state !== "serving") continue;
      serving++;
      const share = vitals?.cpuShare ?? 0;
      cpuUse += share;
      let atWork = 0;
      for (const seat of seats) {
        if (seat.concurrent) isConcurrent = true;
        atWork += seat.concurrent ? Math.max(share, seat.inFlight / seat.capacity) : seat.inFlight > 0 ? 1 : 0;
      }
      load += atWork / Math.max(1, seats.length);
    }
    const figures = this.#figures();
    return {
      nowMs,
      workers: supervisor.wanted,
      serving,
      waiting: dispatcher.waiting,
      waitMs: dispatcher.takeLongestWait(),
      load,
      cpuUse: budget.cpuUse(nowMs, cpus),
      cpuPerWorker: serving === 0 ? null : cpuUse / serving,
      cpuPressure: budget.cpuPressure(nowMs),
      room: memoryRoom(figures),
      roomReason: describeRoom(figures),
      isCrashLooping: supervisor.isCrashLooping,
      isConcurrent,
    };
  }

  #figures(): MemoryFigures {
    return this.#house.budget.figures(this);
  }

  /** The largest worker's memory. */
  #weigh(): void {
    const { supervisor, clock, budget } = this.#house;
    this.#weighedAt = clock.now();
    budget.weigh(this, supervisor);
  }

  /** Other pools are to leave this much. */
  #announce(): void {
    this.#house.budget.claim(this, this.#house.supervisor.wanted);
  }
}

function countOf(workers: number): string {
  return `${workers} worker${workers === 1 ? "" : "s"}`;
}
