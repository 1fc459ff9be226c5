/** Slow, idle and large clients (siege.ts). */
import type { Scenario } from "./scenarios.ts";
import { granian, gunicorn, maitred, nginxGunicorn } from "./servers.ts";

/** nginx with room for many connections and large bodies. */
const besieged = { besieged: true } as const;

export const SIEGE: readonly Scenario[] = [
  {
    name: "slow-clients",
    about:
      "200 requests a second, before and while 300 clients send a byte a second and 100 read 5 MB at 50 KB/s; patience 2 s",
    app: "siege:wsgi",
    path: "/",
    expected: "Hello, World!",
    load: {
      type: "slowClients",
      dribblers: 300,
      readers: 100,
      readBytes: 5_000_000,
      readPerSecond: 50_000,
      perSecond: 200,
    },
    seconds: 6,
    settings: [
      maitred("sync", 2),
      maitred("gthread", 2, { threads: 4 }),
      gunicorn("sync", 2),
      gunicorn("gthread", 2, 4),
      granian("wsgi", 2, { threads: 1 }),
      granian("wsgi", 2, { threads: 4 }),
      nginxGunicorn("sync", 2, 1, besieged),
      nginxGunicorn("gthread", 2, 4, besieged),
    ],
  },
  {
    name: "idle-connections",
    about: "5,000 kept-alive connections that have had a response each: memory of the whole process tree for each",
    app: "siege:wsgi",
    path: "/",
    expected: "Hello, World!",
    load: { type: "idle", connections: 5000 },
    seconds: 1,
    settings: [
      maitred("sync", 1),
      gunicorn("gthread", 1, 4),
      granian("wsgi", 1, { threads: 1 }),
      nginxGunicorn("gthread", 1, 4, besieged),
    ],
  },
  {
    name: "upload-200m",
    about: "200 MB, one after the other, to an app that reads them from wsgi.input; CPU and memory are an upload's",
    app: "siege:wsgi",
    path: "/",
    expected: "Hello, World!",
    load: { type: "upload", bytes: 200_000_000 },
    seconds: 5,
    settings: [
      maitred("sync", 1),
      gunicorn("sync", 1),
      gunicorn("gthread", 1, 4),
      granian("wsgi", 1, { threads: 1 }),
      nginxGunicorn("sync", 1, 1, besieged),
      nginxGunicorn("gthread", 1, 4, besieged),
    ],
  },
];
