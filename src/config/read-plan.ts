/**
 * The whole way from a command line to a Plan, without touching the machine: resolve every value, check how they fit together and
 * to the host, report all mistakes at once. Nothing has been started or opened when this returns.
 */
import type { PathPattern } from "../http/path-pattern.ts";
import { appMistake } from "./app-target.ts";
import { defaultWorkers } from "./cpus.ts";
import type { Configuration } from "./file/read-configuration.ts";
import type { HostFacts } from "./host-facts.ts";
import { placedErrorPages } from "./error-pages.ts";
import { placedFolders, staticRoutes } from "./files.ts";
import { judgedPaths, judgedSettings } from "./judged-paths.ts";
import { listen } from "./listen.ts";
import { operations } from "./operations.ts";
import { originName, originRank, originText } from "./origin.ts";
import { absolutePath } from "./paths.ts";
import type { Bind, Plan } from "./plan.ts";
import { poolsOf } from "./pools.ts";
import { reloadOf } from "./reload.ts";
import { resolve, type Environment, type Resolved } from "./resolve.ts";
import { tlsOf, type TlsAsked } from "./tls.ts";
import { backlog, umask } from "./settings/bind.ts";
import * as buffering from "./settings/buffering.ts";
import * as caching from "./settings/cache.ts";
import * as files from "./settings/files.ts";
import * as http from "./settings/http.ts";
import * as http2 from "./settings/http2.ts";
import * as limits from "./settings/limits.ts";
import * as logging from "./settings/logging.ts";
import * as pools from "./settings/pools.ts";
import * as processRows from "./settings/process.ts";
import * as proxy from "./settings/proxy.ts";
import * as reload from "./settings/reload.ts";
import * as python from "./settings/python.ts";
import * as tlsRows from "./settings/tls.ts";
import * as timeouts from "./settings/timeouts.ts";
import * as webSocket from "./settings/web-socket.ts";
import * as workers from "./settings/workers.ts";
import { areForUs, passedSockets } from "./socket-activation.ts";
import type { SitePlan } from "./sites/site.ts";
import { sitesOf } from "./sites/sites-of.ts";
import { placedAuthorities } from "./upstream-files.ts";
import { sizingOf } from "./worker-count.ts";
import { workerModel } from "./worker-model.ts";

export type PlanResult =
  | {
      readonly type: "plan";
      readonly plan: Plan;
      readonly notices: readonly string[];
      /** Certificates whose files nobody has looked at yet. */
      readonly tls: TlsAsked | null;
    }
  | { readonly type: "help" }
  | { readonly type: "version" }
  | { readonly type: "mistakes"; readonly mistakes: readonly string[]; readonly tls: TlsAsked | null };

