/** From command lines and environments to Plans and notices, on an invented host with 4 CPUs. Mistakes: read-plan.mistakes.test.ts; notices: read-plan.notices.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForwardingField } from "../http/forwarded.ts";
import { TrustedProxies } from "../http/trusted-proxies.ts";
import { type Env, house, planned, read } from "./invented-host.test.ts";
import type { Plan } from "./plan.ts";

function proxies(text: string): TrustedProxies {
  const list = TrustedProxies.parse(text);
  return typeof list === "string" ? assert.fail(list) : list;
}

/** What follows from other fields has tests of its own (worker-model.test.ts). */
type Told = Omit<Plan, "interfaceFrom" | "withoutGil">;

/** The Plan of `maitred app:app`; every other Plan is told as what differs from it. */
const plain: Told = {
  app: "app:app",
  factory: false,
  interface: "auto",
  binds: [{ type: "tcp", host: "127.0.0.1", port: 8000 }],
  backlog: 2048,
  umask: 0,
  workers: 4,
  workersReason: "4 CPUs (affinity)",
  sizing: { type: "auto" },
  cpus: 4,
  pools: [],
  configurationFile: null,
  sites: [],
  files: { isAuto: false, accel: [], sendfileRoots: [] },
  staticMemory: 67_108_864,
  sendfile: true,
  refusesUnknownHosts: false,
  threads: 1,
  gevent: false,
  workerConnections: 1000,
  python: "/usr/bin/python3",
  chdir: "/srv/site",
  pythonpath: ["/srv/site"],
  environ: {},
  preload: false,
  reload: null,
  reloadTimeoutMs: 120_000,
  readyUrl: null,
  loop: "auto",
  lifespan: "auto",
  rootPath: "",
  timeoutMs: 30_000,
  gracefulTimeoutMs: 30_000,
  cancelGoneMs: null,
  keepAliveMs: 75_000,
  maxRequests: 0,
  maxRequestsJitter: 0,
  maxWorkerAgeMs: 0,
  maxWorkerMemoryBytes: 0,
  cgroupRoot: "/sys/fs/cgroup",
  limitRequestLine: 4094,
  limitRequestFields: 100,
  limitRequestFieldSize: 8190,
  headerMap: "drop",
  webSocket: { maxSize: 16_777_216, pingIntervalMs: 20_000, pingTimeoutMs: 20_000, deflate: true },
  queueSize: 1000,
  queueTimeoutMs: 30_000,
  limitConcurrency: 0,
  limitConnections: 0,
  limitConnectionsPerClient: 0,
  limitConnectionRequests: 0,
  limitRequestBody: 1_073_741_824,
  minBodyRate: 240,
  headerTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  writeTimeoutMs: 60_000,
  requestBuffering: "auto",
  bodyMemory: 1_048_576,
  responseBuffer: 1_073_741_824,
  spoolDir: "/tmp",
  spoolMax: 4_294_967_296,
  cache: { memoryBytes: 67_108_864, folder: null, diskBytes: 1_073_741_824 },
  cachesAll: false,
  forwarding: {
    trusted: proxies("127.0.0.1,::1"),
    believed: new Set(["x-forwarded-for", "x-forwarded-proto", "forwarded"]),
  },
  proxyProtocol: null,
  http2: {
    cleartext: true,
    maxConcurrentStreams: 100,
    initialWindowSize: 262_144,
    maxFrameSize: 16_384,
    maxHeaderListSize: 65_536,
  },
  queueTargetMs: 500,
  serverHeader: true,
  dateHeader: true,
  compression: null,
  tls: null,
  redirectHttp: [],
  redirectPort: null,
  hsts: "",
  accessLog: null,
  accessLogFormat: '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
  errorLog: "-",
  logLevel: "info",
  pidFile: null,
  operations: {
    healthBind: null,
    healthPath: null,
    drainDelayMs: 0,
    control: { type: "abstract" },
    notifyFd: null,
    initFd: null,
    command: null,
    handover: null,
    activation: {},
    watchdogMs: 0,
  },
};

/** Whoever gives a number of workers fixes it. */
const counted = ({ workersReason }: Partial<Plan>): Partial<Plan> =>
  workersReason === undefined ? {} : { sizing: { type: "fixed" } };

