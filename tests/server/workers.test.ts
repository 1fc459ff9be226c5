/** Workers come and go under load, and no client notices. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startLoad } from "../support/load.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";

const models = [
  { name: "WSGI, sync", args: ["-k", "sync", "wsgi_app:application"] },
  { name: "WSGI, threads", args: ["-k", "gthread", "--threads", "4", "wsgi_app:application"] },
  { name: "WSGI, gevent", args: ["-k", "gevent", "wsgi_app:application"] },
  { name: "ASGI", args: ["-k", "asgi", "asgi_app:application"] },
] as const;

const CLIENTS = 8;

for (const model of models) {
  suite(`workers come and go, on ${model.name}`, () => {
    test("SIGHUP under load replaces every worker without a failed request", async () => {
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, ...model.args]);
      const load = startLoad(server.port, "/pid", CLIENTS);
      await load.until((answers) => total(answers) > 50, "50 answers");
      for (let round = 0; round < 3; round++) {
        const before = new Set(load.answers.keys());
        server.signal("SIGHUP");
        await load.until((answers) => [...answers.keys()].some((pid) => !before.has(pid)), "a new worker");
      }
      const answered = total(load.answers);
      await load.until((answers) => total(answers) > answered + 50, "50 answers after the last reload");
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("kill -9 of a worker under load costs no GET, and another takes its place", async () => {
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, ...model.args]);
      const load = startLoad(server.port, "/pid", CLIENTS);
      for (let round = 0; round < 3; round++) {
        const before = new Set(load.answers.keys());
        // Time enough for what was tried again: a request that is at work in a second worker that dies gets its 502.
        const isServing = ([pid, count]: [string, number]): boolean => !before.has(pid) && count >= 2 * CLIENTS;
        await load.until((answers) => [...answers].some(isServing), `worker number ${round + 1}`);
        const [newest] = [...load.answers].find(isServing)!;
        process.kill(Number(newest), "SIGKILL");
      }
      const before = new Set(load.answers.keys());
      await load.until((answers) => [...answers.keys()].some((pid) => !before.has(pid)), "the last worker");
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.match(server.stderr(), /SIGKILL|signal 9/i);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("a worker killed at work on a POST is an honest 502", async () => {
      const gates = new Gates();
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, ...model.args], {
        env: gates.env,
      });
      const browser = new Browser(server.port);
      const held = browser.ask("/hold?name=a", { method: "POST", body: "x" });
      const pid = Number((await server.waitForLine(/holding a in (\d+)/))[1]);
      process.kill(pid, "SIGKILL");
      assert.equal((await held).status, 502);
      assert.notEqual((await browser.get("/pid")).text, String(pid));
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("a worker killed at work on a GET is replaced and the GET answered", async () => {
      const gates = new Gates();
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, ...model.args], {
        env: gates.env,
      });
      const browser = new Browser(server.port);
      const held = browser.get("/hold?name=a");
      const pid = (await server.waitForLine(/holding a in (\d+)/))[1];
      process.kill(Number(pid), "SIGKILL");
      gates.open("a");
      const page = await held;
      assert.equal(page.status, 200);
      assert.match(page.text, /^held a in \d+$/);
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });

    test("--max-requests 20 under load replaces workers without a failed request", async () => {
      const server = await startMaitred([
        "-b",
        "127.0.0.1:0",
        "-w",
        "2",
        "--max-requests",
        "20",
        "--chdir",
        testApps,
        ...model.args,
      ]);
      const load = startLoad(server.port, "/pid", CLIENTS);
      await load.until((answers) => answers.size >= 8, "eight workers");
      await load.stop();
      assert.deepEqual(load.failures, []);
      // No upper bound here: a worker goes on until its replacement is ready, one at a time.
      assert.match(server.stderr(), /--max-requests/);
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
  });
}

test("--preload imports the application once, before the fork", async () => {
  const server = await startMaitred([
    "-b",
    "127.0.0.1:0",
    "-w",
    "2",
    "--preload",
    "--chdir",
    testApps,
    "wsgi_app:application",
  ]);
  const browser = new Browser(server.port);
  const [importer, own] = (await browser.get("/imported-by")).text.split(" ");
  assert.notEqual(importer, own);
  browser.close();
  await server.stop();
});

test("without --preload each worker imports the application itself", async () => {
  const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "2", "--chdir", testApps, "wsgi_app:application"]);
  const browser = new Browser(server.port);
  const [importer, own] = (await browser.get("/imported-by")).text.split(" ");
  assert.equal(importer, own);
  browser.close();
  await server.stop();
});

test("WEB_CONCURRENCY says how many workers", async () => {
  const gates = new Gates();
  const server = await startMaitred(["-b", "127.0.0.1:0", "--chdir", testApps, "wsgi_app:application"], {
    env: { ...gates.env, WEB_CONCURRENCY: "3" },
  });
  const browser = new Browser(server.port);
  const names = ["a", "b", "c"];
  const held = names.map((name) => browser.get(`/hold?name=${name}`));
  const pids = await Promise.all(
    names.map(async (name) => (await server.waitForLine(new RegExp(`holding ${name} in (\\d+)`)))[1]),
  );
  assert.equal(new Set(pids).size, 3);
  gates.open(...names);
  await Promise.all(held);
  browser.close();
  await server.stop();
});

function total(answers: ReadonlyMap<string, number>): number {
  return [...answers.values()].reduce((sum, count) => sum + count, 0);
}
