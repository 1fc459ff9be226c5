/**
 * All pools of workers as one: the main one, and those that some paths have for themselves. Each has its queue, its zygote and workers, and its number
 * of workers; they share numbers of workers, the ledger of ends and the memory.
 */
import type { Clock } from "../clock.ts";
import type { Plan, PoolPlan } from "../config/plan.ts";
import type { ReloadPlan } from "../config/reload.ts";
import { MAIN_POOL } from "../config/pool-spec.ts";
import { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Handler } from "../http/handler.ts";
import { type Log, prefixed } from "../telemetry/log.ts";
import { type Development, startDevelopment } from "./development.ts";
import type { GenerationContext } from "./generation-settings.ts";
import { MemoryBudget } from "./memory-budget.ts";
import type { WorkerReport } from "./report.ts";
import { Sizer } from "./sizer.ts";
import { startUnmeasured } from "./sizing.ts";
import { type ReloadOutcome, Supervisor } from "./supervisor.ts";
import { supervisorSettings } from "./supervisor-settings.ts";
import type { LoadFailure } from "./zygote.ts";

export class Pool {
  readonly plan: PoolPlan;
  readonly log: Log;
  readonly dispatcher: Dispatcher;
  /** Null until there is an address to tell the workers. */
  supervisor: Supervisor | null = null;
  sizer: Sizer | null = null;
  /** Watches files and restarts its workers; null without --reload. */
  development: Development | null = null;

  constructor(plan: PoolPlan, queueTargetMs: number, clock: Clock, log: Log) {
    this.plan = plan;
    this.log = log;
    const { queueSize, queueTimeoutMs } = plan;
    this.dispatcher = new Dispatcher({ queueSize, queueTimeoutMs, queueTargetMs }, clock, log);
  }

  /** Where its requests go in. */
  readonly handler: Handler = (exchange) => this.dispatcher.submit(exchange);

  get name(): string {
    return this.plan.name;
  }

  get interface(): "wsgi" | "asgi" | null {
    return this.supervisor?.interface ?? null;
  }

  get wanted(): number {
    return this.supervisor?.wanted ?? this.plan.workers;
  }
}

/** What the supervisors need beside their own queue. */
export type SharedContext = Omit<GenerationContext, "log" | "dispatcher">;

/** Why a pool could not start. */
export type PoolFailure = LoadFailure & { readonly app: string };

export class Pools {
  readonly main: Pool;
  /** The main one first. */
  readonly all: readonly Pool[];
  readonly #plan: Plan;

  constructor(plan: Plan, clock: Clock, log: Log) {
    this.#plan = plan;
    const main: PoolPlan = { ...plan, name: MAIN_POOL, patterns: [], mount: "" };
    const isAlone = plan.pools.length === 0;
    const make = (pool: PoolPlan): Pool =>
      new Pool(pool, plan.queueTargetMs, clock, isAlone ? log : prefixed(log, `Pool ${pool.name}: `));
    this.main = make(main);
    this.all = [this.main, ...plan.pools.map(make)];
  }

  named(name: string): Pool {
    const pool = this.all.find((one) => one.name === name);
    if (pool === undefined) throw new Error(`there is no pool ${name}`);
    return pool;
  }

