/**
 * The composition root: a Plan in, a running server out, an exit code at the end. The house (house.ts) is opened, then the entrance (entrance.ts); workers
 * start, the server serves, and leaves by the stop sequence. Together with its neighbours in this folder it is what knows every room.
 */
import { systemClock } from "../clock.ts";
import type { Plan } from "../config/plan.ts";
import type { PlanResult } from "../config/read-plan.ts";
import type { ReloadPlan } from "../config/reload.ts";
import type { Exchange } from "../http/exchange.ts";
import { ConfigurationWatch } from "../operations/configuration-watch.ts";
import { ControlDoor } from "../operations/control-door.ts";
import { Notifier } from "../operations/notifier.ts";
import { PidFile } from "../operations/pid-file.ts";
import { Reloading } from "../operations/reloading.ts";
import { type OtherServer, shareCache } from "../operations/shared-cache.ts";
import { type SignalActions, Signals, type StopWish } from "../operations/signals.ts";
import { type Status, takeStatus } from "../operations/status.ts";
import { stopSequence } from "../operations/stop-sequence.ts";
import { Predecessor } from "../operations/successor.ts";
import { compileAccessLog } from "../telemetry/access-log.ts";
import { Journal } from "../telemetry/journal.ts";
import { OperationalLog } from "../telemetry/operational-log.ts";
import type { ReloadOutcome } from "../workers/supervisor.ts";
import { tellFailure } from "../workers/tell-failure.ts";
import { CannotStart, EXIT_CANNOT_START } from "./cannot-start.ts";
import { Entrance } from "./entrance.ts";
import { House } from "./house.ts";
import { Upgrade } from "./upgrade.ts";

/** After a handover idle clients may bring one more request for this long; then their connections end. */
const HANDOVER_IDLE_MS = 2000;

/** Serves until a signal says stop. Returns gunicorn's exit codes: 0 after a stop, 1 where it cannot listen, 3 and 4 where the app cannot be served. */
export async function serve(
  plan: Plan,
  notices: readonly string[],
  version: string,
  reread: () => Promise<PlanResult>,
): Promise<number> {
  let logs: Logs;
  try {
    logs = openLogs(plan);
  } catch (error) {
    process.stderr.write(`maitred: error: cannot open the log: ${(error as Error).message}\n`);
    return EXIT_CANNOT_START;
  }
  const { log } = logs;
  // Nothing else may keep the process alive or end it while the first workers start.
  const signals = new Signals(log);
  for (const notice of notices) log.info(notice);
  try {
    const house = new House(plan, systemClock, log, accessLogging(plan, logs));
    return await new Server(plan, house, logs, signals, version, reread).live();
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    log.critical(error.message);
    return EXIT_CANNOT_START;
  }
}

// Private

interface Logs {
  readonly log: OperationalLog;
  /** null: there is no access log. */
  readonly access: Journal | null;
}

function openLogs(plan: Plan): Logs {
  const log = new OperationalLog(plan.errorLog, plan.logLevel, systemClock);
  return { log, access: plan.accessLog === null ? null : new Journal(plan.accessLog, 1) };
}

function accessLogging(plan: Plan, { access }: Logs): ((exchange: Exchange) => void) | null {
  if (access === null) return null;
  const line = compileAccessLog(plan.accessLogFormat, process.env);
  return (exchange) => access.line(line(exchange, systemClock));
}

class Server {
  readonly #plan: Plan;
  readonly #house: House;
  readonly #logs: Logs;
  readonly #log: OperationalLog;
  readonly #signals: Signals;
  readonly #version: string;
  readonly #startedAt = systemClock.now();
  readonly #entrance: Entrance;
  readonly #pidFile: PidFile;
  readonly #control: ControlDoor;
  readonly #notifier: Notifier;
  readonly #reloading: Reloading;
  readonly #upgrade: Upgrade;
  /** The server that has started this one to take its place. */
  readonly #predecessor: Predecessor | null;
  /** Under --reload. */
  #configurationWatch: ConfigurationWatch | null = null;

