/** SIGUSR2: a new server takes over the listening sockets, the old one leaves when the new one is ready, and no request is lost. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { command } from "../support/command.ts";
import { Gates } from "../support/gates.ts";
import { startLoad } from "../support/load.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { isAlive } from "../support/processes.ts";

const READY = /Upgrade: the new server \(pid (\d+)\) is ready/;

async function upgraded(server: Maitred): Promise<number> {
  server.signal("SIGUSR2");
  const [, pid] = await server.waitForLine(READY);
  return Number(pid);
}

async function end(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, "SIGTERM");
  await until(() => !isAlive(pid), `process ${pid} to end`);
}

async function until(satisfied: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!satisfied()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(10);
  }
}

/** An application in a folder `current` that can be exchanged like a release, which says the version it was imported from. */
function releases(): { folder: string; release: (version: string, source?: string) => void } {
  const folder = temporaryFolder();
  const release = (version: string, source = ""): void => {
    mkdirSync(join(folder, version));
    const code = `${source}\ndef application(environ, start_response):\n    start_response("200 OK", [("Content-Length", "${version.length}")])\n    return [b"${version}"]\n`;
    writeFileSync(join(folder, version, "versioned.py"), code);
    symlinkSync(version, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "current"));
  };
  return { folder, release };
}

