/** The end: what is at work is finished, and nothing is left behind. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { ancestry, isAlive } from "../support/processes.ts";
import { RawClient } from "../support/raw-client.ts";

const models = [
  { name: "WSGI, sync", args: ["-k", "sync", "wsgi_app:application"] },
  { name: "WSGI, threads", args: ["-k", "gthread", "--threads", "4", "wsgi_app:application"] },
  { name: "ASGI", args: ["-k", "asgi", "asgi_app:application"] },
] as const;

for (const model of models) {
  suite(`the end, on ${model.name}`, () => {
    test("SIGTERM lets the request at work be answered, and the exit code is 0", async () => {
      const gates = new Gates();
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, ...model.args], {
        env: gates.env,
      });
      const browser = new Browser(server.port);
      const held = browser.get("/hold?name=a");
      await server.waitForLine(/holding a in/);
      server.signal("SIGTERM");
      await server.waitForLine(/Handling signal:? (SIG)?TERM/i);
      gates.open("a");
      const page = await held;
      assert.equal(page.status, 200);
      assert.match(page.text, /^held a in /);
      assert.equal(page.headers["connection"]?.toString().toLowerCase(), "close");
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      browser.close();
      if (model.name === "ASGI") await server.waitForLine(/lifespan shutdown ran/);
    });

    test("SIGTERM with idle connections open ends at once with 0", async () => {
      const server = await startMaitred([
        "-b",
        "127.0.0.1:0",
        "-w",
        "2",
        "--keep-alive",
        "60",
        "--chdir",
        testApps,
        ...model.args,
      ]);
      const idle = await RawClient.open(server.port);
      await idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await idle.response();
      const silent = await RawClient.open(server.port);
      assert.deepEqual(await server.stop("SIGTERM"), { code: 0, signal: null });
      idle.leave();
      silent.leave();
    });

    test("a request that will not end is cut after --graceful-timeout", async () => {
      const gates = new Gates();
      const server = await startMaitred(
        ["-b", "127.0.0.1:0", "--graceful-timeout", "1", "--chdir", testApps, ...model.args],
        { env: gates.env },
      );
      const client = await RawClient.open(server.port);
      await client.send("GET /hold?name=never HTTP/1.1\r\nHost: x\r\n\r\n");
      const held = await server.waitForLine(/holding never in (\d+)/);
      await server.stop("SIGTERM");
      assert.ok(await gone(Number(held[1])), "the stuck worker is still there");
      client.leave();
    });

    test("SIGINT ends with 0 and leaves no process", { skip: !existsSync("/proc") }, async () => {
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, ...model.args]);
      const family = await familyOf(server.port, server.pid);
      assert.deepEqual(await server.stop("SIGINT"), { code: 0, signal: null });
      for (const pid of family) assert.ok(await gone(pid), `process ${pid} is still there`);
    });

    test("kill -9 of the front leaves no process after a second", { skip: !existsSync("/proc") }, async () => {
      const gates = new Gates();
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, ...model.args], {
        env: gates.env,
      });
      const family = await familyOf(server.port, server.pid);
      const client = await RawClient.open(server.port);
      await client.send("GET /hold?name=never HTTP/1.1\r\nHost: x\r\n\r\n");
      const held = await server.waitForLine(/holding never in (\d+)/);
      await server.stop("SIGKILL");
      for (const pid of [...family, Number(held[1])]) assert.ok(await gone(pid), `process ${pid} is still there`);
      client.leave();
    });
  });
}

/** The worker that answers, and whatever stands between it and the front. */
async function familyOf(port: number, front: number): Promise<readonly number[]> {
  const browser = new Browser(port);
  const pid = Number((await browser.get("/pid")).text);
  browser.close();
  const family = ancestry(pid, front);
  assert.ok(family.length >= 1 && family.length <= 3, `the family of ${pid}: ${family.join(", ")}`);
  return family;
}

async function gone(pid: number): Promise<boolean> {
  const deadline = performance.now() + 1_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await pause(10);
  }
  return true;
}
