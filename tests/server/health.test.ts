/** Health checks: answered by the front alone, on a listener of their own or below a prefix, and never by the application. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

/** A window made larger must not pause the server, so a front on a terminal is deaf to WINCH. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

const json = { accept: "application/json" };

async function healthPort(server: Maitred): Promise<number> {
  const [, port] = await server.waitForLine(/Health checks at: http:\/\/127\.0\.0\.1:(\d+)\/livez/);
  return Number(port);
}

test("--health-bind answers while every worker is busy, and the application's routes stay its own", async () => {
  const gates = new Gates();
  const server = await startMaitred(
    ["-b", "127.0.0.1:0", "--health-bind", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "wsgi_app:application"],
    { env: gates.env },
  );
  const browser = new Browser(server.port);
  const health = new Browser(await healthPort(server));
  const held = browser.get("/hold?name=a");
  await server.waitForLine(/holding a in/);

  const ready = await health.get("/readyz");
  assert.equal(ready.status, 200);
  assert.equal(ready.text, "ok\n");
  const live = await health.get("/livez?verbose", json);
  assert.deepEqual(JSON.parse(live.text), { status: "ok", workers: { serving: 1, wanted: 1 }, waiting: 0 });
  assert.equal((await health.get("/")).status, 404);
  assert.equal((await health.ask("/readyz", { method: "POST" })).status, 405);

  gates.open("a");
  assert.equal((await held).status, 200);
  assert.equal((await browser.get("/readyz")).text, "hello", "the public listener gives it to the app");
  health.close();
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("--health-path answers below its prefix on the public listener, no worker hears of it", async () => {
  const server = await startMaitred([
    "-b",
    "127.0.0.1:0",
    "-w",
    "1",
    "--health-path",
    "/-",
    "--chdir",
    testApps,
    "wsgi_app:application",
  ]);
  const browser = new Browser(server.port, 1);
  assert.equal((await browser.get("/-/livez")).text, "ok\n");
  assert.equal((await browser.ask("/-/readyz", { method: "HEAD" })).status, 200);
  assert.equal((await browser.get("/-/other")).text, "hello");
  assert.equal((await browser.get("/count")).text, "/-/other=1");
  browser.close();
  await server.stop();
});

test(
  "not ready while no worker is, ready again when one comes back; alive all the while",
  { skip: hasTerminal() },
  async () => {
    const server = await startMaitred([
      "-b",
      "127.0.0.1:0",
      "--health-bind",
      `unix:${temporaryFolder()}/h`,
      "-w",
      "1",
      "--health-path",
      "/",
      "--chdir",
      testApps,
      "wsgi_app:application",
    ]);
    const browser = new Browser(server.port);
    server.signal("SIGWINCH");
    await server.waitForLine(/fewer workers are wanted, exit code 0/);
    const unready = await browser.get("/readyz");
    assert.equal(unready.status, 503);
    assert.equal(unready.text, "not ready: no worker is ready\n");
    assert.equal((await browser.get("/livez")).status, 200);
    const waits = browser.get("/");
    server.signal("SIGHUP");
    assert.equal((await waits).text, "hello", "what came in the pause has waited");
    assert.equal((await browser.get("/readyz")).status, 200);
    browser.close();
    await server.stop();
  },
);

test("a crash loop is not ready", async () => {
  const server = await startMaitred([
    "-b",
    "127.0.0.1:0",
    "--health-bind",
    "127.0.0.1:0",
    "-w",
    "1",
    "--chdir",
    testApps,
    "operated_wsgi:application",
  ]);
  const health = new Browser(await healthPort(server));
  const browser = new Browser(server.port);
  for (let death = 0; death < 5; death++) assert.equal((await browser.ask("/die", { method: "POST" })).status, 502);
  await server.waitForLine(/Workers keep dying/);
  const page = await health.get("/readyz");
  assert.equal(page.status, 503);
  assert.match(page.text, /^not ready: workers keep dying/);
  health.close();
  browser.close();
  await server.stop();
});

test("--drain-delay: readiness fails at once, serving goes on, each response closes its connection; a second signal ends the delay", async () => {
  const server = await startMaitred([
    "-b",
    "127.0.0.1:0",
    "--health-bind",
    "127.0.0.1:0",
    "--drain-delay",
    "60",
    "--chdir",
    testApps,
    "wsgi_app:application",
  ]);
  await server.waitForLine(/Serving wsgi_app:application/);
  const health = new Browser(await healthPort(server));
  const old = await RawClient.open(server.port);
  assert.equal((await health.get("/readyz")).status, 200);
  server.signal("SIGTERM");
  await server.waitForLine(/not ready any more, still serving for 60 s/);
  const unready = await health.get("/readyz", json);
  assert.equal(unready.status, 503);
  assert.equal((JSON.parse(unready.text) as { reason: string }).reason, "the server is stopping");
  assert.equal((await health.get("/livez")).status, 200);
  const young = await RawClient.open(server.port);
  for (const client of [old, young]) {
    await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const answer = await client.response();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["connection"], "close");
    client.leave();
  }
  health.close();
  assert.deepEqual(await server.stop("SIGTERM"), { code: 0, signal: null });
});

for (const path of ["/stream", "/wait"]) {
  test(`an app that never ends (${path}) cannot cost its lifespan shutdown, nor the stop its time`, async () => {
    const server = await startMaitred([
      "-b",
      "127.0.0.1:0",
      "-w",
      "1",
      "--graceful-timeout",
      "2",
      "--chdir",
      testApps,
      "operated_asgi:application",
    ]);
    const client = await RawClient.open(server.port);
    await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await server.waitForLine(/streaming|waiting/);
    const begun = performance.now();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - begun < 4000);
    await server.waitForLine(/lifespan shutdown ran/);
    await server.waitForLine(new RegExp(`Cut at the stop: GET ${path} in worker 1`));
    assert.doesNotMatch(server.stderr(), /Killed/);
    client.leave();
  });
}

test("TTIN and TTOU: one worker more, one less, never none", async () => {
  const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "wsgi_app:application"]);
  server.signal("SIGTTIN");
  await server.waitForLine(/Worker 2 .* is ready/);
  server.signal("SIGTTOU");
  await server.waitForLine(/Worker 1 .* fewer workers are wanted, exit code 0/);
  server.signal("SIGTTOU");
  await server.waitForLine(/one worker stays/);
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/")).text, "hello");
  browser.close();
  await server.stop();
});