  /** Makes the supervisors; nothing starts yet. `listener` is the first address. */
  hire(listener: { readonly serverName: string; readonly serverPort: number }, shared: SharedContext): void {
    const budget = new MemoryBudget(shared.memoryCgroup, this.#plan.cgroupRoot);
    const { limitBytes } = budget;
    for (const pool of this.all) {
      const { plan, log, dispatcher } = pool;
      const share = limitBytes === null ? null : limitBytes / this.all.length;
      const workers = plan.sizing.type === "auto" ? startUnmeasured(plan.workers, share) : plan.workers;
      const settings = supervisorSettings({ ...this.#plan, ...plan, workers }, listener, plan.mount);
      const supervisor = new Supervisor(settings, { ...shared, log, dispatcher });
      pool.supervisor = supervisor;
      const house = { supervisor, dispatcher, budget, clock: shared.clock, log, cpus: this.#plan.cpus };
      pool.sizer = new Sizer(plan, house);
    }
  }

  /** --reload: files are watched from now on, for each pool. */
  develop(reload: ReloadPlan, clock: Clock): void {
    for (const pool of this.all) {
      const { supervisor, dispatcher, log } = pool;
      if (supervisor === null) continue;
      pool.development = startDevelopment({ ...this.#plan, ...pool.plan }, reload, supervisor, {
        dispatcher,
        clock,
        log,
      });
    }
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
    const starts = this.all.map(async ({ supervisor, development, plan: { app } }) => {
      const failure = (await (development ?? supervisor)?.start()) ?? null;
      return failure === null ? null : { ...failure, app };
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
    for (const pool of this.all) {
      const { plan, log, wanted } = pool;
      // Under --reload the first code may be broken: its page is what is served.
      if (pool.interface === null) continue;
      log.info(
        `Serving ${plan.app} (${pool.interface}) with ${wanted} worker${wanted === 1 ? "" : "s"} (${reasonOf(plan, wanted, pool.supervisor?.isFreeThreaded === true)})`,
      );
      pool.sizer?.begin();
    }
  }

  /** Requests waiting for a seat. */
  get waiting(): number {
    return sum(this.all, ({ dispatcher }) => dispatcher.waiting);
  }

  get waitingSince(): number | null {
    const times = this.all.map(({ dispatcher }) => dispatcher.waitingSince).filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Workers that take requests; none where the main pool has none. */
  get serving(): number {
    const serving = ({ supervisor }: Pool): number => supervisor?.serving ?? 0;
    return serving(this.main) === 0 ? 0 : sum(this.all, serving);
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
    return this.all.flatMap(({ supervisor }) => supervisor?.zygotes ?? []);
  }

  report(): (WorkerReport & { readonly pool: string })[] {
    return this.all.flatMap(({ name, supervisor }) =>
      (supervisor?.report() ?? []).map((worker) => ({ ...worker, pool: name })),
    );
  }

  /** Done when every pool has new workers; a pool whose code cannot start keeps its old ones. */
  async reload(): Promise<ReloadOutcome> {
    const outcomes = await Promise.all(this.all.map((pool) => this.#reload(pool)));
    let workers = 0;
    for (const outcome of outcomes) {
      if (outcome.type === "failed") return outcome;
      workers += outcome.workers;
    }
    return { type: "done", workers };
  }

  /** Has so many workers in this pool from now on; 0 in the main one pauses all. Why not, or null. */
  scale(workers: number, name: string = MAIN_POOL): string | null {
    const pool = this.all.find((one) => one.name === name);
    if (pool === undefined) return `there is no pool ${name}: there are ${this.all.map((one) => one.name).join(", ")}`;
    for (const other of this.all) {
      if (other === pool) other.supervisor?.scale(workers);
      else if (workers === 0) other.supervisor?.scale(0);
      // They were paused together.
      else if (other.wanted === 0) other.supervisor?.scale(other.plan.workers);
    }
    return null;
  }

  async stacks(which: number | null): Promise<{ name: string; text: string }[]> {
    return (await Promise.all(this.all.map(async ({ supervisor }) => (await supervisor?.stacks(which)) ?? []))).flat();
  }

  atWork(): string[] {
    return this.all.flatMap(({ supervisor }) => supervisor?.atWork() ?? []);
  }

  hurry(): void {
    for (const { supervisor } of this.all) supervisor?.hurry();
  }

  async stop(): Promise<void> {
    for (const { sizer } of this.all) sizer?.stop();
    await Promise.all(this.all.map(async ({ supervisor }) => await supervisor?.stop()));
  }

  kill(): string[] {
    return this.all.flatMap(({ supervisor }) => supervisor?.kill() ?? []);
  }

  /** Nothing more will be served: what waits gets 503. */
  abandon(): void {
    for (const { dispatcher } of this.all) dispatcher.abandon();
  }

  async #reload({ supervisor, development, sizer, name }: Pool): Promise<ReloadOutcome> {
    const outcome = (await (development ?? supervisor)?.reload()) ?? {
      type: "failed",
      message: "it has not started",
      traceback: "",
    };
    if (outcome.type === "done") sizer?.reloaded();
    else if (this.all.length > 1) return { ...outcome, message: `pool ${name}: ${outcome.message}` };
    return outcome;
  }
}

/** Links to workers, at most; each is an open file. */
export function mostSeats(plan: Plan): number {
  return sum(
    [plan, ...plan.pools],
    ({ workers, sizing, threads }) => (sizing.type === "elastic" ? sizing.most : workers) * threads,
  );
}

function reasonOf({ sizing, workers, workersReason }: PoolPlan, wanted: number, isFreeThreaded: boolean): string {
  if (isFreeThreaded && wanted < workers) return "free-threaded Python";
  if (sizing.type === "elastic") return `${workersReason}, as many as ${sizing.most} when they are needed`;
  return sizing.type === "auto" && wanted < workers ? `${workersReason}, once the first is measured` : workersReason;
}

function sum<T>(all: readonly T[], count: (one: T) => number): number {
  let total = 0;
  for (const one of all) total += count(one);
  return total;
}
