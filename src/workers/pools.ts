/**
 * All pools of workers as one: the main one, and those that some paths have for themselves. Each has its queue, its zygote and workers, and its number
 * of workers; they share numbers of workers, the ledger of ends and the memory.
 */
import type { Clock } from "../clock.ts";
import type { Plan, PoolPlan } from "../config/plan.ts";
import { MAIN_POOL } from "../config/pool-spec.ts";
import type { ReloadPlan } from "../config/reload.ts";
import { type Log, prefixed } from "../telemetry/log.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { Pool, type PoolHouse, type SharedContext } from "./pool.ts";
import type { WorkerReport } from "./report.ts";
import type { ReloadOutcome } from "./supervisor.ts";
import type { LoadFailure } from "./zygote.ts";

/** Why a pool could not start. */
export type PoolFailure = LoadFailure & { readonly app: string };

export class Pools {
  readonly main: Pool;
  /** The main one first. */
  #all: Pool[];
  /** Those that no route has any more: they finish what they have. */
  readonly #leaving = new Set<Pool>();
  #plan: Plan;
  readonly #clock: Clock;
  readonly #log: Log;
  #house: PoolHouse | null = null;

  constructor(plan: Plan, clock: Clock, log: Log) {
    this.#plan = plan;
    this.#clock = clock;
    this.#log = log;
    const [main, ...others] = plansOf(plan);
    this.main = this.#make(main!);
    this.#all = [this.main, ...others.map((one) => this.#make(one))];
  }

  /** The main one first. */
  get all(): readonly Pool[] {
    return this.#all;
  }

  named(name: string): Pool {
    const pool = this.#all.find((one) => one.name === name);
    if (pool === undefined) throw new Error(`there is no pool ${name}`);
    return pool;
  }

  /** Makes the supervisors; nothing starts yet. `listener` is the first address. */
  hire(listener: PoolHouse["listener"], shared: SharedContext): void {
    this.#house = { listener, shared, budget: new MemoryBudget(shared.memoryCgroup, this.#plan.cgroupRoot) };
    for (const pool of this.#all) pool.hire(this.#house);
  }

  /** --reload: files are watched from now on, for each pool. */
  develop(reload: ReloadPlan, clock: Clock): void {
    for (const pool of this.#all) pool.develop(reload, clock);
  }

  /** What a worker has told of its modules. */
  onModules(files: readonly string[], standard: readonly string[]): void {
    for (const { development } of this.all) development?.onModules(files, standard);
  }

  /** Files that change restart nothing any more. */
  endDevelopment(): void {
    for (const { development } of this.all) development?.close();
  }

  /** Resolves with null when all workers of all pools are ready, with the first failure as soon as there is one. */
  async start(): Promise<PoolFailure | null> {
    const starts = this.#all.map(async (pool) => {
      const failure = await pool.start();
      return failure === null ? null : { ...failure, app: pool.plan.app };
    });
    return await new Promise((resolve) => {
      for (const start of starts)
        void start.then((failure) => {
          if (failure !== null) resolve(failure);
        });
      void Promise.all(starts).then(() => resolve(null));
    });
  }

