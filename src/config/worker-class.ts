/** gunicorn's worker classes, and what each says about the application. A row per name that command lines in the wild carry. */
import { value, wrong, type ValueType } from "./value-types.ts";

export type WorkerClass = "sync" | "gthread" | "gevent" | "asgi";

const known: Readonly<Record<string, WorkerClass>> = {
  sync: "sync",
  "gunicorn.workers.sync.SyncWorker": "sync",
  gthread: "gthread",
  "gunicorn.workers.gthread.ThreadWorker": "gthread",
  gevent: "gevent",
  ggevent: "gevent",
  gevent_wsgi: "gevent",
  gevent_pywsgi: "gevent",
  "gunicorn.workers.ggevent.GeventWorker": "gevent",
  "gunicorn.workers.ggevent.GeventPyWSGIWorker": "gevent",
  asgi: "asgi",
  "gunicorn.workers.gasgi.ASGIWorker": "asgi",
  "uvicorn.workers.UvicornWorker": "asgi",
  "uvicorn.workers.UvicornH11Worker": "asgi",
  "uvicorn_worker.UvicornWorker": "asgi",
  "uvicorn_worker.UvicornH11Worker": "asgi",
};

/** Matched against the whole name, so that class paths such as gunicorn.workers.ggevent.GeventWorker are caught too. */
const unsupported: readonly (readonly [RegExp, string])[] = [
  [
    /geventwebsocket/i,
    "speaks WebSocket to a WSGI application over its socket, which no worker has here: use -k gevent, or an ASGI application for WebSockets",
  ],
  [/gevent/i, "is a worker class of its own, and those cannot be loaded: use -k gevent"],
  [/eventlet/i, "is not supported (gunicorn dropped it too): use -k gevent, or -k gthread with --threads N"],
  [
    /tornado/i,
    "is not supported: use -k gthread for a WSGI application, -k asgi for an ASGI one; a tornado.web.Application listens by itself",
  ],
];

export const workerClass: ValueType<WorkerClass> = (text) => {
  const found = Object.hasOwn(known, text) ? known[text] : undefined;
  if (found !== undefined) return value(found);
  const reason = unsupported.find(([pattern]) => pattern.test(text))?.[1];
  if (reason !== undefined) return wrong(reason);
  if (/uvicorn/i.test(text)) return wrong("is a worker class of its own, and those cannot be loaded: use -k asgi");
  if (text.includes(".") || text.includes(":"))
    return wrong(
      "is a worker class of its own, and those cannot be loaded: use -k sync, gthread, gevent or asgi, or leave -k out",
    );
  return wrong("is not one of sync, gthread, gevent, asgi");
};
