/** How the application is run: what the numbers become without a GIL, and who is named in a complaint about the interface. */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { Plan } from "./plan.ts";
import { resolve } from "./resolve.ts";
import { workerModel } from "./worker-model.ts";

const model = (line: string, cpus = 8): ReturnType<typeof workerModel> =>
  workerModel(resolve([...line.split(" "), "app:app"].filter(Boolean), {}), cpus);

const freeThreaded: readonly (readonly [line: string, expected: Plan["withoutGil"]])[] = [
  ["", { workers: 1, threads: 8 }],
  ["-w 2", { workers: 2, threads: 4 }],
  ["-w 3", { workers: 3, threads: 3 }],
  ["-w 16", { workers: 16, threads: 1 }],
  ["--threads 6", { workers: 1, threads: 6 }],
  ["-w 2 --threads 6", { workers: 2, threads: 6 }],
  ["-k gthread", { workers: 1, threads: 8 }],
  ["-k gthread -w 8", { workers: 8, threads: 4 }],
  ["-k sync", { workers: 8, threads: 1 }],
  ["-k sync --threads 3", { workers: 1, threads: 3 }],
  ["-k gevent", { workers: 8, threads: 1 }],
  ["-k asgi", { workers: 8, threads: 1 }],
  ["--interface asgi", { workers: 8, threads: 1 }],
  ["--interface wsgi", { workers: 1, threads: 8 }],
];

for (const [line, expected] of freeThreaded) {
  test(`without a GIL, on 8 CPUs: maitred ${line}`, () => assert.deepEqual(model(line).withoutGil, expected));
}

test("what asked for the interface is named as it was written", () => {
  assert.equal(model("").interfaceFrom, "");
  assert.equal(model("-k gevent").interfaceFrom, "-k gevent");
  assert.equal(model("--worker-class asgi").interfaceFrom, "--worker-class asgi");
  assert.equal(model("--interface asgi3").interfaceFrom, "--interface asgi3");
});

const models: readonly (readonly [line: string, expected: Partial<Plan>])[] = [
  ["-k sync", { interface: "wsgi", threads: 1, gevent: false }],
  ["-k sync --threads 3", { interface: "wsgi", threads: 3, gevent: false }],
  ["-k gthread", { interface: "wsgi", threads: 4, gevent: false }],
  ["-k gthread --threads 2", { interface: "wsgi", threads: 2, gevent: false }],
  ["-k asgi", { interface: "asgi", threads: 1, gevent: false }],
  ["-k asgi --interface asgi3", { interface: "asgi", threads: 1, gevent: false }],
  ["-k gevent", { interface: "wsgi", threads: 1, gevent: true }],
  ["-k gunicorn.workers.ggevent.GeventWorker --threads 1", { interface: "wsgi", threads: 1, gevent: true }],
];

for (const [line, expected] of models) {
  test(`the model of maitred ${line}`, () => {
    const { interface: spoken, threads, gevent } = model(line);
    assert.deepEqual({ interface: spoken, threads, gevent }, expected);
  });
}

test("threads that a model does not use are told", () => {
  assert.match(
    model("-k asgi --threads 8").notices.join(),
    /^--threads 8 has no effect: an ASGI worker runs one event loop/,
  );
  assert.match(
    model("-k gevent --threads 8").notices.join(),
    /^--threads 8 has no effect: a gevent worker runs each request/,
  );
});
