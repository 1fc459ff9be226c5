/** What is measured: each scenario's app, its load, and every setting of every server worth trying on a small machine. */
import {
  type Setting,
  granian,
  gunicorn,
  hypercorn,
  maitred,
  nginxGunicorn,
  nginxUvicorn,
  uvicorn,
  varnishGunicorn,
} from "./servers.ts";
import { SIEGE } from "./siege-scenarios.ts";
import { IN_FILE, maitredStatic, nginxStatic } from "./static.ts";

/** `saturate`: as many requests as go. `http2`: the same over HTTP/2, by h2load. `echo`: messages over WebSockets, each sent when the last one is back. `tail`: a fixed rate of fast and slow ones. `slowClients`, `idle`, `upload`: siege.ts. `memory`: what it occupies after a few requests. */
export type Load =
  | { readonly type: "saturate"; readonly connections: number }
  | { readonly type: "http2"; readonly connections: number; readonly streams: number }
  | { readonly type: "echo"; readonly connections: number; readonly messageBytes: number }
  | {
      readonly type: "tail";
      readonly fastPath: string;
      readonly slowPath: string;
      readonly slowShare: number;
      readonly perSecond: number;
      readonly connections: number;
    }
  | {
      readonly type: "slowClients";
      readonly dribblers: number;
      readonly readers: number;
      readonly readBytes: number;
      readonly readPerSecond: number;
      readonly perSecond: number;
    }
  | { readonly type: "idle"; readonly connections: number }
  | { readonly type: "upload"; readonly bytes: number }
  | { readonly type: "memory"; readonly requests: number };

export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly app: string;
  /** Must occur in the answer to GET `path`, or the server is not serving what is to be measured. */
  readonly path: string;
  readonly expected: string;
  /** Asked in place of `path` where that one's answer is too long to be looked at. */
  readonly askedFirst?: string;
  /** Over TLS; the settings must then be of servers that speak it. */
  readonly isSecure?: boolean;
  /** What the client sends in Accept-Encoding; the answer must then be encoded. */
  readonly accepts?: string;
  readonly load: Load;
  /** For one round, unless --seconds says otherwise. */
  readonly seconds: number;
  readonly settings: readonly Setting[];
}

const saturate: Load = { type: "saturate", connections: 64 };

const wsgi: readonly Setting[] = [
  maitred("sync", 1),
  maitred("sync", 2),
  granian("wsgi", 1, { threads: 1 }),
  granian("wsgi", 2, { threads: 1 }),
  gunicorn("sync", 2),
  gunicorn("gthread", 2, 1),
  gunicorn("gthread", 2, 4),
  nginxGunicorn("sync", 2),
  nginxGunicorn("gthread", 2, 4),
];

const asgi: readonly Setting[] = [
  maitred("asgi", 1),
  maitred("asgi", 2),
  granian("asgi", 1, { runtime: "st" }),
  granian("asgi", 1, { runtime: "mt" }),
  granian("asgi", 2, { runtime: "st" }),
  uvicorn(1),
  uvicorn(2),
  gunicorn("asgi", 2),
  nginxUvicorn(2),
];

const tls = { tls: true } as const;

/** zlib does the work in both: the levels say how much. */
const compressing: readonly Setting[] = [
  maitred("sync", 1, { compress: "gzip" }),
  maitred("sync", 2, { compress: "gzip" }),
  maitred("sync", 1, { compress: "zstd" }),
  maitred("sync", 2, { compress: "zstd" }),
  nginxGunicorn("gthread", 2, 4, { gzipLevel: 5 }),
  nginxGunicorn("gthread", 2, 4, { gzipLevel: 1 }),
];

/** Four seats in every server: the point is where a request waits, not how many run at once. */
const fourSeats: readonly Setting[] = [
  maitred("sync", 4),
  maitred("gthread", 1, { threads: 4 }),
  granian("wsgi", 4, { threads: 1 }),
  granian("wsgi", 1, { threads: 4 }),
  gunicorn("sync", 4),
  gunicorn("gthread", 4, 1),
  gunicorn("gthread", 1, 4),
  nginxGunicorn("sync", 4),
  nginxGunicorn("gthread", 4, 1),
];