  /** They serve: from now on their numbers are watched. */
  watch(): void {
    for (const pool of this.#all) pool.watch();
  }

  /** Requests waiting for a seat. */
  get waiting(): number {
    return sum(this.all, ({ dispatcher }) => dispatcher.waiting);
  }

  get waitingSince(): number | null {
    const times = this.all.map(({ dispatcher }) => dispatcher.waitingSince).filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** No pool has an application: there are no workers, and none are missed. */
  get areEmpty(): boolean {
    return this.#all.every(({ isEmpty }) => isEmpty);
  }

  /** Workers that take requests; none where the main pool has none. */
  get serving(): number {
    const serving = ({ supervisor }: Pool): number => supervisor?.serving ?? 0;
    return serving(this.main) === 0 && !this.main.isEmpty ? 0 : sum(this.all, serving);
  }

  get wanted(): number {
    return sum(this.all, ({ wanted }) => wanted);
  }

  get isCrashLooping(): boolean {
    return this.all.some(({ supervisor }) => supervisor?.isCrashLooping === true);
  }

  /** The interpreter, as "cpython 3.12.1". */
  get python(): string {
    return this.main.supervisor?.python ?? "";
  }

  get zygotes(): number[] {
    return this.#everyone.flatMap(({ supervisor }) => supervisor?.zygotes ?? []);
  }

  report(): (WorkerReport & { readonly pool: string })[] {
    return this.#everyone.flatMap(({ name, supervisor }) =>
      (supervisor?.report() ?? []).map((worker) => ({ ...worker, pool: name })),
    );
  }

  /**
   * New workers in every pool, by this plan; pools that it adds are started. Done when all are ready. Where one cannot start, its old workers and what
   * they were made from stay, and pools that had renewed theirs do it once more, from what they were made from before. `prepare` is called when the pools
   * of the plan are there and nothing has been started; what it throws ends the reload.
   */
  async reload(plan: Plan, prepare: () => void): Promise<ReloadOutcome> {
    const before = this.#plan;
    const house = this.#house;
    if (house === null) return { type: "failed", message: "it has not started", traceback: "" };
    if ((plan.app === "") !== this.main.isEmpty) {
      const message = `restart to apply app: there was ${this.main.isEmpty ? "none" : "one"} at the start`;
      this.#log.error(`Reload failed, nothing has changed: ${message}`);
      return { type: "failed", message, traceback: "" };
    }
    this.#plan = plan;
    const asked = new Map(plansOf(plan).map((one) => [one.name, one]));
    const kept = this.#all.filter(({ name }) => asked.has(name));
    const newcomers = [...asked.values()].filter(({ name }) => !kept.some((pool) => pool.name === name));
    const added = newcomers.map((one) => this.#make(one));
    for (const pool of added) pool.hire(house);
    this.#all = [...this.#all, ...added];
    try {
      prepare();
    } catch (error) {
      this.#plan = before;
      for (const pool of added) this.#dismiss(pool);
      const { message } = error as Error;
      this.#log.error(`Reload failed, nothing has changed: ${message}`);
      return { type: "failed", message, traceback: "" };
    }
    const changes = kept.map((pool) => pool.reconfigure(asked.get(pool.name)!, plan));
    if (plan.reload !== null) this.develop(plan.reload, this.#clock);

    const outcomes = await Promise.all([
      ...kept.map((pool) => this.#named(pool, pool.reload())),
      ...added.map((pool) => this.#named(pool, firstStart(pool))),
    ]);
    const failed = outcomes.find(({ type }) => type === "failed");
    if (failed === undefined) {
      for (const pool of added) pool.watch();
      return { type: "done", workers: sum(outcomes, (one) => (one.type === "done" ? one.workers : 0)) };
    }
    // In development broken code is served as a page until it is mended.
    if (plan.reload !== null) return failed;
    this.#plan = before;
    for (const change of changes) change.undo();
    for (const pool of added) this.#dismiss(pool);
    const renewed = kept.filter((_, at) => changes[at]?.isOfWorkers === true && outcomes[at]?.type === "done");
    await Promise.all(renewed.map((pool) => pool.reload()));
    return failed;
  }

  /** Pools that the plan in force has no use for leave when they have finished what they have. */
  dismissUnused(): void {
    const names = new Set(plansOf(this.#plan).map(({ name }) => name));
    for (const pool of this.#all) if (!names.has(pool.name)) this.#dismiss(pool);
  }

  /** Has so many workers in this pool from now on; 0 in the main one pauses all. Why not, or null. */
  scale(workers: number, name: string = MAIN_POOL): string | null {
    const pool = this.all.find((one) => one.name === name);
    if (pool === undefined) return `there is no pool ${name}: there are ${this.all.map((one) => one.name).join(", ")}`;
    if (pool.isEmpty) return `pool ${name} has no application`;
    for (const other of this.all) {
      if (other === pool) other.supervisor?.scale(workers);
      else if (workers === 0) other.supervisor?.scale(0);
      // They were paused together.
      else if (other.wanted === 0) other.supervisor?.scale(other.plan.workers);
    }
    return null;
  }

  async stacks(which: number | null): Promise<{ name: string; text: string }[]> {
    return (
      await Promise.all(this.#everyone.map(async ({ supervisor }) => (await supervisor?.stacks(which)) ?? []))
    ).flat();
  }

  atWork(): string[] {
    return this.#everyone.flatMap(({ supervisor }) => supervisor?.atWork() ?? []);
  }

  hurry(): void {
    for (const { supervisor } of this.#everyone) supervisor?.hurry();
  }

  async stop(): Promise<void> {
    for (const pool of this.#everyone) pool.stopSizing();
    await Promise.all(this.#everyone.map(async ({ supervisor }) => await supervisor?.stop()));
  }

  kill(): string[] {
    return this.#everyone.flatMap(({ supervisor }) => supervisor?.kill() ?? []);
  }

  /** Nothing more will be served: what waits gets 503. */
  abandon(): void {
    for (const { dispatcher } of this.#everyone) dispatcher.abandon();
  }

  get #everyone(): readonly Pool[] {
    return this.#leaving.size === 0 ? this.#all : [...this.#all, ...this.#leaving];
  }

  #make(plan: PoolPlan): Pool {
    const isAlone = this.#plan.pools.length === 0;
    const log = isAlone ? this.#log : prefixed(this.#log, `Pool ${plan.name}: `);
    return new Pool(plan, this.#plan, this.#clock, log);
  }

  async #named({ name }: Pool, coming: Promise<ReloadOutcome>): Promise<ReloadOutcome> {
    const outcome = await coming;
    if (outcome.type === "done" || this.#all.length === 1) return outcome;
    return { ...outcome, message: `pool ${name}: ${outcome.message}` };
  }

  #dismiss(pool: Pool): void {
    this.#all = this.#all.filter((one) => one !== pool);
    this.#leaving.add(pool);
    void pool.leave().then(() => {
      this.#leaving.delete(pool);
      pool.log.info("Has left: no route goes there any more");
    });
  }
}

/** Links to workers, at most; each is an open file. */
export function mostSeats(plan: Plan): number {
  return sum(
    [plan, ...plan.pools],
    ({ workers, sizing, threads }) => (sizing.type === "elastic" ? sizing.most : workers) * threads,
  );
}

function plansOf(plan: Plan): readonly PoolPlan[] {
  return [{ ...plan, name: MAIN_POOL, patterns: [], mount: "" }, ...plan.pools];
}

async function firstStart(pool: Pool): Promise<ReloadOutcome> {
  const failure = await pool.start();
  if (failure === null) return { type: "done", workers: pool.supervisor?.serving ?? 0 };
  if (failure.traceback !== "") pool.log.error(failure.traceback.trimEnd());
  pool.log.error(`Reload failed, it cannot start (${pool.plan.app}): ${failure.message}`);
  return { type: "failed", message: failure.message, traceback: failure.traceback };
}

function sum<T>(all: readonly T[], count: (one: T) => number): number {
  let total = 0;
  for (const one of all) total += count(one);
  return total;
}
