/** maitred as process 1 of a container: it waits for orphans, passes signals on, and ends as the server ends. In a pid namespace of its own. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { after, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { examplesPython, repository, testApps } from "../support/places.ts";

const NAMESPACE = ["--pid", "--fork", "--mount-proc", "--kill-child"];
const canUnshare = spawnSync("unshare", [...NAMESPACE, "true"]).status === 0;
const PATIENCE_MS = 20_000;

class Container {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  text = "";
  #watchers = new Set<() => void>();

  constructor(args: readonly string[]) {
    this.child = spawn("unshare", [...NAMESPACE, `${repository}/bin/maitred`, "--python", examplesPython(), ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    running.add(this.child);
    this.exited = new Promise((resolve) =>
      this.child.once("exit", (code) => {
        running.delete(this.child);
        resolve(code);
      }),
    );
    this.child.stderr?.setEncoding("utf8").on("data", (data: string) => {
      this.text += data;
      for (const look of this.#watchers) look();
    });
  }

  async line(pattern: RegExp, times = 1): Promise<RegExpMatchArray> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${String(pattern)} in:\n${this.text}`)), PATIENCE_MS);
      const look = (): void => {
        const matches = [...this.text.matchAll(new RegExp(pattern, "g"))];
        const match = matches[times - 1];
        if (match === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(match);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** To process 1, whose pid out here is that of unshare's only child. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.child.pid ?? -1;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")), signal);
  }
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** What has just ended may be there for a moment. */
async function noZombies(browser: Browser): Promise<void> {
  let names = "";
  for (let attempt = 0; attempt < 50; attempt++) {
    names = (await browser.get("/zombies")).text;
    if (names === "") return;
    await pause(20);
  }
  assert.equal(names, "", "nobody waits for these");
}

suite("as process 1", { skip: !canUnshare }, () => {
  test("orphans are waited for, signals arrive, an upgrade stays in the container, and the exit code is the server's", async () => {
    const container = new Container(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "operated_wsgi:application"]);
    const [, port] = await container.line(/Listening at: http:\/\/127\.0\.0\.1:(\d+)/);
    await container.line(/Serving /);
    const browser = new Browser(Number(port));
    for (let orphan = 0; orphan < 3; orphan++) assert.match((await browser.get("/orphan")).text, /^\d+$/);
    // They live for a fifth of a second.
    await pause(400);
    await noZombies(browser);
    container.signal("SIGHUP");
    await container.line(/Reload: 1 new workers serve/);
    container.signal("SIGUSR2");
    await container.line(/Upgrade: the new server \(pid \d+\) is ready/);
    await container.line(/\[INFO\] Stopped/);
    const again = new Browser(Number(port));
    assert.equal((await again.get("/")).text, "hello");
    await noZombies(again);
    browser.close();
    again.close();
    container.signal("SIGTERM");
    assert.equal(await container.exited, 0);
    await container.line(/\[INFO\] Stopped/, 2);
  });

  test("an app that cannot be served ends the container with its exit code", async () => {
    const container = new Container([
      "-b",
      "127.0.0.1:0",
      "-w",
      "1",
      "--chdir",
      testApps,
      "breaks_on_import:application",
    ]);
    assert.equal(await container.exited, 3);
  });
});
