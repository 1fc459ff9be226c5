/** The process that forks the workers is killed, alone: its workers go with it, and the front brings up new ones. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startLoad } from "../support/load.ts";
import { startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { ancestry, isAlive } from "../support/processes.ts";

const LOST = /The Python zygote ended unexpectedly \(killed by SIGKILL\); starting again/g;

const total = (answers: ReadonlyMap<string, number>): number => [...answers.values()].reduce((a, b) => a + b, 0);

for (const preload of [[], ["--preload"]]) {
  suite(
    `kill -9 of the zygote ${preload.join(" ") || "without --preload"}`,
    { skip: process.platform !== "linux" },
    () => {
      test("costs no GET, new workers come from a new one, and a reload works as before", async () => {
        const args = ["-b", "127.0.0.1:0", "-w", "2", ...preload, "--chdir", testApps, "wsgi_app:application"];
        const server = await startMaitred(args);
        const load = startLoad(server.port, "/pid", 6);
        const seen = new Set<string>();
        const young = async (): Promise<number> => {
          const isYoung = (pid: string): boolean => !seen.has(pid) && isAlive(Number(pid));
          await load.until((answers) => [...answers.keys()].some(isYoung), "a new worker");
          const pid = [...load.answers.keys()].find(isYoung) ?? "";
          for (const one of load.answers.keys()) seen.add(one);
          // Whoever lost its worker has its answer by then: nobody's request dies twice.
          const answered = total(load.answers);
          await load.until((answers) => total(answers) > answered + 50, "50 more answers");
          return Number(pid);
        };
        for (let round = 1; round <= 3; round++) {
          const worker = await young();
          const [, zygote = 0] = ancestry(worker, server.pid);
          process.kill(zygote, "SIGKILL");
          await server.waitForLine(new RegExp(`(?:${LOST.source}[^]*?){${round}}`));
          assert.equal(isAlive(zygote), false);
        }
        await young();
        server.signal("SIGHUP");
        await server.waitForLine(/Reload: 2 new workers serve/);
        await young();
        await load.stop();
        assert.deepEqual(load.failures, []);
        assert.deepEqual([...seen].map(Number).filter(isAlive).length <= 2, true);
        assert.deepEqual(await server.stop(), { code: 0, signal: null });
      });
    },
  );
}

test("kill -9 of the zygote: a POST at work gets 502, a POST in the queue is served by the new workers", async () => {
  const gates = new Gates();
  const server = await startMaitred(
    ["-b", "127.0.0.1:0", "-w", "1", "-k", "sync", "--chdir", testApps, "wsgi_app:application"],
    { env: gates.env },
  );
  const browser = new Browser(server.port);
  const held = browser.ask("/hold?name=a", { method: "POST", body: "x" });
  const [, worker] = await server.waitForLine(/holding a in (\d+)/);
  // /hold takes long, as everybody can see after a moment: the next one waits in the queue.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const queued = browser.ask("/echo", { method: "POST", body: "mine" });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const [, zygote = 0] = ancestry(Number(worker), server.pid);
  process.kill(zygote, "SIGKILL");
  assert.equal((await held).status, 502);
  assert.deepEqual([(await queued).status, (await queued).text], [200, "mine"]);
  await server.waitForLine(LOST);
  browser.close();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});