/** `file` is the configuration file that was found. */
export function readPlan(
  argv: readonly string[],
  env: Environment,
  host: HostFacts,
  file: Configuration | null = null,
): PlanResult {
  const resolved = resolve(argv, env, file?.settings);
  // Whoever asks for help gets it, whatever else is wrong with the line.
  if (resolved.get(processRows.help).value) return { type: "help" };
  if (resolved.get(processRows.version).value) return { type: "version" };

  const mistakes = [...(file?.mistakes ?? []), ...resolved.mistakes];
  const notices = [...resolved.notices];
  const value = <T>(setting: Parameters<typeof resolved.get<T>>[0]): T => resolved.get(setting).value;

  const words =
    resolved.positionals.length > 0 ? resolved.positionals : [env["UVICORN_APP"] || (file?.content?.app ?? "")];

  const chdir = absolutePath(host.cwd, value(python.chdir) ?? ".");
  if (!host.isDirectory(chdir))
    mistakes.push(`${originText(resolved.get(python.chdir).origin)} is not a folder (${chdir})`);
  const fromChdir = (path: string): string => absolutePath(chdir, path);
  const logPath = (path: string): string => (path === "-" ? path : fromChdir(path));

  const spoolDir = absolutePath(chdir, value(buffering.spoolDir) ?? (env["TMPDIR"] || "/tmp"));

  const passed = passedSockets(env, host.pid);
  const addresses = listen(resolved, env, passed.binds);
  mistakes.push(...addresses.mistakes);
  notices.push(...addresses.notices);

  const secured = tlsOf(resolved, addresses.binds, fromChdir);
  mistakes.push(...secured.mistakes);
  notices.push(...secured.notices);

  const binds = addresses.binds.map((address) => placed(address, fromChdir));
  const operating = operations(resolved, env, binds, passed.health, fromChdir, host);
  mistakes.push(...operating.mistakes);
  notices.push(...operating.notices);

  const found = host.findPython(value(python.python), chdir);
  if ("error" in found) mistakes.push(found.error);

  const pythonpath = searchPath(resolved, fromChdir, chdir);
  const reloading = reloadOf(resolved, pythonpath, fromChdir, host);
  mistakes.push(...reloading.mistakes);
  notices.push(...reloading.notices);
  const isDevelopment = reloading.plan !== null;
  if (isDevelopment && value(workers.preload))
    notices.push(`${originName(resolved.get(workers.preload).origin)} has no effect with --reload`);

  const sizing = resolved.get(workers.workers);
  const automatic = isDevelopment
    ? { workers: 1, reason: "--reload", cpus: host.affinityCpus }
    : defaultWorkers(host.affinityCpus, host.cgroupQuotaCpus);
  const running = workerModel(resolved, automatic.workers);
  mistakes.push(...running.mistakes);
  notices.push(...running.notices);

  const environ = Object.fromEntries(value(python.environ));
  const elasticity = { growWaitMs: value(pools.scaleUpWait), shrinkAfterMs: value(pools.scaleDownAfter) };
  const main = {
    app: words[0] ?? "",
    factory: value(python.factory),
    interface: running.interface,
    interfaceFrom: running.interfaceFrom,
    threads: running.threads,
    gevent: running.gevent,
    withoutGil: running.withoutGil,
    workerConnections: value(workers.workerConnections),
    rootPath: rootPathOf(resolved, environ),
    timeoutMs: value(timeouts.timeout),
    queueSize: value(limits.queueSize),
    queueTimeoutMs: value(timeouts.queueTimeout),
  };
  const asked = file === null || file.content === null ? null : { content: file.content, where: file.where };
  const statics = value(files.staticFolders);
  const routing = sitesOf(asked, value(pools.pool), staticRoutes(statics), main.app);
  mistakes.push(...routing.mistakes);
  const appProblem = appMistake(words);
  // A file with mistakes tells no app, and its own mistakes are enough then; folders, upstreams and their like need none.
  const needsApp = (file === null || file.content !== null) && !routing.sites.some(({ routes }) => routes.length > 0);
  if (appProblem !== null && (words[0] !== "" || needsApp)) mistakes.unshift(appProblem);
  const folders = placedFolders(placedErrorPages(routing.sites, fromChdir), fromChdir, host);
  const sites = placedAuthorities(folders.sites, fromChdir);
  mistakes.push(...folders.mistakes);
  for (const { mistakes: more, notices: told } of [
    ...(file === null ? [] : [judgedPaths(file, host.isDirectory(chdir) ? chdir : null, host)]),
    judgedSettings(resolved, chdir, host),
  ]) {
    mistakes.push(...more);
    notices.push(...told);
  }
  const beside = poolsOf([...value(pools.pool), ...routing.pools], main, automatic, elasticity);
  mistakes.push(...beside.mistakes);
  notices.push(...remarks(resolved, env, host));

  if (mistakes.length > 0)
    return { type: "mistakes", mistakes: inOrder([...new Set(mistakes)], file?.name ?? null), tls: secured.asked };
  const accessLog = accessLogOf(resolved);
  const pidFile = value(processRows.pidFile);
  const plan: Plan = {
    ...main,
    binds,
    backlog: value(backlog),
    umask: value(umask),
    ...sizingOf(sizing.value, automatic.workers, elasticity),
    workersReason: sizing.value === "auto" ? automatic.reason : originText(sizing.origin),
    cpus: automatic.cpus,
    pools: beside.pools.map((pool) => ({ ...pool, patterns: patternsTo(pool.name, sites) })),
    configurationFile: file?.path ?? null,
    sites,
    refusesUnknownHosts: routing.refusesUnknownHosts,
    python: "path" in found ? found.path : "",
    chdir,
    pythonpath,
    environ,
    preload: value(workers.preload) && !isDevelopment,
    reload: reloading.plan,
    reloadTimeoutMs: value(reload.reloadTimeout),
    readyUrl: value(reload.readyUrl),
    loop: value(python.loop),
    lifespan: value(python.lifespan),
    gracefulTimeoutMs: value(timeouts.gracefulTimeout),
    cancelGoneMs: value(timeouts.cancelGone),
    keepAliveMs: value(timeouts.keepAlive),
    maxRequests: value(workers.maxRequests),
    maxRequestsJitter: value(workers.maxRequestsJitter),
    maxWorkerAgeMs: value(workers.maxWorkerAge),
    maxWorkerMemoryBytes: value(workers.maxWorkerMemory),
    cgroupRoot: value(workers.cgroupRoot),
    limitRequestLine: value(limits.limitRequestLine),
    limitRequestFields: value(limits.limitRequestFields),
    limitRequestFieldSize: value(limits.limitRequestFieldSize),
    headerMap: value(limits.headerMap),
    http2: value(http2.http2)
      ? {
          cleartext: value(http2.http2Cleartext),
          maxConcurrentStreams: value(http2.http2MaxConcurrentStreams),
          initialWindowSize: value(http2.http2InitialWindowSize),
          maxFrameSize: value(http2.http2MaxFrameSize),
          maxHeaderListSize: value(http2.http2MaxHeaderListSize),
        }
      : null,
    webSocket: value(webSocket.webSockets)
      ? {
          maxSize: value(webSocket.webSocketMaxSize),
          pingIntervalMs: value(webSocket.webSocketPingInterval),
          pingTimeoutMs: value(webSocket.webSocketPingTimeout),
          deflate: value(webSocket.webSocketDeflate),
        }
      : null,
    limitConcurrency: value(limits.limitConcurrency),
    limitConnections: value(limits.limitConnections),
    limitConnectionsPerClient: value(limits.limitConnectionsPerClient),
    limitConnectionRequests: value(limits.limitConnectionRequests),
    limitRequestBody: value(limits.limitRequestBody),
    minBodyRate: value(limits.minBodyRate),
    headerTimeoutMs: value(timeouts.headerTimeout),
    bodyTimeoutMs: value(timeouts.bodyTimeout),
    writeTimeoutMs: value(timeouts.writeTimeout),
    requestBuffering: value(buffering.requestBuffering),
    bodyMemory: value(buffering.bodyMemory),
    responseBuffer: value(buffering.responseBuffer),
    spoolDir,
    spoolMax: value(buffering.spoolMax),
    cache: cacheOf(resolved, fromChdir),
    cachesAll: value(caching.cacheMemory) > 0,
    files: {
      isAuto: statics.some(({ type }) => type === "auto"),
      accel: value(files.accel).map(({ prefix, root }) => ({ prefix, root: fromChdir(root) })),
      sendfileRoots: value(files.sendfileRoots).map(fromChdir),
    },
    staticMemory: value(files.staticMemory),
    sendfile: value(files.sendfile),
    forwarding: value(proxy.proxyHeaders)
      ? { trusted: value(proxy.forwardedAllowIps), believed: value(proxy.trustedHeaders) }
      : null,
    proxyProtocol: proxyProtocolOf(resolved),
    queueTargetMs: isDevelopment ? 0 : value(timeouts.queueTarget),
    serverHeader: value(http.serverHeader),
    dateHeader: value(http.dateHeader),
    compression: value(http.compression),
    tls: secured.tls,
    redirectHttp: value(tlsRows.redirectHttp).map((address) => placed(address, fromChdir)),
    redirectPort: value(tlsRows.redirectPort),
    hsts: secured.tls === null ? "" : (value(tlsRows.hsts) ?? ""),
    accessLog: accessLog === null ? null : logPath(accessLog),
    accessLogFormat: value(logging.accessLogFormat),
    errorLog: logPath(value(logging.errorLog)),
    logLevel: value(logging.logLevel),
    pidFile: pidFile === null ? null : fromChdir(pidFile),
    operations: {
      ...operating.plan,
      healthBind: operating.plan.healthBind === null ? null : placed(operating.plan.healthBind, fromChdir),
    },
  };
  return { type: "plan", plan, notices, tls: secured.asked };
}

