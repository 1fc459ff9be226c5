/** maitred maintenance against a running server: answered or held, over a reload, with health checks as before. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { command } from "../support/command.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";
import { frame, handshake, readFrame } from "../support/web-socket-client.ts";

const HTML = { accept: "text/html,*/*;q=0.8" };

async function start(args: readonly string[] = [], cwd?: string): Promise<Maitred> {
  const all = ["-b", "127.0.0.1:0", "-w", "1", "--health-path", "/health", ...args, "wsgi_app:application"];
  return await startMaitred(["--chdir", testApps, ...all], cwd === undefined ? {} : { cwd });
}

async function maintain(server: Maitred, ...words: readonly string[]): Promise<string> {
  const result = await command(["maintenance", ...words, "--pid", String(server.pid)]);
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

async function heldBy(server: Maitred, count: number): Promise<void> {
  for (;;) {
    const { stdout } = await command(["status", "--json", "--pid", String(server.pid)]);
    const { maintenance } = JSON.parse(stdout) as { maintenance: { held: number } | null };
    if (maintenance?.held === count) return;
  }
}

suite("maitred maintenance", { skip: process.platform !== "linux" }, () => {
  test("shows a page, answers health checks, survives a reload, and is over when told", async () => {
    const server = await start();
    const browser = new Browser(server.port);
    const page = join(temporaryFolder(), "down.html");
    writeFileSync(page, "<h1>Back at noon</h1>");
    assert.match(await maintain(server, "on", "--page", page, "--retry-after", "2m"), /is on: requests get 503/);
    const check = async (): Promise<void> => {
      const down = await browser.get("/", HTML);
      assert.deepEqual([down.status, down.text, down.headers["retry-after"]], [503, "<h1>Back at noon</h1>", "120"]);
    };
    await check();
    assert.equal((await browser.get("/health/readyz")).status, 200);
    assert.match((await browser.get("/", { accept: "application/json" })).text, /"title":"Service Unavailable"/);
    const session = connect(server.base);
    session.on("error", () => undefined);
    const stream = session.request({ ":path": "/" });
    const head = await new Promise<Record<string, unknown>>((resolve) => stream.once("response", resolve));
    assert.equal(head[":status"], 503);
    stream.close();
    session.close();
    const status = await command(["status", "--pid", String(server.pid)]);
    assert.match(status.stdout, /maintenance +for .*: \d+ requests got 503/);
    assert.equal((await command(["reload", "--pid", String(server.pid)])).code, 0);
    await check();
    assert.match(await maintain(server, "off"), /is over: 0 held/);
    assert.equal((await browser.get("/")).text, "hello");
    assert.match(await maintain(server, "off"), /was not on/);
    browser.close();
    await server.stop();
  });

  test("holds requests, of clients that stay, until it is over", async () => {
    const server = await start();
    const browser = new Browser(server.port);
    assert.match(await maintain(server, "on", "--hold", "1m"), /requests wait/);
    const asked: Promise<Page>[] = [];
    for (let count = 1; count <= 3; count++) {
      asked.push(browser.ask(`/echo?${count}`, { method: "POST", body: `body ${count}` }));
      await heldBy(server, count);
    }
    const leaver = await RawClient.open(server.port);
    await leaver.send("GET /left HTTP/1.1\r\nHost: h\r\n\r\n");
    await heldBy(server, 4);
    leaver.socket.destroy();
    await heldBy(server, 3);
    assert.match(await maintain(server, "off"), /3 held requests went on/);
    assert.deepEqual(
      (await Promise.all(asked)).map(({ text }) => text),
      ["body 1", "body 2", "body 3"],
    );
    assert.doesNotMatch((await browser.get("/count")).text, /left/);
    browser.close();
    await server.stop();
  });

  test("answers what is held too long, and what is held when the server stops", async () => {
    const server = await start();
    const browser = new Browser(server.port);
    await maintain(server, "on", "--hold", "50ms");
    assert.equal((await browser.get("/")).status, 503);
    await maintain(server, "on", "--hold", "1h");
    const last = browser.get("/");
    await heldBy(server, 1);
    const exit = server.stop();
    assert.equal((await last).status, 503);
    assert.equal((await exit).code, 0);
    browser.close();
  });

  test("lets allowed addresses pass, and tells who gives wrong words", async () => {
    const server = await start();
    const browser = new Browser(server.port);
    await maintain(server, "on", "--allow", "127.0.0.0/8");
    assert.equal((await browser.get("/")).text, "hello");
    await maintain(server, "on", "--allow", "10.0.0.0/8");
    assert.equal((await browser.get("/")).status, 503);
    const wrong = await command(["maintenance", "on", "--page", "/nowhere/at.html", "--pid", String(server.pid)]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--page \/nowhere\/at\.html cannot be read: .*ENOENT/);
    browser.close();
    await server.stop();
  });
});

suite("maitred maintenance and WebSockets", { skip: process.platform !== "linux" }, () => {
  test("leave open ones alone, refuse or hold the handshakes of others", async () => {
    const args = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "websocket_app:application"];
    const server = await startMaitred(args);
    const open = await RawClient.open(server.port);
    await open.send(handshake("/echo"));
    assert.equal((await open.response()).status, 101);
    await maintain(server, "on");
    await open.send(frame(1, "still here"));
    assert.equal((await readFrame((count) => open.take(count))).payload.toString(), "still here");
    const refused = await RawClient.open(server.port);
    await refused.send(handshake("/echo"));
    assert.equal((await refused.response()).status, 503);
    await maintain(server, "on", "--hold", "1m");
    const held = await RawClient.open(server.port);
    await held.send(handshake("/echo"));
    await heldBy(server, 1);
    await maintain(server, "off");
    assert.equal((await held.response()).status, 101);
    await held.send(frame(1, "hello"));
    assert.equal((await readFrame((count) => held.take(count))).payload.toString(), "hello");
    for (const client of [open, refused, held]) client.socket.destroy();
    await server.stop();
  });
});

suite("maintenance in maitred.toml", () => {
  test("is for single routes", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "down.html"), "<h1>Closed</h1>");
    writeFileSync(
      join(folder, "maitred.toml"),
      `
pythonpath = ["${testApps}"]
app = "wsgi_app:application"
[[route]]
path = "/shop"
maintenance = { page = "down.html", retry-after = "1h" }
[[route]]
path = "/open"
maintenance = { allow = ["127.0.0.1"] }
`,
    );
    const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1"], { cwd: folder });
    const browser = new Browser(server.port);
    const closed = await browser.get("/shop/item", HTML);
    assert.deepEqual([closed.status, closed.text, closed.headers["retry-after"]], [503, "<h1>Closed</h1>", "3600"]);
    assert.equal((await browser.get("/open")).text, "hello");
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    await server.stop();
  });
});
