/**
 * The composition root: a Plan in, a running server out, an exit code at the end. The only file that knows every room; readable top to bottom.
 */
import { openCache } from "./cache/open-cache.ts";
import { systemClock } from "./clock.ts";
import { absolutePath } from "./config/paths.ts";
import { bindText } from "./config/bind.ts";
import type { Plan } from "./config/plan.ts";
import type { PlanResult } from "./config/read-plan.ts";
import { Concurrency } from "./edge/concurrency.ts";
import type { EdgeContext } from "./edge/context.ts";
import { adopter, doors, limitsOfConnections } from "./edge/doors.ts";
import { Edge } from "./edge/edge.ts";
import { bodySettings, edgeSettings } from "./edge/edge-settings.ts";
import { type BoundListener, Listener, ListenError } from "./edge/listener.ts";
import { untrustedWarning } from "./edge/untrusted-warning.ts";
import { alpnProtocols } from "./edge/protocol.ts";
import { TlsDoor } from "./edge/tls/door.ts";
import { TlsError } from "./edge/tls/key-pair.ts";
import { FilesContext } from "./files/context.ts";
import { SendfileProcess } from "./spool/sendfile-process.ts";
import { Spool } from "./spool/spool.ts";
import { ConfigurationWatch } from "./operations/configuration-watch.ts";
import { ControlDoor } from "./operations/control-door.ts";
import { HealthDoor } from "./operations/health-door.ts";
import type { HealthFacts } from "./operations/health.ts";
import { answeringHealth } from "./operations/health-stage.ts";
import { Notifier } from "./operations/notifier.ts";
import { PidFile } from "./operations/pid-file.ts";
import { Reloading } from "./operations/reloading.ts";
import { type OtherServer, shareCache } from "./operations/shared-cache.ts";
import { Signals } from "./operations/signals.ts";
import { type Status, takeStatus } from "./operations/status.ts";
import { stopSequence } from "./operations/stop-sequence.ts";
import { Predecessor, startSuccessor, type Successor } from "./operations/successor.ts";
import { Maintenance } from "./stages/maintenance.ts";
import { openProtection } from "./stages/protecting.ts";
import { compileAccessLog } from "./telemetry/access-log.ts";
import { Compression } from "./compression/stage.ts";
import { Journal } from "./telemetry/journal.ts";
import type { Exchange } from "./http/exchange.ts";
import { requestName } from "./http/request-name.ts";
import { OperationalLog } from "./telemetry/operational-log.ts";
import { MemoryCgroup } from "./workers/memory-cgroup.ts";
import { mostSeats, Pools } from "./workers/pools.ts";
import { tellFailure } from "./workers/tell-failure.ts";
import { ResponseRelays } from "./workers/response-relay.ts";
import { EndLedger } from "./workers/report.ts";
import type { ReloadOutcome } from "./workers/supervisor.ts";
import { type SitesContext, SitesInUse } from "./sites.ts";
import { Upstreams } from "./upstream/upstreams.ts";
import { TurnEnd } from "./workers/turn-end.ts";

/** After a handover idle clients may bring one more request for this long; then their connections end. */
const HANDOVER_IDLE_MS = 2000;

const EXIT_CANNOT_START = 1;

type SitesDoor = Pick<EdgeContext, "streamsBodies" | "speaksAsgi" | "bodyRule" | "refusalPage" | "submit">;

