/**
 * The composition root: a Plan in, a running server out, an exit code at the end. The only file that knows every room; readable top to bottom.
 */
import { unlinkSync, writeFileSync } from "node:fs";
import { systemClock } from "./clock.ts";
import type { Plan } from "./config/plan.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { Concurrency } from "./edge/concurrency.ts";
import { connectionsWithin, type ConnectionLimitsSettings } from "./edge/connection-limits.ts";
import type { EdgeContext } from "./edge/context.ts";
import { openFilesLimit } from "./edge/doorkeeper.ts";
import { Edge } from "./edge/edge.ts";
import { type BoundListener, type Door, ListenError } from "./edge/listener.ts";
import { alpnProtocols } from "./edge/protocol.ts";
import { redirecting } from "./edge/redirect.ts";
import { TlsDoor } from "./edge/tls/door.ts";
import { TlsError } from "./edge/tls/key-pair.ts";
import { Spool } from "./spool/spool.ts";
import type { Exchange } from "./http/exchange.ts";
import { compileAccessLog } from "./telemetry/access-log.ts";
import { Journal } from "./telemetry/journal.ts";
import type { Log } from "./telemetry/log.ts";
import { OperationalLog } from "./telemetry/operational-log.ts";
import { ResponseRelays } from "./workers/response-relay.ts";
import { Supervisor } from "./workers/supervisor.ts";
import { TurnEnd } from "./workers/turn-end.ts";
import type { LoadFailure } from "./workers/zygote.ts";

const HEAD_BYTES = 262_144;
/** SIGINT and SIGQUIT give requests in flight this long. */
const QUICK_STOP_MS = 1000;

const EXIT_CANNOT_START = 1;