suite("binary upgrade", { skip: process.platform !== "linux" }, () => {
  test("under load: every request is answered, old and new; the pid file ends with the new pid", async () => {
    const { folder, release } = releases();
    release("one");
    const pidFile = join(folder, "pid");
    const server = await startMaitred(
      ["-b", "127.0.0.1:0", "-w", "2", "-p", pidFile, "--chdir", join(folder, "current"), "versioned:application"],
      { cwd: folder },
    );
    const load = startLoad(server.port, "/", 6);
    await load.until((answers) => (answers.get("one") ?? 0) > 50, "the old version");
    release("two");
    server.signal("SIGUSR2");
    await until(() => existsSync(`${pidFile}.2`), "the second pid file");
    assert.equal(readFileSync(pidFile, "utf8").trim(), String(server.pid));
    const [, text] = await server.waitForLine(READY);
    const pid = Number(text);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    const before = load.answers.get("two") ?? 0;
    await load.until((answers) => (answers.get("two") ?? 0) > before + 50, "the new version");
    await load.stop();
    assert.deepEqual(load.failures, []);
    await until(() => readFileSync(pidFile, "utf8").trim() === String(pid), "the pid file to be the new server's");
    assert.equal(existsSync(`${pidFile}.2`), false);
    assert.match((await command(["status", "-p", pidFile])).stdout, new RegExp(`\\(pid ${pid}\\), serving`));

    // And once more, by the one that was started by the first.
    release("three");
    process.kill(pid, "SIGUSR2");
    await until(() => !isAlive(pid), "the second server to leave");
    const third = Number(readFileSync(pidFile, "utf8"));
    assert.notEqual(third, pid);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "three");
    browser.close();
    await end(third);
    assert.equal(existsSync(pidFile), false);
  });

  test("a request at work is finished by the old server", async () => {
    const gates = new Gates();
    const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "wsgi_app:application"], {
      env: gates.env,
    });
    const browser = new Browser(server.port);
    const held = browser.get("/hold?name=a");
    const [, oldWorker] = await server.waitForLine(/holding a in (\d+)/);
    const pid = await upgraded(server);
    await server.waitForLine(/Handling the upgrade/);
    const young = await browser.get("/pid");
    assert.notEqual(young.text, oldWorker);
    gates.open("a");
    assert.equal((await held).text, `held a in ${oldWorker}`);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    browser.close();
    await end(pid);
  });

  test("a new server that cannot start leaves the old one serving, with its sockets and files", async () => {
    const { folder, release } = releases();
    release("one");
    const pidFile = join(folder, "pid");
    const socket = join(folder, "sock");
    const server = await startMaitred(
      [
        "-b",
        `unix:${socket}`,
        "-b",
        "127.0.0.1:0",
        "-w",
        "1",
        "-p",
        pidFile,
        "--control-socket",
        join(folder, "ctl"),
        "--chdir",
        join(folder, "current"),
        "versioned:application",
      ],
      { cwd: folder },
    );
    release("broken", 'raise ValueError("no name")');
    server.signal("SIGUSR2");
    await server.waitForLine(/Upgrade failed, this server goes on: it ended with exit code 3/);
    await server.waitForLine(/ValueError: no name/);
    for (const at of [server.port, socket]) {
      const browser = new Browser(at);
      assert.equal((await browser.get("/")).text, "one");
      browser.close();
    }
    assert.equal(readFileSync(pidFile, "utf8").trim(), String(server.pid));
    assert.equal(existsSync(`${pidFile}.2`), false);
    assert.equal((await command(["status", "--control-socket", join(folder, "ctl")])).code, 0);
    // The next one, mended, takes over.
    release("two");
    server.signal("SIGUSR2");
    const [, text] = await server.waitForLine(READY);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(statSync(socket).isSocket(), "the old server has not removed the new one's socket");
    const browser = new Browser(socket);
    assert.equal((await browser.get("/")).text, "two");
    browser.close();
    assert.equal((await command(["stop", "--control-socket", join(folder, "ctl")])).code, 0);
    await until(() => !isAlive(Number(text)), "the new server to end");
    for (const path of [socket, pidFile, join(folder, "ctl")]) assert.equal(existsSync(path), false, path);
  });

  test("maintenance goes on, from the new server's first request, as it was last told", async () => {
    const { folder, release } = releases();
    release("one");
    const page = join(folder, "down.html");
    writeFileSync(page, "<p>down</p>");
    const args = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", join(folder, "current"), "versioned:application"];
    const server = await startMaitred(args, { cwd: folder });
    const maintain = async (pid: number, ...words: readonly string[]): Promise<void> => {
      const { code, stderr } = await command(["maintenance", ...words, "--pid", String(pid)]);
      assert.equal(code, 0, stderr);
    };
    const get = async (): Promise<string> => {
      const browser = new Browser(server.port);
      const { status, text } = await browser.get("/", { accept: "text/html" });
      browser.close();
      return `${status} ${text}`;
    };
    await maintain(server.pid, "on", "--page", page, "--retry-after", "5m");
    const seen = new Set<string>();
    let isOver = false;
    const asking = (async () => {
      for (; !isOver && isAlive(server.pid); await pause(2)) seen.add(await get());
    })();
    release("two", "import time; time.sleep(0.5)");
    const pid = await upgraded(server);
    await server.exited;
    assert.equal(await get(), "503 <p>down</p>");
    isOver = true;
    await asking;
    assert.deepEqual([...seen], ["503 <p>down</p>"], "no request has reached either app");
    const { stdout } = await command(["status", "--json", "--pid", String(pid)]);
    const { maintenance } = JSON.parse(stdout) as { maintenance: { mode: string; forMs: number } };
    assert.equal(maintenance.mode, "page");
    assert.ok(maintenance.forMs > 500, `${maintenance.forMs} ms, counted from its beginning`);

    // What changes while the next one starts is told to that.
    release("three", "import time; time.sleep(1)");
    process.kill(pid, "SIGUSR2");
    await until(() => server.stderr().split("Upgrade: starting a new server").length === 3, "the second upgrade");
    await maintain(pid, "off");
    assert.equal(await get(), "200 two");
    await until(() => !isAlive(pid), "the second server to leave");
    assert.equal(await get(), "200 three");
    const [, third] = /Upgrade: the new server \(pid (\d+)\) is ready[^]*Upgrade: the new server \(pid (\d+)\) is ready/
      .exec(server.stderr())!
      .slice(1);
    await end(Number(third));
  });

  test("health checks go on, at the same address", async () => {
    const server = await startMaitred([
      "-b",
      "127.0.0.1:0",
      "--health-bind",
      "127.0.0.1:0",
      "-w",
      "1",
      "--chdir",
      testApps,
      "wsgi_app:application",
    ]);
    const [, port] = await server.waitForLine(/Health checks at: http:\/\/127\.0\.0\.1:(\d+)\/livez/);
    const pid = await upgraded(server);
    await server.exited;
    const health = new Browser(Number(port));
    assert.equal((await health.get("/readyz")).status, 200);
    health.close();
    await end(pid);
  });
});