const believed = (trusted: string, ...fields: ForwardingField[]): Partial<Plan> => ({
  forwarding: { trusted: proxies(trusted), believed: new Set(fields) },
});

const tcp = (host: string, port: number): Plan["binds"][number] => ({ type: "tcp", host, port });

const lines: readonly (readonly [line: string, env: Env, difference: Partial<Told>])[] = [
  ["--limit-concurrency 5 --limit-connections 100 app:app", {}, { limitConcurrency: 5, limitConnections: 100 }],
  ["app:app", { UVICORN_LIMIT_CONCURRENCY: "7" }, { limitConcurrency: 7 }],
  ["--limit-request-body 2g --min-body-rate 0 app:app", {}, { limitRequestBody: 2_147_483_648, minBodyRate: 0 }],
  [
    "--limit-connections-per-client 9 --limit-requests-per-connection 8 app:app",
    {},
    { limitConnectionsPerClient: 9, limitConnectionRequests: 8 },
  ],
  [
    "--header-timeout 1 --body-timeout 2 --write-timeout 500ms app:app",
    {},
    { headerTimeoutMs: 1000, bodyTimeoutMs: 2000, writeTimeoutMs: 500 },
  ],
  [
    "--request-buffering off --body-memory 64k --response-buffer 0 app:app",
    {},
    { requestBuffering: "off", bodyMemory: 65_536, responseBuffer: 0 },
  ],
  ["--spool-max 100m app:app", { TMPDIR: "/var/tmp" }, { spoolDir: "/var/tmp", spoolMax: 104_857_600 }],
  [
    "--forwarded-allow-ips=10.0.0.0/8,::1 app:app",
    { FORWARDED_ALLOW_IPS: "*" },
    believed("10.0.0.0/8,::1", "x-forwarded-for", "x-forwarded-proto", "forwarded"),
  ],
  ["app:app", { FORWARDED_ALLOW_IPS: "*" }, believed("*", "x-forwarded-for", "x-forwarded-proto", "forwarded")],
  [
    "--trusted-headers Forwarded,x-forwarded-prefix --forwarded-allow-ips private app:app",
    {},
    believed("private", "forwarded", "x-forwarded-prefix"),
  ],
  ["--no-proxy-headers app:app", {}, { forwarding: null }],
  ["app:app", { UVICORN_PROXY_HEADERS: "false" }, { forwarding: null }],
  ["--proxy-protocol v2 app:app", {}, { proxyProtocol: { mode: "v2", allowed: proxies("127.0.0.1,::1") } }],
  ["--proxy-protocol app:app", {}, { proxyProtocol: { mode: "auto", allowed: proxies("127.0.0.1,::1") } }],
  [
    "--proxy-protocol auto --proxy-allow-from * app:app",
    {},
    { proxyProtocol: { mode: "auto", allowed: proxies("*") } },
  ],
  ["app:app", {}, {}],

  // The most frequent lines in the wild.
  [
    "--bind :8080 --workers 1 --threads 8 --timeout 0 app:app",
    { PORT: "8080" },
    { binds: [tcp("0.0.0.0", 8080)], workers: 1, workersReason: "--workers 1", threads: 8, timeoutMs: 0 },
  ],
  [
    "-w 4 -b 0.0.0.0:8000 proj.wsgi:application --access-logfile - --error-logfile - --worker-tmp-dir /dev/shm",
    {},
    { app: "proj.wsgi:application", workersReason: "-w 4", binds: [tcp("0.0.0.0", 8000)], accessLog: "-" },
  ],
  ["-k uvicorn.workers.UvicornWorker -w 4 main:app", {}, { app: "main:app", interface: "asgi", workersReason: "-w 4" }],
  ["-k uvicorn_worker.UvicornWorker main:app", {}, { app: "main:app", interface: "asgi" }],
  ["-k uvicorn.workers.UvicornH11Worker main:app", {}, { app: "main:app", interface: "asgi" }],
  [
    "main:app --host 0.0.0.0 --port 8080 --workers 4 --proxy-headers",
    {},
    { app: "main:app", workersReason: "--workers 4", binds: [tcp("0.0.0.0", 8080)] },
  ],
  [
    "app:app",
    { PORT: "5000", WEB_CONCURRENCY: "3" },
    { binds: [tcp("0.0.0.0", 5000)], workers: 3, workersReason: "WEB_CONCURRENCY=3" },
  ],
  [
    "app:app",
    { GUNICORN_CMD_ARGS: "--bind=0.0.0.0:80 --workers=3 --access-logfile -" },
    { binds: [tcp("0.0.0.0", 80)], workers: 3, workersReason: "--workers 3 in GUNICORN_CMD_ARGS", accessLog: "-" },
  ],
  ["'app:create_app(\"prod\")'", {}, { app: 'app:create_app("prod")' }],
  ["--factory app:create_app", {}, { app: "app:create_app", factory: true }],
  ["--uds /tmp/app.sock main:app", {}, { app: "main:app", binds: [{ type: "unix", path: "/tmp/app.sock" }] }],
  [
    "--bind unix:run/app.sock -m 007 --chdir /app app:app",
    {},
    { binds: [{ type: "unix", path: "/app/run/app.sock" }], umask: 7, chdir: "/app", pythonpath: ["/app"] },
  ],
  [
    "--max-requests 1000 --max-requests-jitter 50 --preload app:app",
    {},
    { maxRequests: 1000, maxRequestsJitter: 50, preload: true },
  ],
  [
    "main:app --limit-max-requests 10 --timeout-keep-alive 5 --timeout-graceful-shutdown 10 --no-server-header --no-access-log",
    {},
    { app: "main:app", maxRequests: 10, keepAliveMs: 5000, gracefulTimeoutMs: 10_000, serverHeader: false },
  ],

  // How a worker runs the application.
  ["--interface asgi3 app:app", {}, { interface: "asgi" }],
  ["--threads 2 app:app", {}, { threads: 2 }],
  ["-w auto app:app", { WEB_CONCURRENCY: "9" }, {}],

  // Where to listen.
  [
    "-b :80 -b [::]:80 -b unix:@x -b fd://3 app:app",
    {},
    { binds: [tcp("0.0.0.0", 80), tcp("::", 80), { type: "unix", path: "\0x" }, { type: "fd", fd: 3 }] },
  ],
  ["--fd 3 app:app", {}, { binds: [{ type: "fd", fd: 3 }] }],
  ["--port 9000 app:app", { PORT: "5000" }, { binds: [tcp("127.0.0.1", 9000)] }],
  ["--port 9000 app:app", { UVICORN_HOST: "0.0.0.0" }, { binds: [tcp("0.0.0.0", 9000)] }],
  ["-b :80 app:app", { UVICORN_HOST: "10.0.0.1", PORT: "5000" }, { binds: [tcp("0.0.0.0", 80)] }],
  ["--host :: app:app", { GUNICORN_CMD_ARGS: "-b 0.0.0.0:80" }, { binds: [tcp("::", 8000)] }],
  ["-b :81 app:app", { GUNICORN_CMD_ARGS: "-b :82 -b :83" }, { binds: [tcp("0.0.0.0", 81)] }],
  ["app:app", { PORT: "", WEB_CONCURRENCY: "" }, {}],

  // Order of sources.
  [
    "-w 5 app:app",
    { GUNICORN_CMD_ARGS: "-w 6", UVICORN_WORKERS: "7", WEB_CONCURRENCY: "8" },
    { workers: 5, workersReason: "-w 5" },
  ],
  [
    "app:app",
    { GUNICORN_CMD_ARGS: "-w 6", UVICORN_WORKERS: "7", WEB_CONCURRENCY: "8" },
    { workers: 6, workersReason: "-w 6 in GUNICORN_CMD_ARGS" },
  ],
  ["app:app", { UVICORN_WORKERS: "7", WEB_CONCURRENCY: "8" }, { workers: 7, workersReason: "UVICORN_WORKERS=7" }],
  ["-w 2 -w 3 app:app", {}, { workers: 3, workersReason: "-w 3" }],
  ["-w 2 app:app", { WEB_CONCURRENCY: "nonsense" }, { workers: 2, workersReason: "-w 2" }],
  ["", { UVICORN_APP: "main:app" }, { app: "main:app" }],
  ["", { GUNICORN_CMD_ARGS: "main:app" }, { app: "main:app" }],
  ["app:app", { UVICORN_FACTORY: "yes", UVICORN_SERVER_HEADER: "false" }, { factory: true, serverHeader: false }],

  [
    "app:app",
    { WEB_CONCURRENCY: " 2\n", PORT: "81 " },
    { workers: 2, workersReason: "WEB_CONCURRENCY=2", binds: [tcp("0.0.0.0", 81)] },
  ],

  // Folders and files.
  ["--app-dir src app:app", {}, { pythonpath: ["/srv/site/src", "/srv/site"] }],
  ["--pythonpath lib,/opt/more app:app", {}, { pythonpath: ["/opt/more", "/srv/site/lib", "/srv/site"] }],
  ["--pythonpath . app:app", {}, { pythonpath: ["/srv/site"] }],
  [
    "--chdir src --pythonpath ../lib app:app",
    {},
    { chdir: "/srv/site/src", pythonpath: ["/srv/site/lib", "/srv/site/src"] },
  ],
  [
    "--pid run/p.pid --access-logfile a.log --log-file e.log app:app",
    {},
    { pidFile: "/srv/site/run/p.pid", accessLog: "/srv/site/a.log", errorLog: "/srv/site/e.log" },
  ],
  ["-e A=1 -e B=x=y -e A=2 --env C= app:app", {}, { environ: { A: "2", B: "x=y", C: "" } }],
  ["--python /opt/py app:app", {}, { python: "/opt/py" }],

  // The rest.
  ["--access-log app:app", {}, { accessLog: "-" }],
  ["--access-log --access-logfile /a.log app:app", {}, { accessLog: "/a.log" }],
  ["--no-access-log --access-logfile /a.log app:app", {}, {}],
  ["--access-logfile /a.log app:app", { UVICORN_ACCESS_LOG: "no" }, { accessLog: "/a.log" }],
  ["--no-access-log app:app", { GUNICORN_CMD_ARGS: "--access-logfile -" }, {}],
  ["--log-level WARNING app:app", {}, { logLevel: "warning" }],
  ["--log-level trace app:app", {}, { logLevel: "debug" }],
  ["--root-path /api/ app:app", {}, { rootPath: "/api" }],
  ["app:app", { SCRIPT_NAME: "/api" }, { rootPath: "/api" }],
  ["-e SCRIPT_NAME=/api app:app", {}, { rootPath: "/api", environ: { SCRIPT_NAME: "/api" } }],
  [
    "-t 1.5 --graceful-timeout 2m --keep-alive 500ms --queue-timeout 1h app:app",
    {},
    { timeoutMs: 1500, gracefulTimeoutMs: 120_000, keepAliveMs: 500, queueTimeoutMs: 3_600_000 },
  ],
  [
    "--limit-request-line 0 --limit-request-fields 0 --limit-request-field_size 16k app:app",
    {},
    { limitRequestLine: 0, limitRequestFields: 32_768, limitRequestFieldSize: 16_384 },
  ],
  [
    "--limit-request-field-size 100 --header-map refuse --queue-size 5 app:app",
    {},
    { limitRequestFieldSize: 100, headerMap: "refuse", queueSize: 5 },
  ],
  [
    "--asgi-loop uvloop --asgi-lifespan off --no-date-header app:app",
    {},
    { loop: "uvloop", lifespan: "off", dateHeader: false },
  ],
];

for (const [line, env, difference] of lines) {
  const variables = Object.entries(env)
    .map(([name, text]) => `${name}='${text}' `)
    .join("");
  test(`plans: ${variables}maitred ${line}`, () => {
    const { interfaceFrom: _asked, withoutGil: _without, ...told } = planned(line, env).plan;
    assert.deepEqual(told, { ...plain, ...counted(difference), ...difference });
  });
}

test("a cgroup quota sizes the workers", () => {
  const { plan } = planned("app:app", {}, { ...house, cgroupQuotaCpus: 1.5 });
  assert.equal(plan.workers, 2);
  assert.equal(plan.workersReason, "cgroup quota 1.5 CPUs");
});

test("help and version come before every mistake", () => {
  for (const line of ["--help", "-h", "--foo -w zero -h", "app.py --help"]) assert.equal(read(line).type, "help", line);
  for (const line of ["--version", "-v", "-v -w zero"]) assert.equal(read(line).type, "version", line);
});
