/** --timeout: an honest 504, the stacks in the log, the stuck worker alone replaced, and everything that is not stuck left in peace. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { isAlive } from "../support/processes.ts";
import { RawClient } from "../support/raw-client.ts";

const start = (args: readonly string[], env = {}): Promise<Maitred> =>
  startMaitred(["-b", "127.0.0.1:0", "--chdir", testApps, "--timeout", "1", ...args], { env });
const wsgi = (args: readonly string[], env = {}): Promise<Maitred> => start([...args, "trouble_wsgi:application"], env);
const asgi = (args: readonly string[]): Promise<Maitred> => start([...args, "trouble_asgi:application"]);

suite("a stuck worker", () => {
  for (const [path, stack] of [
    ["/spin?a=1", /trouble_wsgi\.py", line \d+ in spin/],
    ["/sleep", /trouble_wsgi\.py", line \d+ in application/],
    ["/hold-gil", /trouble_wsgi\.py", line \d+ in application/],
  ] as const) {
    test(`in ${path} is told with its request and its stack, and replaced; the others are answered`, async () => {
      const server = await wsgi(["-w", "2"]);
      const browser = new Browser(server.port);
      const stuck = browser.get(path, { "x-request-id": "abc-1" });
      const pid = Number((await server.waitForLine(new RegExp(`begun ${path.replace(/\?.*/, "")} in (\\d+)`)))[1]);
      for (let count = 0; count < 10; count++) assert.equal((await browser.get("/")).status, 200);
      assert.equal((await stuck).status, 504);
      const line = new RegExp(
        `WORKER TIMEOUT: worker \\d+ \\(pid ${pid}\\) is stuck in GET ${path.replace("?", "\\?")} \\(1\\d\\d\\d ms, 0 bytes in, 0 bytes out, X-Request-Id "abc-1"\\)`,
      );
      await server.waitForLine(line);
      await server.waitForLine(stack);
      await server.waitForLine(new RegExp(`Worker \\d+ \\(pid ${pid}\\) ended .*stuck in GET .*killed by SIGKILL`));
      assert.equal(isAlive(pid), false);
      for (let count = 0; count < 10; count++) assert.equal((await browser.get("/")).status, 200);
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
  }

  test("that is stopped (SIGSTOP) is killed and replaced", async () => {
    const gates = new Gates();
    const server = await wsgi(["-w", "1"], gates.env);
    const browser = new Browser(server.port);
    const stuck = browser.get("/wait?name=a");
    const pid = Number((await server.waitForLine(/begun \/wait in (\d+)/))[1]);
    process.kill(pid, "SIGSTOP");
    assert.equal((await stuck).status, 504);
    await server.waitForLine(/does not answer to a signal: stopped \(SIGSTOP\)/);
    assert.equal((await browser.get("/")).status, 200);
    browser.close();
    await server.stop();
  });

  test("does not take the requests of its other threads with it", async () => {
    const gates = new Gates();
    const server = await wsgi(["-w", "1", "--threads", "3"], gates.env);
    const browser = new Browser(server.port);
    const stuck = browser.get("/sleep");
    await server.waitForLine(/begun \/sleep in/);
    assert.equal((await stuck).status, 504);
    // Begun after the worker was given up: in another one.
    assert.equal((await browser.get("/")).status, 200);
    browser.close();
    await server.stop();
  });

  test("lets its neighbours end within the grace period, and not longer", async () => {
    const gates = new Gates();
    const server = await wsgi(["-w", "1", "--threads", "3", "--graceful-timeout", "3"], gates.env);
    const browser = new Browser(server.port);
    const stuck = browser.get("/sleep");
    const pid = Number((await server.waitForLine(/begun \/sleep in (\d+)/))[1]);
    await new Promise((resolve) => setTimeout(resolve, 800));
    const neighbour = browser.get("/wait?name=a");
    assert.equal((await stuck).status, 504);
    await server.waitForLine(/What worker 1 .* was doing/);
    gates.open("a");
    assert.equal((await neighbour).text, `waited in ${pid}`);
    await server.waitForLine(new RegExp(`\\(pid ${pid}\\) ended .*killed by SIGKILL`));
    browser.close();
    await server.stop();
  });
});

suite("what is not stuck", () => {
  test("a request that asked for more time gets it", async () => {
    const server = await wsgi(["-w", "1"]);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/extended?by=10&for=2")).status, 200);
    assert.equal((await browser.get("/extended?by=0.5&for=5")).status, 504);
    browser.close();
    await server.stop();
  });

  test("a stream that makes progress lasts as long as it likes; one that stalls is cut", async () => {
    const server = await wsgi(["-w", "1"]);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/trickle?pieces=8&every=0.4")).text.trim().split(" ").length, 8);
    await assert.rejects(browser.get("/stall"));
    await server.waitForLine(/stuck in GET \/stall .*2 bytes out\).*the response is cut/);
    browser.close();
    await server.stop();
  });

  test("a slow upload to an app that reads it does not count", async () => {
    const server = await wsgi(["-w", "1"]);
    const client = await RawClient.open(server.port);
    // Larger than what is gathered before the app begins, so that it begins at once and waits.
    const length = 3_000_000;
    await client.send(`POST /read-slowly HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
    for (let part = 0; part < 6; part++) {
      await client.send(Buffer.alloc(length / 6));
      await new Promise((resolve) => setTimeout(resolve, 450));
    }
    assert.equal((await client.response()).body.toString(), String(length));
    client.leave();
    await server.stop();
  });

  test("waiting in the queue does not count", async () => {
    const gates = new Gates();
    const server = await wsgi(["-w", "1"], gates.env);
    const browser = new Browser(server.port);
    const held = [0, 1, 2].map((number) => browser.get(`/extended?by=5&for=0.7&n=${number}`));
    assert.deepEqual(
      (await Promise.all(held)).map(({ status }) => status),
      [200, 200, 200],
    );
    browser.close();
    await server.stop();
  });
});

suite("on an event loop", () => {
  test("a request that awaits for ever is cancelled alone, with its stack", async () => {
    const server = await asgi(["-w", "1"]);
    const browser = new Browser(server.port);
    const late = browser.get("/await");
    const pid = (await server.waitForLine(/begun \/await in (\d+)/))[1];
    assert.equal((await browser.get("/for?seconds=0.8")).status, 200);
    assert.equal((await late).status, 504);
    await server.waitForLine(/GET \/await .* answered 504 and cancelled in worker 1/);
    await server.waitForLine(/in wait_for_ever/);
    await server.waitForLine(/cancelled \/await/);
    assert.equal((await browser.get("/")).text, `hello from ${pid}`, "the same worker goes on");
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("that is blocked the worker is replaced, and its stack told", async () => {
    const server = await asgi(["-w", "1"]);
    const browser = new Browser(server.port);
    const late = browser.get("/block");
    await server.waitForLine(/begun \/block in/);
    assert.equal((await late).status, 504);
    await server.waitForLine(/WORKER TIMEOUT: worker 1 .* its event loop has been blocked for \d+ ms/);
    await server.waitForLine(/trouble_asgi\.py", line \d+ in application/);
    assert.equal((await browser.get("/")).status, 200);
    browser.close();
    await server.stop();
  });

  test("a request that asked for more time gets it", async () => {
    const server = await asgi(["-w", "1"]);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/extended?by=10&for=2")).status, 200);
    browser.close();
    await server.stop();
  });
});
