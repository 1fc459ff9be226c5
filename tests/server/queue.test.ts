/** One queue for all workers: bounded, and nobody works for a client that has left. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient, exchangeRaw } from "../support/raw-client.ts";

const ONE_SYNC_WORKER = ["-b", "127.0.0.1:0", "-k", "sync", "-w", "1", "--chdir", testApps];

suite("the queue", () => {
  for (const leaving of ["leave", "vanish"] as const) {
    test(`a client that ${leaving}s while queued never reaches the application`, async () => {
      const gates = new Gates();
      const server = await startMaitred([...ONE_SYNC_WORKER, "wsgi_app:application"], { env: gates.env });
      const browser = new Browser(server.port);
      const held = browser.get("/hold?name=a");
      await server.waitForLine(/holding a in/);

      const queued = await Promise.all(Array.from({ length: 6 }, () => RawClient.open(server.port)));
      for (const [index, client] of queued.entries())
        await client.send(`GET /queued-${index} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await frontHasReadEverything(server.port);
      for (const client of queued.slice(0, 5)) client[leaving]();
      await frontHasReadEverything(server.port);

      gates.open("a");
      assert.equal((await held).status, 200);
      assert.equal((await queued[5]?.response())?.status, 200, "the client that stayed is served");
      assert.equal((await browser.get("/count")).text, "/hold=1 /queued-5=1");
      queued[5]?.leave();
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
  }

  test("a client that leaves while its body is still coming never reaches the application of a sync worker", async () => {
    const server = await startMaitred([...ONE_SYNC_WORKER, "wsgi_app:application"]);
    const client = await RawClient.open(server.port);
    await client.send("POST /unfinished HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello");
    await frontHasReadEverything(server.port);
    client.leave();
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/count")).text, "nothing");
    browser.close();
    await server.stop();
  });

  test("a full queue answers 503 with Retry-After at once, and those in it are served", async () => {
    const gates = new Gates();
    const server = await startMaitred([...ONE_SYNC_WORKER, "--queue-size", "2", "wsgi_app:application"], {
      env: gates.env,
    });
    const browser = new Browser(server.port);
    const held = browser.get("/hold?name=a");
    await server.waitForLine(/holding a in/);

    const statuses: number[] = [];
    let refused = (): void => undefined;
    const eightRefused = new Promise<void>((resolve) => (refused = resolve));
    const ten = Array.from({ length: 10 }, async () => {
      const page = await browser.get("/");
      statuses.push(page.status);
      if (page.status === 503) assert.match(String(page.headers["retry-after"]), /^\d+$/);
      if (statuses.filter((status) => status === 503).length === 8) refused();
      return page;
    });
    await Promise.race([
      eightRefused,
      failAfter(10_000, () => `answered before the gate opened: ${statuses.join(" ")}`),
    ]);
    gates.open("a");
    assert.equal((await held).status, 200);
    await Promise.all(ten);
    assert.deepEqual(
      statuses.sort((a, b) => a - b),
      [200, 200, 503, 503, 503, 503, 503, 503, 503, 503],
    );
    assert.equal((await browser.get("/")).status, 200);
    browser.close();
    await server.stop();
  });

  test("a request too long in the queue is a 503 with Retry-After", async () => {
    const gates = new Gates();
    const server = await startMaitred([...ONE_SYNC_WORKER, "--queue-timeout", "1", "wsgi_app:application"], {
      env: gates.env,
    });
    const browser = new Browser(server.port);
    const held = browser.get("/hold?name=a");
    await server.waitForLine(/holding a in/);
    const page = await browser.get("/queued");
    assert.equal(page.status, 503);
    assert.match(String(page.headers["retry-after"]), /^\d+$/);
    gates.open("a");
    assert.equal((await held).status, 200);
    assert.equal((await browser.get("/count")).text, "/hold=1");
    browser.close();
    await server.stop();
  });

  test("one slow request does not hold up those that another worker can serve", async () => {
    const gates = new Gates();
    const server = await startMaitred(
      ["-b", "127.0.0.1:0", "-k", "sync", "-w", "2", "--chdir", testApps, "wsgi_app:application"],
      { env: gates.env },
    );
    const browser = new Browser(server.port);
    // Fast ones first: whatever the server has learned about this application, it must not put a request behind the held one.
    for (let count = 0; count < 50; count++) await browser.get("/");
    const held = browser.get("/hold?name=a");
    await server.waitForLine(/holding a in/);
    const pages = await Promise.race([
      Promise.all(Array.from({ length: 40 }, () => browser.get("/"))),
      failAfter(10_000, () => "a fast request waits behind the slow one"),
    ]);
    assert.deepEqual([...new Set(pages.map((page) => page.status))], [200]);
    gates.open("a");
    await held;
    browser.close();
    await server.stop();
  });

  for (const model of [
    ["-k", "sync"],
    ["-k", "gthread", "--threads", "2"],
  ] as const) {
    test(`a path that was always fast and is slow this once holds up nobody (${model.join(" ")})`, async () => {
      const gates = new Gates();
      const server = await startMaitred(
        ["-b", "127.0.0.1:0", "-w", "2", ...model, "--chdir", testApps, "wsgi_app:application"],
        { env: gates.env },
      );
      const browser = new Browser(server.port);
      gates.open("open");
      for (let count = 0; count < 50; count++) await browser.get("/hold?name=open");
      const held = browser.get("/hold?name=a");
      await server.waitForLine(/holding a in/);
      const pages = Promise.all(Array.from({ length: 20 }, () => browser.get("/hold?name=open")));
      const statuses = (
        await Promise.race([pages, failAfter(10_000, () => "a fast request waits behind the slow one")])
      ).map((page) => page.status);
      assert.deepEqual([...new Set(statuses)], [200]);
      gates.open("a");
      await held;
      browser.close();
      await server.stop();
    });
  }
});

/** One event loop reads all connections: when it has answered a request that came later, it has seen what came before. */
async function frontHasReadEverything(port: number): Promise<void> {
  for (let round = 0; round < 2; round++) assert.match(await exchangeRaw(port, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
}

async function failAfter(afterMs: number, complaint: () => string): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, afterMs).unref());
  throw new Error(complaint());
}
