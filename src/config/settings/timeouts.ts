/** How long things may take. Every one is a duration: seconds, or a number with ms, s, m or h. */
import { single, type Section, type Setting } from "../setting.ts";
import { duration, someDuration } from "../value-types.ts";

export const timeout: Setting<number> = single({
  key: "timeout",
  flags: ["-t", "--timeout"],
  metavar: "TIME",
  type: duration,
  fallback: 30_000,
  fallbackText: "30",
  help: "Most time a request may be at work; 0 is no limit",
  doc: `The client then gets 504, and a worker that is stuck is killed and replaced. gunicorn's setting of this name watches the worker's
heartbeat, which with threads or ASGI bounds no request; here it bounds every request, under every kind of worker. Waiting in the queue,
uploading and a client that reads slowly do not count; a response that is streamed may last as long as it makes progress. The log has the
request and what the worker was doing. Only that worker goes: requests in its other threads get \`--graceful-timeout\` to end, and on an event
loop only the late request is cancelled. The application can ask for more time: \`environ["maitred.extend_deadline"](seconds)\` in WSGI,
\`await send({"type": "maitred.extend_deadline", "seconds": 60})\` in ASGI where \`scope["extensions"]\` has \`maitred.extend_deadline\`.`,
});

export const gracefulTimeout: Setting<number> = single({
  key: "graceful-timeout",
  flags: ["--graceful-timeout", "--timeout-graceful-shutdown"],
  env: ["UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"],
  metavar: "TIME",
  type: duration,
  fallback: 30_000,
  fallbackText: "30",
  help: "Time that requests at work get to finish when maitred stops or a worker is replaced",
  doc: "gunicorn's default; uvicorn waits for ever.",
});

export const cancelGone: Setting<number | null> = single<number | null>({
  key: "cancel-gone",
  flags: ["--cancel-gone"],
  metavar: "TIME",
  type: duration,
  fallback: null,
  fallbackText: "never",
  help: "Interrupt a WSGI request whose client has been gone for this long",
  doc: `\`maitred.worker.wsgi.ClientGone\` is raised in the thread that serves it, wherever that is in the application: best effort, because a call into
C (a database driver, \`time.sleep\`) is only interrupted when it returns (under gevent at once), and code that is not written for it may leave things half done.
An application that asks \`environ["maitred.client_gone"]()\` at good moments is served better. An ASGI application hears
\`http.disconnect\` at once and needs neither. A client counts as gone when its connection is reset, or when writing to it fails; one that has only closed
its sending side is told by \`maitred.client_gone\`, but not interrupted.`,
});

export const keepAlive: Setting<number> = single({
  key: "keep-alive",
  flags: ["--keep-alive", "--timeout-keep-alive"],
  env: ["UVICORN_TIMEOUT_KEEP_ALIVE"],
  metavar: "TIME",
  type: duration,
  fallback: 75_000,
  fallbackText: "75",
  help: "Time a client connection may stay idle between requests",
  doc: `gunicorn has 2 and uvicorn 5, which is shorter than the idle time of most load balancers (60 on AWS): those then send a request on
a connection that is just being closed. An idle connection costs no worker here, so the default is longer. 0 closes the
connection after each response.`,
});

export const queueTimeout: Setting<number> = single({
  key: "queue-timeout",
  flags: ["--queue-timeout"],
  metavar: "TIME",
  type: someDuration,
  fallback: 30_000,
  fallbackText: "30",
  help: "Most time a request waits for a worker before it gets 503",
  doc: "Longer than 0; to let nothing wait, give `--queue-size 0`.",
});

export const headerTimeout: Setting<number> = single({
  key: "header-timeout",
  flags: ["--header-timeout"],
  metavar: "TIME",
  type: duration,
  fallback: 30_000,
  fallbackText: "30",
  help: "Time in which a request's head must be complete, from its first byte; 0 is no limit",
  doc: "The client then gets 408; over HTTP/2, where nothing can follow half a head, it loses its connection (ENHANCE_YOUR_CALM). A connection that has sent nothing yet is idle, and under `--keep-alive`.",
});

export const bodyTimeout: Setting<number> = single({
  key: "body-timeout",
  flags: ["--body-timeout"],
  metavar: "TIME",
  type: duration,
  fallback: 30_000,
  fallbackText: "30",
  help: "Time in which more of a request's body must come; 0 is no limit",
  doc: `In each period of this length at least one byte must come, and \`--min-body-rate\` bytes a second; else the client gets 408 and the
connection is closed. Time in which maitred itself does not read (the application is slower than the client, or has not asked for the
body) does not count.`,
});

export const writeTimeout: Setting<number> = single({
  key: "write-timeout",
  flags: ["--write-timeout"],
  metavar: "TIME",
  type: duration,
  fallback: 60_000,
  fallbackText: "60",
  help: "Time in which a client must take some more of its response; 0 is no limit",
  doc: "A client that has taken nothing at all for so long is cut off. nginx calls it `send_timeout`.",
});

export const queueTarget: Setting<number> = single({
  key: "queue-target",
  flags: ["--queue-target"],
  metavar: "TIME",
  type: duration,
  fallback: 500,
  fallbackText: "0.5",
  help: "Wait that is too long while more requests come than can be served; 0 is never",
  doc: `A queue that is longer than this *and grows* would make everybody wait until they give up. Then the newest requests go first, and
those that have waited longer than this, and longer than five times what a request takes, get 503 at once, until the queue has been
empty. A burst, or the queue behind a stuck worker, is not overload and is served in order. \`--queue-timeout\` bounds every wait.`,
});

export const timeoutsSection: Section = {
  title: "Time",
  settings: [
    timeout,
    gracefulTimeout,
    cancelGone,
    keepAlive,
    queueTimeout,
    queueTarget,
    headerTimeout,
    bodyTimeout,
    writeTimeout,
  ],
};
