/** How many Python processes and threads serve the application, and when a worker is replaced. */
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { duration, memory, text, wholeNumber } from "../value-types.ts";
import { workerCount, type WorkerCount } from "../worker-count.ts";
import { workerClass as workerClassType, type WorkerClass } from "../worker-class.ts";

export const workers: Setting<WorkerCount> = single<WorkerCount>({
  key: "workers",
  flags: ["-w", "--workers"],
  env: ["UVICORN_WORKERS", "WEB_CONCURRENCY"],
  metavar: "N|auto|MIN:MAX",
  type: workerCount,
  fallback: "auto",
  fallbackText: "auto: one per CPU, as far as memory allows",
  help: "Python processes that serve the application: a number, auto, or as many as are needed between MIN and MAX",
  doc: `The default is the number of CPUs that maitred may use: the smaller of its CPU affinity and its cgroup's quota, rounded up, so a
container limited to 1.5 CPUs gets 2 workers and not one per CPU of the node. gunicorn and uvicorn start one. The start-up lines say
where the number came from. \`auto\` is that default: where memory is short it starts one worker, measures it, and starts as many of the others as
fit into the cgroup's limit or the machine.

\`MIN:MAX\` starts MIN workers; more come when requests wait for a worker (\`--scale-up-wait\`) although CPUs and memory are to be had, and go
when fewer have been enough for a while (\`--scale-down-after\`). [How many workers](sizing.md) tells more.`,
});

export const workerClass: Setting<WorkerClass | null> = single<WorkerClass | null>({
  key: "worker-class",
  flags: ["-k", "--worker-class"],
  metavar: "CLASS",
  type: workerClassType,
  fallback: null,
  fallbackText: "by looking at the application",
  help: "How workers run the application: sync, gthread, gevent, asgi or uvicorn.workers.UvicornWorker",
  doc: `Not needed: maitred looks at the application object. \`sync\`, \`gthread\` and \`gevent\` say WSGI; \`asgi\` and uvicorn's worker
classes (\`uvicorn.workers.UvicornWorker\`, \`uvicorn.workers.UvicornH11Worker\`, \`uvicorn_worker.UvicornWorker\`,
\`uvicorn_worker.UvicornH11Worker\`) say ASGI; uvicorn itself is not used and need not be installed. \`gevent\` needs gevent in the
application's environment. [Worker models](workers.md) says when to use which. gunicorn's class paths mean the same; \`eventlet\`,
\`tornado\` and classes of one's own are not supported.`,
});

export const threads: Setting<number | null> = single<number | null>({
  key: "threads",
  flags: ["--threads"],
  metavar: "N",
  type: wholeNumber(1, 4096),
  fallback: null,
  fallbackText: "1; 4 with -k gthread",
  help: "Threads per worker for a WSGI application; each serves one request at a time",
  doc: `More than one turns \`-k sync\` into \`-k gthread\`, as in gunicorn. \`-k gthread\` without \`--threads\` gets 4, where gunicorn
would run a thread pool of one. A gevent worker and an ASGI application do not use it.`,
});

export const workerConnections: Setting<number> = single({
  key: "worker-connections",
  flags: ["--worker-connections"],
  metavar: "N",
  type: wholeNumber(1),
  fallback: 1000,
  help: "Requests that one ASGI or gevent worker may have at work at the same time",
  doc: "The next request waits in the queue, or goes to another worker. gunicorn counts connections here; maitred keeps idle ones away from the workers.",
});

export const preload: Setting<boolean> = toggle({
  key: "preload",
  flags: ["--preload"],
  fallback: false,
  help: "Import the application once, before the workers fork, so that they share its memory",
  doc: `Faster starts and less memory. Connections and threads that the application opens while it is imported do not survive the fork; open
them later. What is open before the first fork is told in the log, with the global that holds it; see [Worker models](workers.md).`,
});

export const maxRequests: Setting<number> = single({
  key: "max-requests",
  flags: ["--max-requests", "--limit-max-requests"],
  env: ["UVICORN_LIMIT_MAX_REQUESTS"],
  metavar: "N",
  type: wholeNumber(0),
  fallback: 0,
  fallbackText: "0 (never)",
  help: "Replace a worker after so many requests",
  doc: `A remedy for memory leaks. The replacement is ready before the old worker leaves, one at a time. So this is when the replacement begins
to boot: the old worker goes on meanwhile, and serves some more, because a worker that stopped here would make requests wait.`,
});

export const maxRequestsJitter: Setting<number> = single({
  key: "max-requests-jitter",
  flags: ["--max-requests-jitter", "--limit-max-requests-jitter"],
  env: ["UVICORN_LIMIT_MAX_REQUESTS_JITTER"],
  metavar: "N",
  type: wholeNumber(0),
  fallback: 0,
  help: "Add a random number up to this to each worker's --max-requests",
  doc: "Keeps workers that started together from being replaced together.",
});

export const maxWorkerAge: Setting<number> = single({
  key: "max-worker-age",
  flags: ["--max-worker-age"],
  metavar: "TIME",
  type: duration,
  fallback: 0,
  fallbackText: "0 (never)",
  help: "Replace a worker that has served for so long",
  doc: "One at a time, each when its replacement is ready, so workers that started together are not replaced together.",
});

export const maxWorkerMemory: Setting<number> = single({
  key: "max-worker-memory",
  flags: ["--max-worker-memory"],
  metavar: "SIZE",
  type: memory,
  fallback: 0,
  fallbackText: "0 (never)",
  help: "Replace a worker whose memory has grown beyond this, as 512M or 2G",
  doc: `Looked at every 2 seconds. The worker finishes its requests and goes when its replacement is ready, so it may grow a little further: leave
room below the container's limit. What counts is its proportional share (PSS, as \`maitred status\` shows it): its own pages, and of each page
that it shares with others (\`--preload\`) its part, so that limits add up. Where the kernel gives no PSS, the resident memory counts.`,
});

export const cgroupRoot: Setting<string> = single({
  key: "cgroup-root",
  flags: ["--cgroup-root"],
  metavar: "FOLDER",
  type: text,
  fallback: "/sys/fs/cgroup",
  help: "Where the cgroup file systems are mounted",
  doc: "Read to tell a worker that the kernel has killed for lack of memory from one that somebody else has killed.",
});

export const workersSection: Section = {
  title: "Workers",
  settings: [
    workers,
    workerClass,
    threads,
    workerConnections,
    preload,
    maxRequests,
    maxRequestsJitter,
    maxWorkerAge,
    maxWorkerMemory,
    cgroupRoot,
  ],
};
