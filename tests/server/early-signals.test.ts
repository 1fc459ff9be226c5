/** Signals that come while the first workers start are done when the server serves. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder } from "../support/places.ts";
import { isAlive } from "../support/processes.ts";

/** Its first import, which --preload does in a child of the server, sends the signals to the server and goes on when they are heard. */
const app = (signals: readonly string[]): string => `
import os, signal, time
if not os.path.exists("imported"):
    open("imported", "w").close()
    for name in ${JSON.stringify(signals)}:
        os.kill(os.getppid(), getattr(signal, name))
        time.sleep(0.05)
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
`;

function started(signals: readonly string[]): Promise<Maitred> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "app.py"), app(signals));
  return startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--preload", "--chdir", folder, "app:application"]);
}

suite("signals during the first start", () => {
  test("reload, scale and reopen the logs when it is over, a reload only once", async () => {
    const server = await started(["SIGHUP", "SIGHUP", "SIGTTIN", "SIGTTIN", "SIGUSR1"]);
    await server.waitForLine(/Log files reopened/);
    await server.waitForLine(/Reload: 3 new workers serve/);
    const log = server.stderr();
    assert.equal([...log.matchAll(/SIGHUP, which came during the start/g)].length, 1);
    assert.equal([...log.matchAll(/SIGTTIN, which came during the start/g)].length, 2);
    assert.equal([...log.matchAll(/will be handled when the server has started/g)].length, 5);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("upgrade", async () => {
    const server = await started(["SIGUSR2"]);
    const [, pid] = await server.waitForLine(/Upgrade: the new server \(pid (\d+)\) is ready/);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    process.kill(Number(pid), "SIGTERM");
    while (isAlive(Number(pid))) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test("do nothing more where one of them is the wish to stop", async () => {
    const log = await started(["SIGHUP", "SIGTERM"]).then(
      async (server) => {
        await server.exited;
        return server.stderr();
      },
      (error: Error) => error.message,
    );
    assert.doesNotMatch(log, /which came during the start/);
    assert.match(log, /Handling signal SIGTERM/);
  });
});