/** Serves until a signal says stop. Returns gunicorn's exit codes: 0 after a stop, 1 where it cannot listen, 3 and 4 where the app cannot be served. */
export async function serve(plan: Plan, notices: readonly string[]): Promise<number> {
  const clock = systemClock;
  let log: OperationalLog;
  let accessJournal: Journal | null;
  try {
    log = new OperationalLog(plan.errorLog, plan.logLevel, clock);
    accessJournal = plan.accessLog === null ? null : new Journal(plan.accessLog, 1);
  } catch (error) {
    process.stderr.write(`maitred: error: cannot open the log: ${(error as Error).message}\n`);
    return EXIT_CANNOT_START;
  }
  for (const notice of notices) log.info(notice);

  const dispatcher = new Dispatcher({ queueSize: plan.queueSize, queueTimeoutMs: plan.queueTimeoutMs }, clock, log);
  let supervisor: Supervisor | null = null;

  const spool = new Spool(
    { folder: plan.spoolDir, maxBytes: plan.spoolMax },
    (message) => log.warning(message),
    () => clock.now(),
  );
  const accessLine = compileAccessLog(plan.accessLogFormat, process.env);
  const logAccess =
    accessJournal === null ? null : (exchange: Exchange) => accessJournal.line(accessLine(exchange, clock));
  const concurrency =
    plan.limitConcurrency === 0
      ? null
      : new Concurrency(
          plan.limitConcurrency,
          (exchange) => dispatcher.submit(exchange),
          clock,
          (count) =>
            log.warning(
              `Answered 503 to ${count} request${count === 1 ? "" : "s"} (--limit-concurrency ${plan.limitConcurrency})`,
            ),
        );
  const context: EdgeContext = {
    clock,
    limits: {
      requestLine: plan.limitRequestLine,
      fields: plan.limitRequestFields,
      fieldSize: plan.limitRequestFieldSize,
      headBytes: HEAD_BYTES,
      underscores: plan.headerMap,
    },
    keepAliveMs: plan.keepAliveMs,
    headTimeoutMs: plan.headerTimeoutMs,
    webSocket: plan.webSocket,
    writeTimeoutMs: plan.writeTimeoutMs,
    connectionRequests: plan.limitConnectionRequests,
    bodies: {
      maxBytes: plan.limitRequestBody,
      memoryBytes: plan.bodyMemory,
      timeoutMs: plan.bodyTimeoutMs,
      minRate: plan.minBodyRate,
      buffering: plan.requestBuffering,
      spool,
      gatheredBytes: 0,
    },
    http2: plan.http2,
    server: plan.serverHeader ? "maitred" : "",
    hsts: plan.hsts,
    date: plan.dateHeader ? new Date().toUTCString() : "",
    isDraining: false,
    forwarding: plan.forwarding,
    proxyProtocol: plan.proxyProtocol,
    streamsBodies: () => supervisor?.interface === "asgi",
    submit:
      concurrency === null ? (exchange) => dispatcher.submit(exchange) : (exchange) => concurrency.submit(exchange),
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
    onTroubleAtDoor: (message) => log.warning(message),
    onUntrusted: untrustedWarning(log),
    onBadLength: ({ head }, promised, sent) =>
      log.error(`${head.method} ${head.target}: the app promised Content-Length ${promised} and sent ${sent} bytes`),
  };
  if (plan.dateHeader) clock.every(1000, () => (context.date = new Date().toUTCString()));

  const edge = new Edge(context, connectionLimits(plan, log));
  let tls: TlsDoor | null = null;
  let listeners: readonly BoundListener[];
  try {
    if (plan.tls !== null) tls = new TlsDoor(plan.tls, alpnProtocols(context), clock, log);
    listeners = await edge.listen(
      doors(plan, tls, context, () => listeners),
      plan.backlog,
      plan.umask,
    );
  } catch (error) {
    if (!(error instanceof ListenError || error instanceof TlsError)) throw error;
    log.critical(error instanceof TlsError ? `Cannot serve TLS: ${error.message}` : error.message);
    tls?.close();
    edge.destroy();
    return EXIT_CANNOT_START;
  }
  log.info(`Starting maitred (${plan.app})`);
  for (const { url, door } of listeners) {
    if (door.context === context) log.info(`Listening at: ${url} (${process.pid})`);
    else log.info(`Redirecting to https at: ${url}`);
  }

  if (plan.pidFile !== null) {
    try {
      writeFileSync(plan.pidFile, `${process.pid}\n`);
    } catch (error) {
      log.critical(`Cannot write the pid file (--pid ${plan.pidFile}): ${(error as Error).message}`);
      edge.destroy();
      return EXIT_CANNOT_START;
    }
  }

  supervisor = makeSupervisor(plan, listeners[0]!, {
    clock,
    log,
    dispatcher,
    turnEnd: new TurnEnd(),
    relays: new ResponseRelays(spool, plan.responseBuffer),
    nextWorker: counter(),
  });
  // Nothing else may keep the process alive or end it while the first workers start.
  const signals = new Signals();
  const started = await Promise.race([supervisor.start(), signals.stop]);
  if (started !== null && typeof started === "object" && "exitCode" in started) {
    tellFailure(plan, started, log);
    edge.destroy();
    dispatcher.abandon();
    await supervisor.stop();
    if (plan.pidFile !== null) removeQuietly(plan.pidFile);
    return started.exitCode;
  }
  if (started === null) {
    log.info(
      `Serving ${plan.app} (${supervisor.interface}) with ${plan.workers} worker${plan.workers === 1 ? "" : "s"} (${plan.workersReason})`,
    );
  }
  signals.onReload = () => {
    tls?.reload();
    supervisor.reload();
  };
  signals.onReopen = () => {
    try {
      log.reopen();
      accessJournal?.reopen();
      log.info("Log files reopened");
    } catch (error) {
      log.error(`Log files not reopened, the old ones stay: ${(error as Error).message}`);
    }
  };

  const how = started ?? (await signals.stop);
  await stop(
    how === "SIGTERM" ? plan.gracefulTimeoutMs : Math.min(QUICK_STOP_MS, plan.gracefulTimeoutMs),
    `${how as string}`,
    {
      edge,
      dispatcher,
      supervisor,
      log,
      signals,
    },
  );
  tls?.close();
  accessJournal?.flushSync();
  if (plan.pidFile !== null) removeQuietly(plan.pidFile);
  log.info("Stopped");
  return 0;
}

/** Every address: the application's, then those that redirect to its first secure one. */
function doors(
  plan: Plan,
  tls: TlsDoor | null,
  context: EdgeContext,
  listeners: () => readonly BoundListener[],
): readonly Door[] {
  const serving = plan.binds.map((bind) => ({ bind, tls: bind.tls === false ? null : tls, context }));
  if (plan.redirectHttp.length === 0) return serving;
  const port = (): number => plan.redirectPort ?? listeners().find(({ door }) => door.tls !== null)?.serverPort ?? 443;
  const redirect = redirecting(context, port);
  return [...serving, ...plan.redirectHttp.map((bind) => ({ bind, tls: null, context: redirect }))];
}

/** Each client connection is an open file: the smaller of what was asked for and what the process may have. */
function connectionLimits(plan: Plan, log: Log): ConnectionLimitsSettings {
  const perClient = plan.limitConnectionsPerClient;
  const possible = connectionsWithin(openFilesLimit(), plan.workers * plan.threads);
  if (plan.limitConnections === 0) return { total: possible, perClient };
  if (possible === 0 || plan.limitConnections <= possible) return { total: plan.limitConnections, perClient };
  log.warning(
    `--limit-connections ${plan.limitConnections} is more than the limit of open files allows: ${possible} (raise it by ulimit -n or LimitNOFILE=)`,
  );
  return { total: possible, perClient };
}

