/** One pool of workers: its queue, its supervisor, its number of workers; from its start over changes of its plan to its leaving. */
import type { Clock } from "../clock.ts";
import type { Plan, PoolPlan } from "../config/plan.ts";
import type { ReloadPlan } from "../config/reload.ts";
import { Dispatcher, type DispatcherSettings } from "../dispatch/dispatcher.ts";
import { answerError } from "../http/error-response.ts";
import type { Handler } from "../http/handler.ts";
import type { Log } from "../telemetry/log.ts";
import { type Development, startDevelopment } from "./development.ts";
import { type FoundFolder, rootedUrl } from "./found-folders.ts";
import type { GenerationContext } from "./generation-settings.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { Sizer } from "./sizer.ts";
import { startUnmeasured } from "./sizing.ts";
import { type ReloadOutcome, Supervisor, type SupervisorSettings } from "./supervisor.ts";
import { supervisorSettings } from "./supervisor-settings.ts";
import type { LoadFailure } from "./zygote.ts";

/** What the supervisors need beside their own queue. */
export interface SharedContext extends Omit<GenerationContext, "log" | "dispatcher" | "onFolders"> {
  /** Files that the app of this pool need not be asked for. */
  onFolders?(this: void, pool: string, folders: readonly FoundFolder[]): void;
}

/** What all pools share once there is an address to tell the workers. */
export interface PoolHouse {
  /** The first address. */
  readonly listener: { readonly serverName: string; readonly serverPort: number };
  readonly shared: SharedContext;
  readonly budget: MemoryBudget;
}

/** How often a pool that leaves is asked whether requests still wait for it. */
const LEAVING_LOOK_MS = 50;

export class Pool {
  readonly log: Log;
  readonly dispatcher: Dispatcher;
  plan: PoolPlan;
  /** The plan of the whole server that it belongs to. */
  #whole: Plan;
  readonly #clock: Clock;
  #house: PoolHouse | null = null;
  #settings: SupervisorSettings | null = null;
  /** Null until there is an address to tell the workers. */
  supervisor: Supervisor | null = null;
  #sizer: Sizer | null = null;
  /** Its number of workers was measured by another plan than the one it has now. */
  #isOtherSize = false;
  readonly #submit: Handler = (exchange) => this.dispatcher.submit(exchange);
  /** Watches files and restarts its workers; null without --reload. */
  development: Development | null = null;

  constructor(plan: PoolPlan, whole: Plan, clock: Clock, log: Log) {
    this.plan = plan;
    this.#whole = whole;
    this.#clock = clock;
    this.log = log;
    this.dispatcher = new Dispatcher(queueSettings(plan, whole), clock, log);
  }

  /** No application: what comes here is nobody's. */
  get isEmpty(): boolean {
    return this.plan.app === "";
  }

  /** Where its requests go in. */
  get handler(): Handler {
    return this.isEmpty ? (exchange) => answerError(exchange, 404) : this.#submit;
  }

  get name(): string {
    return this.plan.name;
  }

  get interface(): "wsgi" | "asgi" | null {
    return this.supervisor?.interface ?? null;
  }

  get wanted(): number {
    return this.isEmpty ? 0 : (this.supervisor?.wanted ?? this.plan.workers);
  }

