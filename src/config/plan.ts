/**
 * The Plan: everything that was asked, resolved, checked and frozen before anything starts. server/ takes a Plan and nothing else;
 * no other room reads flags, files or the environment.
 */
import type { ForwardingPolicy } from "../http/client-identity.ts";
import type { PathPattern } from "../http/path-pattern.ts";
import type { ProxyProtocolPolicy } from "../http/proxy-header.ts";
import type { FilesPlan } from "./files.ts";
import type { CompressionPlan } from "./compression.ts";
import type { OperationsPlan } from "./operations.ts";
import type { ReloadPlan } from "./reload.ts";
import type { SitePlan } from "./sites/site.ts";
import type { ReadyUrl } from "./settings/reload.ts";

/** Where to listen. `unix` paths that begin with NUL are Linux abstract sockets. */
export type Bind = (
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string }
  | { readonly type: "fd"; readonly fd: number }
) & {
  /** Spelled https:// (true) or http:// (false); absent: TLS where there is a certificate. */
  readonly tls?: boolean;
};

export type TlsVersion = "TLSv1.2" | "TLSv1.3";
export type ClientCertificates = "none" | "optional" | "required";

/** TLS as asked for; the files are absolute paths, read when the server starts and whenever they change. */
export interface TlsPlan {
  /** The first serves clients that ask for none of the names. `keyfile` may be the same file. */
  readonly certificates: readonly { readonly certfile: string; readonly keyfile: string }[];
  readonly keyPassword: string | null;
  readonly leastVersion: TlsVersion;
  /** OpenSSL's notation; null = the defaults. */
  readonly ciphers: string | null;
  readonly clientCertificates: ClientCertificates;
  /** null unless client certificates are asked for. */
  readonly caFile: string | null;
  readonly handshakeTimeoutMs: number;
}

export type LogLevel = "critical" | "error" | "warning" | "info" | "debug";

/** How many workers a pool has. */
export type Sizing =
  | { readonly type: "fixed" }
  /** As many as the CPUs can use and the memory can hold. */
  | { readonly type: "auto" }
  | {
      readonly type: "elastic";
      readonly least: number;
      readonly most: number;
      /** A wait this long for a worker asks for one more. */
      readonly growWaitMs: number;
      /** So long must fewer have been enough before one goes. */
      readonly shrinkAfterMs: number;
    };

/** A group of workers with a queue of its own, and what differs from the main one. Other fields have the main pool's meaning. */
export type PoolPlan = Pick<
  Plan,
  | "app"
  | "factory"
  | "interface"
  | "interfaceFrom"
  | "workers"
  | "workersReason"
  | "sizing"
  | "threads"
  | "gevent"
  | "withoutGil"
  | "workerConnections"
  | "rootPath"
  | "timeoutMs"
  | "queueSize"
  | "queueTimeoutMs"
> & {
  readonly name: string;
  /** Which paths are its own; the main pool has those that are nobody's. */
  readonly patterns: readonly PathPattern[];
  /** Taken from the front of the path before the app sees it, and part of its rootPath; empty or "/prefix". */
  readonly mount: string;
};

/** The response cache, as far as all routes share it. */
export interface CacheStorePlan {
  readonly memoryBytes: number;
  /** Absolute path of the folder of the disk tier, and what its files may hold; null = memory alone. */
  readonly folder: string | null;
  readonly diskBytes: number;
}

export interface Plan {
  /** `MODULE`, `MODULE:ATTR` or `MODULE:factory(...)` as the operator wrote it; empty: no route needs one, and what none is for gets 404. */
  readonly app: string;
  readonly factory: boolean;
  /** `auto` looks at the application object. */
  readonly interface: "auto" | "wsgi" | "asgi";
  /** What asked for that interface, "-k gevent" for one; empty with `auto`. */
  readonly interfaceFrom: string;
  readonly binds: readonly Bind[];
  /** listen(2) backlog. */
  readonly backlog: number;
  /** Mode bits for Unix sockets: the file gets 0o777 & ~umask. */
  readonly umask: number;

  readonly workers: number;
  /** Whether that is the number for ever, what the CPUs could use, or what it begins with. */
  readonly sizing: Sizing;
  /** CPUs that we may use, with fractions. */
  readonly cpus: number;
  /** Pools beside the main one, which the fields here describe. */
  readonly pools: readonly PoolPlan[];
  /** Absolute path of the configuration file; null: there is none. */
  readonly configurationFile: string | null;
  /** The default site first; empty: every request is the main pool's. */
  readonly sites: readonly SitePlan[];
  /** Requests for a host that no site has get 421. */
  readonly refusesUnknownHosts: boolean;
  /** Why that many, for the banner: "--workers 4", "2 CPUs (cgroup quota 1.5)". */
  readonly workersReason: string;
  readonly threads: number;
  /** WSGI requests run in greenlets, in a Python that gevent has patched. */
  readonly gevent: boolean;
  /** How many, where Python turns out to be free-threaded: threads run at the same time there. */
  readonly withoutGil: { readonly workers: number; readonly threads: number };
  /** In-flight requests that one asyncio or gevent worker may hold (gunicorn's worker_connections). */
  readonly workerConnections: number;
  /** Absolute path of the Python interpreter. */
  readonly python: string;
  readonly chdir: string;
  /** Folders for the head of sys.path, absolute, in order. */
  readonly pythonpath: readonly string[];
  /** Variables added to the workers' environment. */
  readonly environ: Readonly<Record<string, string>>;
  readonly preload: boolean;
  /** Restart when files change; null = only when told to. */
  readonly reload: ReloadPlan | null;
  /** New workers that are not ready by then have failed; 0 = no limit. */
  readonly reloadTimeoutMs: number;
  /** What a new worker must answer with 2xx before it gets requests; null = nothing. */
  readonly readyUrl: ReadyUrl | null;
  readonly loop: "auto" | "asyncio" | "uvloop";
  readonly lifespan: "auto" | "on" | "off";
  /** SCRIPT_NAME and ASGI root_path; empty or "/prefix". */
  readonly rootPath: string;