/** 5 % of 100 ms and 95 % of 2 ms take 6.9 ms of a seat on average, so four seats can do 580 a second; this is 70 % of it. */
const mix = { slowShare: 0.05, perSecond: Math.round((0.7 * 4) / (0.05 * 0.1 + 0.95 * 0.002)), connections: 64 };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "hello-wsgi",
    about: "a constant WSGI answer",
    app: "hello:wsgi",
    path: "/",
    expected: "Hello, World!",
    load: saturate,
    seconds: 3,
    settings: [...wsgi, maitred("sync", 1, { log: true })],
  },
  {
    name: "hello-asgi",
    about: "a constant ASGI answer",
    app: "hello:asgi",
    path: "/",
    expected: "Hello, World!",
    load: saturate,
    seconds: 3,
    settings: [...asgi, maitred("asgi", 1, { log: true })],
  },
  {
    name: "http2-wsgi",
    about: "a constant WSGI answer over HTTP/2 with prior knowledge, 32 connections with 10 requests each",
    app: "hello:wsgi",
    path: "/",
    expected: "Hello, World!",
    load: { type: "http2", connections: 32, streams: 10 },
    seconds: 3,
    settings: [
      maitred("sync", 1),
      maitred("sync", 2),
      granian("wsgi", 1, { threads: 1, http2: true }),
      granian("wsgi", 2, { threads: 1, http2: true }),
      hypercorn("wsgi", 1),
      hypercorn("wsgi", 2),
      nginxGunicorn("gthread", 2, 4, { http2: true }),
    ],
  },
  {
    name: "http2-asgi",
    about: "a constant ASGI answer over HTTP/2 with prior knowledge, 32 connections with 10 requests each",
    app: "hello:asgi",
    path: "/",
    expected: "Hello, World!",
    load: { type: "http2", connections: 32, streams: 10 },
    seconds: 3,
    settings: [
      maitred("asgi", 1),
      maitred("asgi", 2),
      granian("asgi", 1, { runtime: "st", http2: true }),
      granian("asgi", 1, { runtime: "mt", http2: true }),
      granian("asgi", 2, { runtime: "st", http2: true }),
      hypercorn("asgi", 1),
      hypercorn("asgi", 2),
      nginxUvicorn(2, { http2: true }),
    ],
  },
  {
    name: "tls-wsgi",
    about: "a constant WSGI answer over TLS 1.3",
    app: "hello:wsgi",
    path: "/",
    expected: "Hello, World!",
    isSecure: true,
    load: saturate,
    seconds: 3,
    settings: [
      maitred("sync", 1, tls),
      maitred("sync", 2, tls),
      granian("wsgi", 1, { threads: 1, ...tls }),
      granian("wsgi", 2, { threads: 1, ...tls }),
      nginxGunicorn("sync", 2, 1, tls),
      nginxGunicorn("gthread", 2, 4, tls),
    ],
  },
  {
    name: "tls-asgi",
    about: "a constant ASGI answer over TLS 1.3",
    app: "hello:asgi",
    path: "/",
    expected: "Hello, World!",
    isSecure: true,
    load: saturate,
    seconds: 3,
    settings: [
      maitred("asgi", 1, tls),
      maitred("asgi", 2, tls),
      granian("asgi", 1, { runtime: "st", ...tls }),
      granian("asgi", 1, { runtime: "mt", ...tls }),
      uvicorn(1, tls),
      uvicorn(2, tls),
      nginxUvicorn(2, tls),
    ],
  },
  {
    name: "web-socket",
    about: "64 WebSockets to an ASGI app that sends back each text of 32 bytes; CPU and latency are a message's",
    app: "echo:asgi",
    path: "/",
    expected: "Hello, World!",
    load: { type: "echo", connections: 64, messageBytes: 32 },
    seconds: 3,
    settings: [
      maitred("asgi", 1),
      maitred("asgi", 2),
      granian("asgi", 1, { runtime: "st", webSockets: true }),
      granian("asgi", 1, { runtime: "mt", webSockets: true }),
      granian("asgi", 2, { runtime: "st", webSockets: true }),
      uvicorn(1),
      uvicorn(1, { ws: "websockets-sansio" }),
      uvicorn(2),
      uvicorn(2, { ws: "websockets-sansio" }),
      hypercorn("asgi", 1),
    ],
  },
  {
    name: "flask",
    about: "Flask's hello",
    app: "flask_hello:app",
    path: "/",
    expected: "Hello, World!",
    load: saturate,
    seconds: 3,
    settings: wsgi,
  },
  {
    name: "django",
    about: "a Django template behind startproject's middlewares, no database",
    app: "django_page:application",
    path: "/",
    expected: "Thing 4: 4.50",
    load: saturate,
    seconds: 3,
    settings: wsgi,
  },
  {
    name: "fastapi",
    about: "a small JSON object from FastAPI",
    app: "fastapi_json:app",
    path: "/",
    expected: '"Hello, World!"',
    load: saturate,
    seconds: 3,
    settings: asgi,
  },
  {
    name: "gzip-json",
    about: "10 KB of JSON, compressed; gzip at level 5 in maitred",
    app: "compressed:json",
    path: "/",
    expected: "Hello, World!",
    accepts: "gzip, zstd",
    load: saturate,
    seconds: 3,
    settings: compressing,
  },
  {
    name: "gzip-html",
    about: "a page of 40 KB, compressed; gzip at level 5 in maitred",
    app: "compressed:html",
    path: "/",
    expected: "Hello, World!",
    accepts: "gzip, zstd",
    load: saturate,
    seconds: 3,
    settings: compressing,
  },
  {
    name: "cache-hit",
    about:
      "a page of 1 KB from the cache; nginx with proxy_cache and open files kept, in one process; varnish in memory",
    app: "cached:wsgi",
    path: "/",
    expected: "Hello, World!",
    load: saturate,
    seconds: 3,
    settings: [
      maitred("sync", 1, { cache: "64M" }),
      nginxGunicorn("gthread", 1, 1, { cache: true }),
      varnishGunicorn("gthread", 1, 1),
    ],
  },
  {
    name: "static-1k",
    about: "a file of 1 KB",
    app: "hello:wsgi",
    path: "/static/one.txt",
    expected: IN_FILE,
    load: saturate,
    seconds: 3,
    settings: [maitredStatic, nginxStatic],
  },
  {
    name: "static-100m",
    about: "a file of 100 MB on two connections; CPU is that of one download",
    app: "hello:wsgi",
    path: "/static/large.txt",
    askedFirst: "/static/one.txt",
    expected: IN_FILE,
    load: { type: "saturate", connections: 2 },
    seconds: 5,
    settings: [maitredStatic, nginxStatic],
  },
  {
    name: "tail",
    about: `${mix.perSecond} requests a second, 5 % of 100 ms and 95 % of 2 ms, on two paths; 4 seats`,
    app: "tail:wsgi",
    path: "/fast",
    expected: "Hello, World!",
    load: { type: "tail", fastPath: "/fast", slowPath: "/slow", ...mix },
    seconds: 10,
    settings: fourSeats,
  },
  {
    name: "tail-one-path",
    about: `${mix.perSecond} requests a second, 5 % of 100 ms and 95 % of 2 ms, told apart by the query only; 4 seats`,
    app: "tail:wsgi",
    path: "/work?ms=2",
    expected: "Hello, World!",
    load: { type: "tail", fastPath: "/work?ms=2", slowPath: "/work?ms=100", ...mix },
    seconds: 10,
    settings: fourSeats,
  },
  ...SIEGE,
  {
    name: "memory",
    about: "what the Django page's server occupies with 4 workers, after 200 requests",
    app: "django_page:application",
    path: "/",
    expected: "Thing 4: 4.50",
    load: { type: "memory", requests: 200 },
    seconds: 10,
    settings: [
      maitred("sync", 4, { preload: true }),
      maitred("sync", 4),
      gunicorn("sync", 4),
      gunicorn("sync", 4, 1, { preload: true }),
      granian("wsgi", 4, { threads: 1 }),
    ],
  },
];