function makeSupervisor(
  plan: Plan,
  listener: BoundListener,
  context: ConstructorParameters<typeof Supervisor>[1],
): Supervisor {
  const { serverName, serverPort } = listener;
  return new Supervisor(
    {
      python: plan.python,
      chdir: plan.chdir,
      environ: plan.environ,
      preload: plan.preload,
      workers: plan.workers,
      workerConnections: plan.workerConnections,
      timeoutMs: plan.timeoutMs,
      maxRequests: plan.maxRequests,
      maxRequestsJitter: plan.maxRequestsJitter,
      base: { serverName, serverPort, rootPath: plan.rootPath },
      start: {
        app: plan.app,
        factory: plan.factory,
        interface: plan.interface,
        preload: plan.preload,
        chdir: plan.chdir,
        pythonpath: plan.pythonpath,
        environ: plan.environ,
        threads: plan.threads,
        loop: plan.loop,
        lifespan: plan.lifespan,
        // PEP 3333, "environ Variables": the constant part; QUERY_STRING only travels where there is one.
        wsgi: {
          SERVER_NAME: serverName,
          SERVER_PORT: String(serverPort),
          SERVER_PROTOCOL: "HTTP/1.1",
          SERVER_SOFTWARE: "maitred",
          SCRIPT_NAME: plan.rootPath,
          QUERY_STRING: "",
          "wsgi.url_scheme": "http",
        },
        asgi: { server: [serverName, serverPort], root_path: plan.rootPath, scheme: "http", http_version: "1.1" },
      },
    },
    context,
  );
}

/** Once per start: a scanner that tries it all day long must not fill the log. */
function untrustedWarning(log: Log): EdgeContext["onUntrusted"] {
  let isTold = false;
  return (address, { headers }) => {
    if (isTold) return;
    isTold = true;
    const { raw } = headers.names.find((name) => name.isForwarding)!;
    const from = address || "a Unix socket";
    const list = address === "" ? "unix" : `${address}, or a range`;
    log.warning(
      `${raw} from ${from} was removed, as that is no trusted proxy. If it is your proxy, give --forwarded-allow-ips ${list} (told once)`,
    );
  };
}

function counter(): () => number {
  let last = 0;
  return () => ++last;
}

/** The signals that gunicorn's users know, as promises and callbacks. */
class Signals {
  onReload: () => void = () => {};
  onReopen: () => void = () => {};
  readonly stop: Promise<NodeJS.Signals>;
  /** A second one while stopping means: now. */
  readonly stopNow: Promise<NodeJS.Signals>;

  constructor() {
    let first: (signal: NodeJS.Signals) => void = () => {};
    let second: (signal: NodeJS.Signals) => void = () => {};
    this.stop = new Promise((resolve) => (first = resolve));
    this.stopNow = new Promise((resolve) => (second = resolve));
    let count = 0;
    for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
      process.on(name, () => (count++ === 0 ? first(name) : second(name)));
    }
    process.on("SIGHUP", () => this.onReload());
    process.on("SIGUSR1", () => this.onReopen());
  }
}

interface Running {
  readonly edge: Edge;
  readonly dispatcher: Dispatcher;
  readonly supervisor: Supervisor;
  readonly log: Log;
  readonly signals: Signals;
}

/** The steps of a stop (design: finish what is in flight, then the workers, then kill what is left and say what it was). */
async function stop(
  graceMs: number,
  why: string,
  { edge, dispatcher, supervisor, log, signals }: Running,
): Promise<void> {
  log.info(
    `Handling signal ${why}: finishing ${edge.connections} connections, ${dispatcher.waiting} waiting requests (up to ${graceMs / 1000} s)`,
  );
  // Referenced on purpose: it must fire even where nothing else is left to wait for.
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), graceMs)));
  const finished = (async (): Promise<"finished"> => {
    await edge.drain();
    await supervisor.stop();
    return "finished";
  })();
  const outcome = await Promise.race([finished, tooLate, signals.stopNow]);
  clearTimeout(timer);
  if (outcome === "finished") {
    edge.destroy();
    return;
  }
  for (const what of supervisor.kill()) log.error(`Killed after ${graceMs / 1000} s (--graceful-timeout): ${what}`);
  dispatcher.abandon();
  edge.destroy();
  const killed = new Promise<void>((resolve) => (timer = setTimeout(resolve, QUICK_STOP_MS)));
  await Promise.race([supervisor.stop(), killed]);
  clearTimeout(timer);
}

function tellFailure(plan: Plan, failure: LoadFailure, log: Log): void {
  if (failure.traceback !== "") log.error(failure.traceback.trimEnd());
  log.critical(
    failure.exitCode === 4
      ? `App failed to load: ${failure.message}`
      : `Worker failed to boot (${plan.app}): ${failure.message}`,
  );
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // somebody else removed it
  }
}