  /** Makes the supervisor; nothing starts yet. */
  hire(house: PoolHouse): void {
    if (this.isEmpty) return;
    this.#house = house;
    const { log, dispatcher } = this;
    this.#settings = settingsOf(this.plan, this.#whole, house);
    const { onFolders: tell, ...shared } = house.shared;
    const onFolders = (folders: readonly FoundFolder[]): void =>
      tell?.(
        this.name,
        folders.map((folder) => ({ ...folder, url: rootedUrl(folder.url, this.plan.mount) })),
      );
    this.supervisor = new Supervisor(this.#settings, { ...shared, log, dispatcher, onFolders });
    this.#sizer = this.#newSizer();
  }

  /** --reload: files are watched from now on. */
  develop(reload: ReloadPlan, clock: Clock): void {
    const { supervisor, dispatcher, log } = this;
    if (supervisor === null || this.development !== null) return;
    this.development = startDevelopment({ ...this.#whole, ...this.plan }, reload, supervisor, {
      dispatcher,
      clock,
      log,
    });
  }

  /** The first start: null when its workers are ready. */
  async start(): Promise<LoadFailure | null> {
    return (await (this.development ?? this.supervisor)?.start()) ?? null;
  }

  /** It serves: from now on its number of workers is watched. */
  watch(): void {
    const { plan, log, wanted, supervisor } = this;
    // Under --reload the first code may be broken: its page is what is served.
    if (this.interface === null) return;
    log.info(
      `Serving ${plan.app} (${this.interface}) with ${wanted} worker${wanted === 1 ? "" : "s"} (${reasonOf(plan, wanted, supervisor?.isFreeThreaded === true)})`,
    );
    this.#sizer?.begin();
  }

  /** Its queue is bounded by this plan from now on, and its next workers are made from it. Returns the way back. */
  reconfigure(plan: PoolPlan, whole: Plan): PoolChange {
    const { supervisor, dispatcher } = this;
    const [planBefore, wholeBefore, settingsBefore] = [this.plan, this.#whole, this.#settings];
    const queueBefore = dispatcher.reconfigure(queueSettings(plan, whole));
    this.plan = plan;
    this.#whole = whole;
    this.#isOtherSize = JSON.stringify(sizeOf(plan)) !== JSON.stringify(sizeOf(planBefore));
    let undoWorkers: (() => void) | null = null;
    if (supervisor !== null && this.#house !== null && settingsBefore !== null) {
      const asked = settingsOf(plan, whole, this.#house);
      // How many `auto` comes to has been found out already.
      this.#settings = this.#isOtherSize ? asked : { ...asked, workers: settingsBefore.workers };
      undoWorkers = supervisor.reconfigure(this.#settings);
    }
    return {
      isOfWorkers: JSON.stringify(this.#settings) !== JSON.stringify(settingsBefore),
      undo: () => {
        undoWorkers?.();
        dispatcher.reconfigure(queueBefore);
        this.plan = planBefore;
        this.#whole = wholeBefore;
        this.#settings = settingsBefore;
        this.#isOtherSize = false;
      },
    };
  }

  async reload(): Promise<ReloadOutcome> {
    if (this.isEmpty) return { type: "done", workers: 0 };
    const outcome = (await (this.development ?? this.supervisor)?.reload()) ?? {
      type: "failed",
      message: "it has not started",
      traceback: "",
    };
    if (outcome.type === "failed") return outcome;
    if (this.#isOtherSize) {
      this.#sizer?.stop();
      this.#sizer = this.#newSizer();
      this.#sizer?.begin();
      this.#isOtherSize = false;
    } else this.#sizer?.reloaded();
    return outcome;
  }

  /** No route goes there any more: it finishes what it has, and leaves. */
  async leave(): Promise<void> {
    this.development?.close();
    this.stopSizing();
    await new Promise<void>((resolve) => {
      const looking = this.#clock.every(LEAVING_LOOK_MS, () => {
        if (this.dispatcher.waiting > 0) return;
        looking.cancel();
        resolve();
      });
    });
    this.dispatcher.abandon();
    await this.supervisor?.stop();
  }

  stopSizing(): void {
    this.#sizer?.stop();
  }

  #newSizer(): Sizer | null {
    const { supervisor, dispatcher, log } = this;
    if (supervisor === null || this.#house === null) return null;
    const { budget, shared } = this.#house;
    return new Sizer(this.plan, { supervisor, dispatcher, budget, clock: shared.clock, log, cpus: this.#whole.cpus });
  }
}

/** What a new plan has changed for one pool. */
export interface PoolChange {
  /** Its workers would be others. */
  readonly isOfWorkers: boolean;
  undo(): void;
}

// Private

function queueSettings({ queueSize, queueTimeoutMs }: PoolPlan, { queueTargetMs }: Plan): DispatcherSettings {
  return { queueSize, queueTimeoutMs, queueTargetMs };
}

function settingsOf(pool: PoolPlan, plan: Plan, { listener, budget }: PoolHouse): SupervisorSettings {
  const { limitBytes } = budget;
  const share = limitBytes === null ? null : limitBytes / (plan.pools.length + 1);
  const workers = pool.sizing.type === "auto" ? startUnmeasured(pool.workers, share) : pool.workers;
  return supervisorSettings({ ...plan, ...pool, workers }, listener, pool.mount);
}

/** What the number of workers follows from. */
function sizeOf({ workers, sizing, withoutGil }: PoolPlan): unknown {
  return [workers, sizing, withoutGil];
}

function reasonOf({ sizing, workers, workersReason }: PoolPlan, wanted: number, isFreeThreaded: boolean): string {
  if (isFreeThreaded && wanted < workers) return "free-threaded Python";
  if (sizing.type === "elastic") return `${workersReason}, as many as ${sizing.most} when they are needed`;
  return sizing.type === "auto" && wanted < workers ? `${workersReason}, once the first is measured` : workersReason;
}