/** Those of the file of this name by their lines, before the others. */
export function inOrder(mistakes: readonly string[], name: string | null): readonly string[] {
  if (name === null) return mistakes;
  const lineOf = (mistake: string): number => {
    const line = mistake.startsWith(`${name}:`) ? Number.parseInt(mistake.slice(name.length + 1), 10) : NaN;
    return Number.isNaN(line) ? Infinity : line;
  };
  const lines = new Map(mistakes.map((mistake) => [mistake, lineOf(mistake)]));
  return mistakes.toSorted((a, b) => Math.sign((lines.get(a) ?? 0) - (lines.get(b) ?? 0)) || 0);
}

// Private

/** For whoever asks what a pool is for. */
function patternsTo(pool: string, sites: readonly SitePlan[]): readonly PathPattern[] {
  const routes = sites.flatMap((site) => site.routes);
  const own = routes.filter(({ destination }) => destination.type === "app" && destination.pool === pool);
  return own.map(({ match }) => match.pattern);
}

function placed(address: Bind, fromChdir: (path: string) => string): Bind {
  const isFile = address.type === "unix" && !address.path.startsWith("\0");
  return isFile ? { ...address, path: fromChdir(address.path) } : address;
}

/**
 * The head of sys.path. gunicorn inserts chdir at 0, then each --pythonpath entry at 0, so the last entry ends up first and chdir
 * last; uvicorn inserts --app-dir at 0.
 */
