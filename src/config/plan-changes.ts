/** What a configuration that is read again changes: some of it at once, some with the next workers, the rest only at the next start. Pure. */
import type { Plan } from "./plan.ts";

/** "now", "workers" (with the next generation), or the key of the setting that wants a new start. */
type Effect = "now" | "workers" | { readonly restart: string };

const effects: Readonly<Record<keyof Plan, Effect>> = {
  app: "workers",
  factory: "workers",
  interface: "workers",
  interfaceFrom: "workers",
  binds: { restart: "bind" },
  backlog: { restart: "backlog" },
  umask: { restart: "umask" },
  workers: "workers",
  sizing: "workers",
  cpus: "now",
  compression: "now",
  pools: "workers",
  configurationFile: "now",
  sites: "now",
  refusesUnknownHosts: "now",
  workersReason: "now",
  threads: "workers",
  gevent: "workers",
  withoutGil: "workers",
  workerConnections: "workers",
  python: "workers",
  chdir: "workers",
  pythonpath: "workers",
  environ: "workers",
  preload: "workers",
  reload: { restart: "reload" },
  reloadTimeoutMs: "workers",
  readyUrl: "workers",
  loop: "workers",
  lifespan: "workers",
  rootPath: "workers",
  timeoutMs: "workers",
  gracefulTimeoutMs: "workers",
  cancelGoneMs: "workers",
  keepAliveMs: "now",
  maxRequests: "workers",
  maxRequestsJitter: "workers",
  maxWorkerAgeMs: "workers",
  maxWorkerMemoryBytes: "workers",
  cgroupRoot: { restart: "cgroup-root" },
  limitRequestLine: "now",
  limitRequestFields: "now",
  limitRequestFieldSize: "now",
  headerMap: "now",
  http2: { restart: "http2" },
  webSocket: "now",
  queueSize: "now",
  queueTimeoutMs: "now",
  limitConcurrency: { restart: "limit-concurrency" },
  limitConnections: { restart: "limit-connections" },
  limitConnectionsPerClient: { restart: "limit-connections-per-client" },
  limitConnectionRequests: "now",
  limitRequestBody: "now",
  minBodyRate: "now",
  headerTimeoutMs: "now",
  bodyTimeoutMs: "now",
  writeTimeoutMs: "now",
  requestBuffering: "now",
  bodyMemory: "now",
  responseBuffer: { restart: "response-buffer" },
  spoolDir: { restart: "spool-dir" },
  spoolMax: { restart: "spool-max" },
  cache: { restart: "cache-memory, cache-disk or cache-disk-size" },
  cachesAll: "now",
  files: "now",
  staticMemory: { restart: "static-memory" },
  sendfile: { restart: "sendfile" },
  forwarding: "now",
  proxyProtocol: "now",
  queueTargetMs: "now",
  serverHeader: "now",
  dateHeader: { restart: "date-header" },
  tls: { restart: "certfile and its companions" },
  redirectHttp: { restart: "redirect-http" },
  redirectPort: { restart: "redirect-port" },
  hsts: "now",
  accessLog: { restart: "access-logfile" },
  accessLogFormat: { restart: "access-logformat" },
  errorLog: { restart: "error-logfile" },
  logLevel: { restart: "log-level" },
  pidFile: { restart: "pid" },
  operations: { restart: "health-bind and other settings of operations" },
};

/** Keys of the settings whose new values wait for a restart. */
export function waitingForRestart(started: Plan, next: Plan): readonly string[] {
  const waiting: string[] = [];
  for (const [field, effect] of Object.entries(effects) as [keyof Plan, Effect][])
    if (typeof effect === "object" && !isSame(started[field], next[field])) waiting.push(effect.restart);
  return waiting;
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