  /** A request at work longer than this ends with 504 and costs the stuck worker its life; 0 = no limit. */
  readonly timeoutMs: number;
  /** Time that requests at work get at a stop or a worker's replacement; 0 = none. */
  readonly gracefulTimeoutMs: number;
  /** A WSGI request whose client has been gone for so long is interrupted; null = never. */
  readonly cancelGoneMs: number | null;
  /** Idle time between requests on a client connection; 0 = close after each response. */
  readonly keepAliveMs: number;
  /** Worker recycling; 0 = never. Each worker's own limit is maxRequests + random(0..jitter). */
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
  readonly maxWorkerAgeMs: number;
  readonly maxWorkerMemoryBytes: number;
  /** Where the cgroup file systems are mounted. */
  readonly cgroupRoot: string;

  /** Request line limit in bytes; 0 = the codec's own ceiling. */
  readonly limitRequestLine: number;
  readonly limitRequestFields: number;
  /** One header field in bytes; 0 = the codec's own ceiling. */
  readonly limitRequestFieldSize: number;
  /** What to do with field names that have an underscore: drop the field, or refuse the request with 400. */
  readonly headerMap: "drop" | "refuse";
  /** HTTP/2 by ALPN and, with `cleartext`, by prior knowledge; null = HTTP/1.1 only. */
  readonly http2: {
    readonly cleartext: boolean;
    readonly maxConcurrentStreams: number;
    readonly initialWindowSize: number;
    readonly maxFrameSize: number;
    readonly maxHeaderListSize: number;
  } | null;
  /** null: a WebSocket handshake is an ordinary request. */
  readonly webSocket: {
    /** Most bytes of a message; 0 = no limit. */
    readonly maxSize: number;
    /** 0 = no pings. */
    readonly pingIntervalMs: number;
    /** 0 = never. */
    readonly pingTimeoutMs: number;
    readonly deflate: boolean;
  } | null;
  /** Requests that may wait for a worker; one more gets 503. 0 = a request goes to a free worker or gets 503. */
  readonly queueSize: number;
  /** A request that waited this long for a worker gets 503; never 0. */
  readonly queueTimeoutMs: number;
  /** Requests waiting or at work; one more gets 503. 0 = no limit. */
  readonly limitConcurrency: number;
  /** Client connections, 0 = as the limit of open files allows; from one address, 0 = no limit; requests on one, 0 = no limit. */
  readonly limitConnections: number;
  readonly limitConnectionsPerClient: number;
  readonly limitConnectionRequests: number;
  /** Request body in bytes; 0 = no limit. */
  readonly limitRequestBody: number;
  /** A body must bring this many bytes a second in each period of bodyTimeoutMs; 0 = one byte is enough. */
  readonly minBodyRate: number;
  /** 0 = no limit, for each. */
  readonly headerTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** Whether a request waits for its whole body; `auto` asks the app's kind. */
  readonly requestBuffering: "auto" | "on" | "off";
  /** A buffered request body up to this size stays in memory. */
  readonly bodyMemory: number;
  /** A response is kept in a file up to this size while its client is slow; 0 = not at all. */
  readonly responseBuffer: number;
  /** Absolute path of the folder for spool files; what they may hold together, 0 = there are none. */
  readonly spoolDir: string;
  readonly spoolMax: number;
  /** Folders that are served without the app. */
  readonly files: FilesPlan;
  /** For small files in memory. */
  readonly staticMemory: number;
  /** Large files leave by sendfile(2). */
  readonly sendfile: boolean;
  readonly cache: CacheStorePlan;
  /** What apps and upstreams answer is cached by their own rules, where a route says nothing else. */
  readonly cachesAll: boolean;
  /** Whose word counts about who the client is, and in which fields; null leaves the fields alone. */
  readonly forwarding: ForwardingPolicy | null;
  /** Every connection begins with a PROXY protocol header; null = none does. */
  readonly proxyProtocol: ProxyProtocolPolicy | null;

  /** A longer wait than this is refused while more requests come than are served; 0 = never before the timeout. */
  readonly queueTargetMs: number;
  /** Send `Server: maitred`. */
  readonly serverHeader: boolean;
  readonly dateHeader: boolean;
  /** What routes do that say nothing of it; null: responses go out as they are. */
  readonly compression: CompressionPlan | null;

  /** null = plain HTTP everywhere. */
  readonly tls: TlsPlan | null;
  /** Plain addresses that only redirect to https. */
  readonly redirectHttp: readonly Bind[];
  /** null = the port of the first TLS address. */
  readonly redirectPort: number | null;
  /** Value of Strict-Transport-Security on https responses, empty for none. */
  readonly hsts: string;

  /** null = off, "-" = stdout, else a path. */
  readonly accessLog: string | null;
  readonly accessLogFormat: string;
  /** "-" = stderr, else a path. */
  readonly errorLog: string;
  readonly logLevel: LogLevel;
  readonly pidFile: string | null;
  readonly operations: OperationsPlan;
}