function searchPath(resolved: Resolved, fromChdir: (path: string) => string, chdir: string): readonly string[] {
  const appDir = resolved.get(python.appDir).value;
  const entries = resolved.get(python.pythonpath).value;
  const folders = [...(appDir === null ? [] : [fromChdir(appDir)]), ...entries.map(fromChdir).reverse(), chdir];
  return [...new Set(folders)];
}

/** gunicorn takes the prefix from the variable SCRIPT_NAME, which `-e` sets too. */
function rootPathOf(resolved: Resolved, environ: Readonly<Record<string, string>>): string {
  const asked = resolved.get(python.rootPath);
  if (originRank[asked.origin.type] > originRank.environment) return asked.value;
  const scriptName = environ["SCRIPT_NAME"];
  const parsed = scriptName === undefined ? null : python.rootPath.read([scriptName]);
  return parsed?.type === "value" ? parsed.value : asked.value;
}

function cacheOf(resolved: Resolved, fromChdir: (path: string) => string): Plan["cache"] {
  const asked = resolved.get(caching.cacheMemory).value;
  const folder = resolved.get(caching.cacheDisk).value;
  return {
    memoryBytes: asked === 0 ? CACHE_BYTES : asked,
    folder: folder === null ? null : fromChdir(folder),
    diskBytes: resolved.get(caching.cacheDiskSize).value,
  };
}

/** Where only routes ask for a cache. */
const CACHE_BYTES = 67_108_864;

function proxyProtocolOf(resolved: Resolved): Plan["proxyProtocol"] {
  const mode = resolved.get(proxy.proxyProtocol).value;
  return mode === "off" ? null : { mode, allowed: resolved.get(proxy.proxyAllowFrom).value };
}

/** `--no-access-log` silences a log file named by a weaker origin or on the same line; a stronger `--access-logfile` wins. */
function accessLogOf(resolved: Resolved): string | null {
  const file = resolved.get(logging.accessLogfile);
  const toggled = resolved.get(logging.accessLog);
  if (toggled.value === true) return file.value ?? "-";
  if (toggled.value === false && originRank[toggled.origin.type] >= originRank[file.origin.type]) return null;
  return file.value;
}

/** What is legal but probably not meant. */
function remarks(resolved: Resolved, env: Environment, host: HostFacts): readonly string[] {
  const notices: string[] = [];
  const mode = resolved.get(umask);
  if (mode.origin.type !== "default" && "text" in mode.origin && /^[1-9]/.test(mode.origin.text ?? "")) {
    const octal = mode.value.toString(8).padStart(3, "0");
    notices.push(
      `${originText(mode.origin)} is a decimal number, as in gunicorn: the umask is 0${octal}; write it with a leading 0 for octal`,
    );
  }
  const jitter = resolved.get(workers.maxRequestsJitter);
  if (jitter.value > 0 && resolved.get(workers.maxRequests).value === 0) {
    notices.push(`${originName(jitter.origin)} has no effect without --max-requests`);
  }
  for (const list of [proxy.forwardedAllowIps, proxy.trustedHeaders]) {
    const { origin } = resolved.get<unknown>(list);
    if (origin.type !== "default" && !resolved.get(proxy.proxyHeaders).value)
      notices.push(`${originText(origin)} has no effect with ${originText(resolved.get(proxy.proxyHeaders).origin)}`);
  }
  const isElastic = [
    resolved.get(workers.workers).value,
    ...resolved.get(pools.pool).value.map((one) => one.workers),
  ].some((count) => typeof count === "object");
  for (const setting of [pools.scaleUpWait, pools.scaleDownAfter]) {
    const { origin } = resolved.get(setting);
    if (origin.type !== "default" && !isElastic)
      notices.push(`${originText(origin)} has no effect without --workers MIN:MAX`);
  }
  const allowed = resolved.get(proxy.proxyAllowFrom).origin;
  if (allowed.type !== "default" && proxyProtocolOf(resolved) === null)
    notices.push(`${originText(allowed)} has no effect without --proxy-protocol`);
  const configFile = absolutePath(host.cwd, "gunicorn.conf.py");
  if (host.isFile(configFile)) {
    notices.push(
      `${configFile} is not read: give its settings as flags, as flags in GUNICORN_CMD_ARGS, or in maitred.toml`,
    );
  }
  const forPid = env["LISTEN_PID"] ?? "";
  if ((env["LISTEN_FDS"] ?? "") !== "" && !areForUs(env, host.pid)) {
    notices.push(
      `LISTEN_FDS=${env["LISTEN_FDS"]} has no effect: LISTEN_PID is ${forPid || "not set"} and this process is ${host.pid}; to take such a socket nonetheless, give --bind fd://3`,
    );
  }
  return notices;
}
