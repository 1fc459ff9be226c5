/** Socket activation and sd_notify, with a service manager that does what systemd documents. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { startMaitred } from "../support/maitred.ts";
import { repository, temporaryFolder, testApps } from "../support/places.ts";
import { isAlive } from "../support/processes.ts";

const MANAGER = join(repository, "tests/support/service_manager.py");
const PATIENCE_MS = 20_000;

class Printing {
  readonly child: ChildProcess;
  text = "";
  #watchers = new Set<() => void>();

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(command, args, {
      env: { ...process.env, MAITRED_BIN: undefined, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (data: string) => {
        this.text += data;
        for (const look of this.#watchers) look();
      });
    }
    started.add(this.child);
    this.child.once("exit", () => started.delete(this.child));
  }

  async line(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${String(pattern)} in:\n${this.text}`)), PATIENCE_MS);
      const look = (): void => {
        const match = pattern.exec(this.text.slice(from));
        if (match === null) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(match);
      };
      this.#watchers.add(look);
      look();
    });
  }

  async end(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", (code) => resolve(code)));
    this.child.kill("SIGTERM");
    return await ended;
  }
}

const started = new Set<ChildProcess>();
after(() => {
  for (const child of started) child.kill("SIGKILL");
});

async function manager(address: string): Promise<Printing> {
  const printing = new Printing("python3", [MANAGER, "notify", address]);
  await printing.line(/listening/);
  return printing;
}

suite("systemd", { skip: process.platform !== "linux" }, () => {
  for (const kind of ["file", "abstract"]) {
    test(`is told by the main process: ready, watchdog, reload, upgrade, stop (${kind} NOTIFY_SOCKET)`, async () => {
      const folder = temporaryFolder();
      const address = kind === "file" ? join(folder, "notify") : `@maitred-test-${process.pid}`;
      const systemd = await manager(address);
      writeFileSync(
        join(folder, "told.py"),
        'import os\ndef application(environ, start_response):\n    start_response("200 OK", [])\n    return [" ".join(sorted(os.environ)).encode()]\n',
      );
      const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", folder, "told:application"], {
        env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: "400000" },
      });
      const { pid } = server;
      await systemd.line(new RegExp(`^${pid} READY=1 STATUS=Serving told:application with 1 worker$`, "m"));
      await systemd.line(new RegExp(`^${pid} WATCHDOG=1\n(.*\n)*${pid} WATCHDOG=1$`, "m"));
      const browser = new Browser(server.port);
      assert.doesNotMatch((await browser.get("/")).text, /NOTIFY|WATCHDOG|MAITRED_/, "the app hears nothing of it");
      browser.close();

      let at = systemd.text.length;
      server.signal("SIGHUP");
      await systemd.line(
        new RegExp(`^${pid} RELOADING=1 MONOTONIC_USEC=\\d+ STATUS=Reloading\n(.*\n)*${pid} READY=1`, "m"),
        at,
      );

      at = systemd.text.length;
      server.signal("SIGUSR2");
      const [, heir] = await systemd.line(new RegExp(`^${pid} MAINPID=(\\d+)$`, "m"), at);
      await server.exited;
      assert.doesNotMatch(systemd.text, /STOPPING/);
      at = systemd.text.length;
      await systemd.line(new RegExp(`^${heir} WATCHDOG=1$`, "m"), at);
      process.kill(Number(heir), "SIGTERM");
      await systemd.line(new RegExp(`^${heir} STOPPING=1 STATUS=Stopping$`, "m"), at);
      while (isAlive(Number(heir))) await new Promise((resolve) => setTimeout(resolve, 10));
      systemd.child.kill("SIGKILL");
    });
  }

  test("sockets that it has opened are served, the one named health answers health checks, also after an upgrade", async () => {
    const server = new Printing("python3", [
      MANAGER,
      "activate",
      "2",
      "web:health",
      `${repository}/bin/maitred`,
      "-w",
      "1",
      "--chdir",
      testApps,
      "operated_wsgi:application",
    ]);
    const [, web] = await server.line(/Listening at: http:\/\/127\.0\.0\.1:(\d+)/);
    const [, health] = await server.line(/Health checks at: http:\/\/127\.0\.0\.1:(\d+)/);
    const browser = new Browser(Number(web));
    const probe = new Browser(Number(health));
    await server.line(/Serving /);
    assert.doesNotMatch((await browser.get("/environ")).text, /LISTEN_|MAITRED_/);
    assert.equal((await probe.get("/readyz")).status, 200);
    const gone = new Promise<number | null>((resolve) => server.child.once("exit", (code) => resolve(code)));
    server.child.kill("SIGUSR2");
    const [, heir] = await server.line(/the new server \(pid (\d+)\) is ready/);
    assert.equal(await gone, 0);
    browser.close();
    probe.close();
    const again = new Browser(Number(web));
    const probeAgain = new Browser(Number(health));
    assert.equal((await again.get("/")).text, "hello");
    assert.equal((await probeAgain.get("/livez")).status, 200);
    again.close();
    probeAgain.close();
    process.kill(Number(heir), "SIGTERM");
    while (isAlive(Number(heir))) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test("sockets that were meant for another process are left alone, and it is said", async () => {
    const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "wsgi_app:application"], {
      env: { LISTEN_FDS: "1", LISTEN_PID: "1" },
    });
    await server.waitForLine(/LISTEN_FDS=1 has no effect: LISTEN_PID is 1 and this process is \d+/);
    await server.stop();
  });
});