  constructor(
    plan: Plan,
    house: House,
    logs: Logs,
    signals: Signals,
    version: string,
    reread: () => Promise<PlanResult>,
  ) {
    const { operations } = plan;
    const { log } = logs;
    this.#plan = plan;
    this.#house = house;
    this.#logs = logs;
    this.#log = log;
    this.#signals = signals;
    this.#version = version;
    this.#entrance = new Entrance(plan, house, log);
    this.#pidFile = new PidFile(plan.pidFile);
    this.#notifier = new Notifier(operations.notifyFd);
    this.#reloading = new Reloading(plan, {
      reread,
      log,
      renew: (next) => house.pools.reload(next, () => house.prepare(next)),
      adopt: (next) => house.adopt(next),
    });
    const meet = (other: OtherServer): void => shareCache(house.cache, other, systemClock);
    this.#upgrade = new Upgrade(operations, {
      house,
      entrance: this.#entrance,
      signals,
      notifier: this.#notifier,
      log,
      meet,
    });
    this.#predecessor =
      operations.handover === null
        ? null
        : new Predecessor(operations.handover, (inForce) => house.maintenance.follow(inForce), meet);
    this.#control = this.#openControl();
  }

  /** From the first address that is opened to the exit code. Throws CannotStart. */
  async live(): Promise<number> {
    try {
      await this.#open();
      const started = await Promise.race([this.#house.pools.start(), this.#signals.stop]);
      if (started !== null && "exitCode" in started) {
        tellFailure(started, this.#log);
        this.#entrance.edge.destroy();
        this.#house.pools.abandon();
        await this.#house.pools.stop();
        return started.exitCode;
      }
      if (started === null) await this.#begin();
      this.#notifier.watch(this.#plan.operations.watchdogMs, systemClock);
      this.#signals.handle(this.#signalActions());
      await this.#leave(started ?? (await this.#signals.stop));
    } finally {
      await this.#close();
    }
    this.#log.info("Stopped");
    return 0;
  }

  /** Addresses, the pid file and the control socket: from here on clients wait instead of being refused. */
  async #open(): Promise<void> {
    const log = this.#log;
    await this.#predecessor?.hasTold;
    await this.#entrance.open(systemClock, log);
    log.info(`Starting maitred (${nameOf(this.#plan)})`);
    this.#entrance.tell(log);
    try {
      this.#pidFile.write(this.#predecessor !== null);
    } catch (error) {
      throw new CannotStart(`Cannot write the pid file (--pid ${this.#plan.pidFile}): ${(error as Error).message}`);
    }
    this.#house.hire(this.#entrance.first);
    if (this.#plan.reload !== null) this.#develop(this.#plan.reload);
    try {
      // The older server's file is replaced only when this one serves.
      if (this.#predecessor === null) await this.#control.listen(false);
    } catch (error) {
      throw new CannotStart(`Cannot open the control socket: ${(error as Error).message} (--control-socket)`);
    }
  }

  #develop(plan: ReloadPlan): void {
    const { configurationFile } = this.#plan;
    this.#house.pools.develop(plan, systemClock);
    if (configurationFile === null) return;
    const onSaved = (): void => void this.#reload();
    this.#configurationWatch = new ConfigurationWatch(configurationFile, plan, systemClock, this.#log, onSaved);
  }

  /** Every pool has a worker that serves. */
  async #begin(): Promise<void> {
    const { pools } = this.#house;
    const log = this.#log;
    pools.watch();
    if (pools.areEmpty) log.info("Ready: the routes are served, and no worker is needed");
    this.#house.phase = "serving";
    this.#tellServing();
    const predecessor = this.#predecessor;
    if (predecessor === null) return;
    this.#entrance.takeFiles();
    await this.#control
      .listen(true)
      .catch((error: Error) => log.error(`Cannot open the control socket: ${error.message}`));
    predecessor.ready();
    void predecessor.gone.then(() => this.#pidFile.promote());
  }

  async #leave(wish: StopWish): Promise<void> {
    const { pools, maintenance } = this.#house;
    this.#house.phase = "draining";
    // After a handover nobody has to be waited for: the successor listens on the same sockets.
    const isHandover = wish.isHandover === true;
    if (!isHandover) this.#notifier.stopping();
    maintenance.abandon();
    pools.endDevelopment();
    this.#configurationWatch?.close();
    await stopSequence(
      wish,
      {
        drainDelayMs: isHandover ? 0 : this.#plan.operations.drainDelayMs,
        gracefulTimeoutMs: this.#plan.gracefulTimeoutMs,
        idleMs: isHandover ? HANDOVER_IDLE_MS : 0,
      },
      { edge: this.#entrance.edge, pools, log: this.#log, signals: this.#signals, clock: systemClock },
    );
  }

  async #reload(): Promise<ReloadOutcome> {
    this.#entrance.reload();
    this.#notifier.reloading();
    const outcome = await this.#reloading.run();
    if (this.#house.phase === "serving") this.#tellServing();
    return outcome;
  }

  #tellServing(): void {
    const { main, wanted } = this.#house.pools;
    this.#notifier.ready(`Serving ${nameOf(main.plan)} with ${wanted} worker${wanted === 1 ? "" : "s"}`);
  }

  #openControl(): ControlDoor {
    const { pools, maintenance, cache } = this.#house;
    return new ControlDoor(
      this.#plan.operations.control,
      this.#plan.python,
      {
        status: () => this.#status(),
        reload: () => this.#reload(),
        scale: (number, pool) =>
          this.#house.phase === "serving" ? pools.scale(number, pool) : `the server is ${this.#house.phase}`,
        stacks: (which) => pools.stacks(which),
        maintenance: (order) => (order === null ? maintenance.end() : maintenance.begin(order)),
        purge: (wish) => cache.obey(wish),
        stop: (isQuick) => this.#signals.requestStop({ why: "maitred stop", isQuick }),
      },
      this.#log,
    );
  }

  #status(): Status {
    const { phase, pools, cache, maintenance, upstreams, ledger } = this.#house;
    const now = systemClock.now();
    return takeStatus({
      version: this.#version,
      plan: this.#reloading.plan,
      state: phase === "serving" && pools.wanted === 0 && !pools.areEmpty ? "paused" : phase,
      uptimeMs: Math.round(now - this.#startedAt),
      listeners: this.#entrance.urls,
      health: this.#entrance.healthUrl,
      connections: this.#entrance.edge.connections,
      cache: cache.counts,
      maintenance: maintenance.status,
      upstreams,
      oldestMs: Math.round(now - (pools.waitingSince ?? now)),
      pools,
      ledger,
    });
  }

  #signalActions(): SignalActions {
    const { pools } = this.#house;
    const { main } = pools;
    const log = this.#log;
    return {
      reload: () => void this.#reload(),
      scaleBy: (difference) => {
        if (main.wanted + difference >= 1) pools.scale(main.wanted + difference);
        else log.info("Scaling: one worker stays (TTOU)");
      },
      pause: () => pools.scale(0),
      reopenLogs: () => {
        try {
          log.reopen();
          this.#logs.access?.reopen();
          log.info("Log files reopened");
        } catch (error) {
          log.error(`Log files not reopened, the old ones stay: ${(error as Error).message}`);
        }
      },
      upgrade: () => void this.#upgrade.run(),
    };
  }

  /** Whatever is open. The pid file goes late: who sees that it has gone may start the next server. */
  async #close(): Promise<void> {
    this.#configurationWatch?.close();
    this.#entrance.close();
    await this.#house.close();
    this.#logs.access?.flushSync();
    this.#pidFile.remove();
    this.#control.close();
  }
}

function nameOf({ app }: Pick<Plan, "app">): string {
  return app === "" ? "no application" : app;
}