/** Serves until a signal says stop. Returns gunicorn's exit codes: 0 after a stop, 1 where it cannot listen, 3 and 4 where the app cannot be served. */
export async function serve(
  plan: Plan,
  notices: readonly string[],
  version: string,
  reread: () => Promise<PlanResult>,
): Promise<number> {
  const clock = systemClock;
  const startedAt = clock.now();
  let log: OperationalLog;
  let accessJournal: Journal | null;
  try {
    log = new OperationalLog(plan.errorLog, plan.logLevel, clock);
    accessJournal = plan.accessLog === null ? null : new Journal(plan.accessLog, 1);
  } catch (error) {
    process.stderr.write(`maitred: error: cannot open the log: ${(error as Error).message}\n`);
    return EXIT_CANNOT_START;
  }
  // Nothing else may keep the process alive or end it while the first workers start.
  const signals = new Signals(log);
  for (const notice of notices) log.info(notice);

  const pools = new Pools(plan, clock, log);
  const { main } = pools;
  const cache = openCache(plan.cache, clock, log);
  const upstreams = new Upstreams(clock, log);
  const sitesContext: SitesContext = {
    cache,
    pool: (name) => pools.named(name),
    files: new FilesContext(plan.staticMemory, clock, log),
    protection: openProtection({
      clock,
      log,
      pathOf: (written) => absolutePath(plan.chdir, written),
      trusts: (peer) => peer.isSpokenFor || context.forwarding?.trusted.trustsPeer(peer.address) === true,
    }),
    compression: new Compression(clock, log),
    upstream: (upstream) => upstreams.handler(upstream),
  };
  let sites: SitesInUse;
  try {
    sites = new SitesInUse(plan, sitesContext, log);
  } catch (error) {
    log.critical(`Cannot serve the routes: ${(error as Error).message}`);
    return EXIT_CANNOT_START;
  }
  let phase: HealthFacts["phase"] = "starting";
  const healthFacts = (): HealthFacts => ({
    phase,
    serving: pools.serving,
    wanted: pools.wanted,
    needsNone: pools.areEmpty,
    isCrashLooping: pools.isCrashLooping,
    waiting: pools.waiting,
  });
  const { healthPath, healthBind, handover } = plan.operations;

  const warn = (message: string): void => log.warning(message);
  const now = (): number => clock.now();
  const spool = new Spool({ folder: plan.spoolDir, maxBytes: plan.spoolMax }, warn, now);
  const sendfile = plan.sendfile ? new SendfileProcess(plan.python, warn, now) : null;
  const accessLine = compileAccessLog(plan.accessLogFormat, process.env);
  const logAccess =
    accessJournal === null ? null : (exchange: Exchange) => accessJournal.line(accessLine(exchange, clock));
  const concurrency =
    plan.limitConcurrency === 0
      ? null
      : new Concurrency(
          plan.limitConcurrency,
          (exchange) => sites.now.handler(exchange),
          clock,
          (count) =>
            log.warning(
              `Answered 503 to ${count} request${count === 1 ? "" : "s"} (--limit-concurrency ${plan.limitConcurrency})`,
            ),
        );
  const maintenance = new Maintenance(plan.queueSize, clock, log);
  /** The sites as the edge sees them, behind what concerns all of them. */
  const sitesDoor = (): SitesDoor => {
    const { handler, streamsBodies, speaksAsgi, bodyRule, refusalPage } = sites.now;
    const limited = concurrency === null ? handler : (exchange: Exchange): void => concurrency.submit(exchange);
    const guarded = maintenance.isOn ? maintenance.guard(limited) : limited;
    const submit = healthPath === null ? guarded : answeringHealth(healthPath, healthFacts, guarded);
    return { streamsBodies, speaksAsgi, bodyRule, refusalPage, submit };
  };
  const context: EdgeContext = {
    clock,
    ...edgeSettings(plan),
    hasAsgi: () => sites.now.hasUpstream || pools.all.some((pool) => pool.interface === "asgi"),
    bodies: { ...bodySettings(plan), spool, gatheredBytes: 0 },
    http2: plan.http2,
    sendfile,
    date: plan.dateHeader ? new Date().toUTCString() : "",
    isDraining: false,
    ...sitesDoor(),
    onDone:
      concurrency === null
        ? logAccess
        : (exchange) => {
            concurrency.done(exchange);
            logAccess?.(exchange);
          },
    onRejected: (address, status, detail) =>
      log.info(`Request from ${address || "a Unix socket"} refused with ${status}: ${detail}`),
    onCutOff: (address, detail) => log.info(`Connection from ${address || "a Unix socket"} cut off: ${detail}`),
    onTroubleAtDoor: warn,
    onUntrusted: untrustedWarning(log),
    onBadLength: (exchange, promised, sent) =>
      log.error(`${requestName(exchange)}: the app promised Content-Length ${promised} and sent ${sent} bytes`),
  };
  maintenance.onward = (exchange) => context.submit(exchange);
  let successor: Successor | null = null;
  maintenance.onSwitch = () => {
    Object.assign(context, sitesDoor());
    successor?.tell(maintenance.inForce);
  };
  if (plan.dateHeader) clock.every(1000, () => (context.date = new Date().toUTCString()));

  const edge = new Edge(context, limitsOfConnections(plan, mostSeats(plan), log));
  const adopting = adopter(plan);
  const health = new HealthDoor(healthFacts);
  const healthListener =
    healthBind === null
      ? null
      : new Listener(adopting({ bind: healthBind, tls: null, context }), (socket) => health.accept(socket));
  const meet = (other: OtherServer): void => shareCache(cache, other, clock);
  const predecessor =
    handover === null ? null : new Predecessor(handover, (inForce) => maintenance.follow(inForce), meet);
  await predecessor?.hasTold;
  let tls: TlsDoor | null = null;
  let listeners: readonly BoundListener[];
  try {
    if (plan.tls !== null) tls = new TlsDoor(plan.tls, alpnProtocols(context), clock, log);
    listeners = await edge.listen(doors(plan, tls, context, () => listeners).map(adopting), plan.backlog, plan.umask);
    await healthListener?.listen(plan.backlog, plan.umask);
  } catch (error) {
    if (!(error instanceof ListenError || error instanceof TlsError)) throw error;
    log.critical(error instanceof TlsError ? `Cannot serve TLS: ${error.message}` : error.message);
    tls?.close();
    edge.destroy();
    return EXIT_CANNOT_START;
  }
  log.info(`Starting maitred (${nameOf(plan)})`);
  for (const { url, door } of listeners) {
    if (door.context === context) log.info(`Listening at: ${url} (${process.pid})`);
    else log.info(`Redirecting to https at: ${url}`);
  }
  if (healthListener !== null) log.info(`Health checks at: ${healthListener.url}/livez and /readyz`);
  const healthListeners = healthListener === null ? [] : [healthListener];
  const closeHealth = (): void => {
    healthListener?.close();
    health.close();
  };

  const pidFile = new PidFile(plan.pidFile);
  try {
    pidFile.write(predecessor !== null);
  } catch (error) {
    log.critical(`Cannot write the pid file (--pid ${plan.pidFile}): ${(error as Error).message}`);
    edge.destroy();
    closeHealth();
    return EXIT_CANNOT_START;
  }

  const ledger = new EndLedger();
  pools.hire(listeners[0]!, {
    clock,
    turnEnd: new TurnEnd(),
    relays: new ResponseRelays(spool, plan.responseBuffer),
    nextWorker: counter(),
    ledger,
    memoryCgroup: MemoryCgroup.own(plan.cgroupRoot),
    onModules: (files, standard) => pools.onModules(files, standard),
    onFolders: (pool, folders) => {
      if (sites.learn(pool, folders)) Object.assign(context, sitesDoor());
    },
  });
  if (plan.reload !== null) pools.develop(plan.reload, clock);
  const configurationWatch =
    plan.reload === null || plan.configurationFile === null
      ? null
      : new ConfigurationWatch(plan.configurationFile, plan.reload, clock, log, () => void reload());
  const status = (): Status =>
    takeStatus({
      version,
      plan: reloading.plan,
      state: phase === "serving" && pools.wanted === 0 && !pools.areEmpty ? "paused" : phase,
      uptimeMs: Math.round(clock.now() - startedAt),
      listeners: listeners.map(({ url }) => url),
      health: healthListener?.url ?? null,
      connections: edge.connections,
      cache: cache.counts,
      maintenance: maintenance.status,
      upstreams: upstreams.counts,
      oldestMs: Math.round(clock.now() - (pools.waitingSince ?? clock.now())),
      pools,
      ledger,
    });
  const notifier = new Notifier(plan.operations.notifyFd);
  const tellServing = (): void =>
    notifier.ready(`Serving ${nameOf(pools.main.plan)} with ${pools.wanted} worker${pools.wanted === 1 ? "" : "s"}`);
  const reloading = new Reloading(plan, {
    reread,
    log,
    renew: (next) => pools.reload(next, () => sites.prepare(next)),
    adopt: (next) => {
      sites.adopt(next);
      sitesContext.protection.zones.settle();
      Object.assign(context, edgeSettings(next), sitesDoor());
      Object.assign(context.bodies, bodySettings(next));
      pools.dismissUnused();
    },
  });
  const reload = async (): Promise<ReloadOutcome> => {
    tls?.reload();
    notifier.reloading();
    const outcome = await reloading.run();
    if (phase === "serving") tellServing();
    return outcome;
  };
  const control = new ControlDoor(
    plan.operations.control,
    plan.python,
    {
      status,
      reload,
      scale: (number, pool) => (phase === "serving" ? pools.scale(number, pool) : `the server is ${phase}`),
      stacks: (which) => pools.stacks(which),
      maintenance: (order) => (order === null ? maintenance.end() : maintenance.begin(order)),
      purge: (wish) => cache.obey(wish),
      stop: (isQuick) => signals.requestStop({ why: "maitred stop", isQuick }),
    },
    log,
  );
  try {
    // The older server's file is replaced only when this one serves.
    if (predecessor === null) await control.listen(false);
  } catch (error) {
    log.critical(`Cannot open the control socket: ${(error as Error).message} (--control-socket)`);
    edge.destroy();
    closeHealth();
    pidFile.remove();
    return EXIT_CANNOT_START;
  }
  const started = await Promise.race([pools.start(), signals.stop]);
  if (started !== null && typeof started === "object" && "exitCode" in started) {
    tellFailure(started, log);
    edge.destroy();
    pools.abandon();
    await pools.stop();
    closeHealth();
    control.close();
    pidFile.remove();
    return started.exitCode;
  }
  if (started === null) {
    pools.watch();
    if (pools.areEmpty) log.info("Ready: the routes are served, and no worker is needed");
    phase = "serving";
    tellServing();
    if (predecessor !== null) {
      for (const listener of [...edge.sockets, ...healthListeners]) listener.takeFile();
      await control.listen(true).catch((error: Error) => log.error(`Cannot open the control socket: ${error.message}`));
      predecessor.ready();
      void predecessor.gone.then(() => pidFile.promote());
    }
  }
  notifier.watch(plan.operations.watchdogMs, clock);
  let isUpgrading = false;
  const upgrade = async (): Promise<void> => {
    if (isUpgrading || phase !== "serving") return log.warning("Upgrade: not now; this request is ignored");
    isUpgrading = true;
    log.info("Upgrade: starting a new server with these listeners; this one serves until it is ready");
    const sockets = [...edge.sockets, ...healthListeners].map(({ fd, door }) => ({ bind: bindText(door.bind), fd }));
    successor = startSuccessor(plan.operations, sockets, maintenance.inForce, meet);
    const outcome = await successor.outcome;
    successor = null;
    isUpgrading = false;
    if (outcome.type === "failed") return log.error(`Upgrade failed, this server goes on: ${outcome.detail}`);
    log.info(`Upgrade: the new server (pid ${outcome.pid}) is ready; this one finishes what it has`);
    notifier.mainPid(outcome.pid);
    for (const listener of [...edge.sockets, ...healthListeners]) listener.leaveFile();
    signals.requestStop({ why: "the upgrade", isQuick: false, isHandover: true });
  };
  signals.handle({
    reload: () => void reload(),
    scaleBy: (difference) => {
      if (main.wanted + difference >= 1) pools.scale(main.wanted + difference);
      else log.info("Scaling: one worker stays (TTOU)");
    },
    pause: () => pools.scale(0),
    reopenLogs: () => {
      try {
        log.reopen();
        accessJournal?.reopen();
        log.info("Log files reopened");
      } catch (error) {
        log.error(`Log files not reopened, the old ones stay: ${(error as Error).message}`);
      }
    },
    upgrade: () => void upgrade(),
  });

  const wish = started ?? (await signals.stop);
  phase = "draining";
  // After a handover nobody has to be waited for: the successor listens on the same sockets.
  const isHandover = wish.isHandover === true;
  if (!isHandover) notifier.stopping();
  maintenance.abandon();
  pools.endDevelopment();
  configurationWatch?.close();
  await stopSequence(
    wish,
    {
      drainDelayMs: isHandover ? 0 : plan.operations.drainDelayMs,
      gracefulTimeoutMs: plan.gracefulTimeoutMs,
      idleMs: isHandover ? HANDOVER_IDLE_MS : 0,
    },
    { edge, pools, log, signals, clock },
  );
  closeHealth();
  tls?.close();
  sendfile?.close();
  accessJournal?.flushSync();
  await cache.close();
  pidFile.remove();
  control.close();
  log.info("Stopped");
  return 0;
}

function nameOf({ app }: Pick<Plan, "app">): string {
  return app === "" ? "no application" : app;
}

function counter(): () => number {
  let last = 0;
  return () => ++last;
}
