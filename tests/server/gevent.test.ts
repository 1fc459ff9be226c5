/** gevent workers, with an application that waits in blocking calls: one process serves hundreds of them at once. */
import assert from "node:assert/strict";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { runMaitred, startMaitred, type Maitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";

/** Holds every connection until it is told to answer them all. */
class Upstream {
  readonly #server: Server;
  readonly #waiting = new Set<Socket>();
  readonly #watchers = new Set<() => void>();
  most = 0;

  constructor() {
    this.#server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        this.#waiting.add(socket);
        this.most = Math.max(this.most, this.#waiting.size);
        for (const look of this.#watchers) look();
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", 1024, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async waitFor(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#waiting.size < count) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  answer(bytes: string): void {
    for (const socket of this.#waiting) socket.end(bytes);
    this.#waiting.clear();
  }

  close(): void {
    this.#server.close();
  }
}

suite("Flask on one gevent worker", () => {
  const upstream = new Upstream();
  let server: Maitred;
  let browser: Browser;

  before(async () => {
    const port = await upstream.listen();
    const args = ["-b", "127.0.0.1:0", "-k", "gevent", "-w", "1", "-t", "5", "--chdir", testApps, "gevent_app:app"];
    server = await startMaitred(args, { env: { UPSTREAM_PORT: String(port) } });
    browser = new Browser(server.port);
  });

  after(async () => {
    browser.close();
    upstream.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("it says what it runs on", () => assert.match(server.stderr(), /Worker 1 \(pid \d+\) is ready: wsgi on gevent/));

  test("500 requests wait for a blocking socket at the same time", async () => {
    const answers = Array.from({ length: 500 }, () => browser.get("/ask"));
    await upstream.waitFor(500); // None of them has an answer: all 500 are at work.
    assert.match((await browser.get("/pid")).text, /^\d+$/, "and one more is served meanwhile");
    upstream.answer("here");
    for (const { status, text } of await Promise.all(answers)) assert.deepEqual([status, text], [200, "here"]);
  });

  test("a library that was imported by name waits as well", async () => {
    const answers = Array.from({ length: 20 }, () => browser.get("/fetch"));
    await upstream.waitFor(20);
    upstream.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
    for (const { text } of await Promise.all(answers)) assert.equal(text, "here");
  });

  test("streams and uploads go on side by side", async () => {
    const streams = Array.from({ length: 50 }, () => browser.get("/stream?lines=10"));
    const uploads = Array.from({ length: 10 }, () =>
      browser.ask("/length", { method: "POST", body: Buffer.alloc(2_000_000) }),
    );
    for (const { text } of await Promise.all(streams)) assert.equal(text.split("\n").length, 11);
    for (const { text } of await Promise.all(uploads)) assert.equal(text, "2000000");
  });

  test("a request that is late gets its 504 and the others are served", async () => {
    const late = browser.get("/sleep?seconds=600");
    assert.equal((await browser.get("/sleep?seconds=0.1")).status, 200);
    assert.equal((await late).status, 504);
    await server.waitForLine(/gevent_app\.py", line \d+, in sleep[^]*its time is up \(--timeout\)/);
    assert.equal((await browser.get("/pid")).status, 200);
  });
});

test("--worker-connections bounds what a gevent worker has at work; the rest waits its turn", async () => {
  const upstream = new Upstream();
  const env = { UPSTREAM_PORT: String(await upstream.listen()) };
  const limits = ["-k", "gunicorn.workers.ggevent.GeventWorker", "-w", "1", "--worker-connections", "5"];
  const server = await startMaitred(["-b", "127.0.0.1:0", ...limits, "--chdir", testApps, "gevent_app:app"], { env });
  const browser = new Browser(server.port);
  const answers = Array.from({ length: 20 }, () => browser.get("/ask"));
  for (let round = 0; round < 4; round++) {
    await upstream.waitFor(5);
    upstream.answer("here");
  }
  for (const { text } of await Promise.all(answers)) assert.equal(text, "here");
  assert.equal(upstream.most, 5);
  browser.close();
  upstream.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("with --cancel-gone a request is interrupted where it waits for the sake of a client that has left", async () => {
  const limits = ["-k", "gevent", "-w", "1", "--cancel-gone", "0.2"];
  const server = await startMaitred(["-b", "127.0.0.1:0", ...limits, "--chdir", testApps, "gevent_app:app"]);
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/pid")).status, 200);
  const client = connect(server.port, "127.0.0.1");
  client.write("GET /announce?seconds=600 HTTP/1.1\r\nHost: a\r\n\r\n");
  await server.waitForLine(/announced/);
  client.resetAndDestroy();
  await server.waitForLine(/Interrupting GET \/announce.* its client left/);
  await server.waitForLine(/gevent_app\.py", line \d+, in announce[^]*ClientGone/);
  assert.equal((await browser.get("/pid")).status, 200);
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("a loop that no longer turns is found, and its worker replaced", async () => {
  const args = ["-b", "127.0.0.1:0", "-k", "gevent", "-w", "1", "-t", "1", "--chdir", testApps, "gevent_app:app"];
  const server = await startMaitred(args);
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/spin")).status, 504);
  await server.waitForLine(/gevent_app\.py", line \d+ in spin/);
  assert.equal((await browser.get("/pid")).status, 200);
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("preloaded, the workers are patched all the same", async () => {
  const args = ["-b", "127.0.0.1:0", "-k", "gevent", "-w", "2", "--preload", "--chdir", testApps, "gevent_app:app"];
  const server = await startMaitred(args);
  const browser = new Browser(server.port);
  const began = performance.now();
  const pages = await Promise.all(Array.from({ length: 100 }, () => browser.get("/sleep?seconds=0.5")));
  assert.ok(pages.every(({ status }) => status === 200));
  assert.ok(performance.now() - began < 5000, "one after the other they would take 25 s");
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("an ASGI application on gevent ends the start with what to write", async () => {
  const args = ["-b", "127.0.0.1:0", "-k", "gevent", "--chdir", testApps, "asgi_app:application"];
  const finished = await runMaitred(args);
  assert.equal(finished.code, 4, finished.stderr);
  assert.match(finished.stderr, /is ASGI, but -k gevent is for WSGI applications: leave it out, or write -k asgi/);
});

test("a WSGI application under -k asgi, or uvicorn's class, likewise", async () => {
  for (const name of ["asgi", "uvicorn.workers.UvicornWorker"]) {
    const args = ["-b", "127.0.0.1:0", "-k", name, "--chdir", testApps, "wsgi_app:application"];
    const finished = await runMaitred(args);
    assert.equal(finished.code, 4, finished.stderr);
    assert.match(
      finished.stderr,
      new RegExp(`is WSGI, but -k ${name} is for ASGI applications: leave it out, or write -k sync, gthread or gevent`),
    );
  }
});

test("a pool on gevent beside sync workers for the rest", async () => {
  const limits = ["-k", "sync", "-w", "1", "--pool", "slow=/sleep,worker-class=gevent"];
  const server = await startMaitred(["-b", "127.0.0.1:0", ...limits, "--chdir", testApps, "gevent_app:app"]);
  await server.waitForLine(/Pool slow: .*is ready: wsgi on gevent/);
  await server.waitForLine(/Pool main: .*is ready: wsgi, 1 thread/);
  const browser = new Browser(server.port);
  const slow = Array.from({ length: 50 }, () => browser.get("/sleep?seconds=0.3"));
  const pid = (await browser.get("/pid")).text;
  const pages = await Promise.all(slow);
  assert.deepEqual(
    new Set(pages.map(({ status, text }) => `${status} ${text === pid ? "main" : "slow"}`)),
    new Set(["200 slow"]),
  );
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
