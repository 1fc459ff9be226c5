/** Every end of a worker is told with its cause and with the request that was at work, and recycling is not an end that anybody notices. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startLoad } from "../support/load.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const start = (args: readonly string[], env = {}): Promise<Maitred> =>
  startMaitred(["-b", "127.0.0.1:0", "--chdir", testApps, ...args, "trouble_wsgi:application"], { env });

suite("a worker's end is explained", () => {
  for (const [what, path, told] of [
    [
      "os._exit",
      "/os-exit?code=5",
      /exit code 5: the app has ended its process \(os\._exit.*at work on POST \/os-exit/,
    ],
    ["os._exit(0)", "/os-exit?code=0", /exit code 0: the app has ended its process.*at work on POST \/os-exit/],
    ["a segmentation fault", "/segfault", /killed by SIGSEGV: a fault in native code.*at work on POST \/segfault/],
    ["SIGUSR1 from somebody", "/kill?signal=10", /killed by signal 10, which somebody else has sent, at work on POST/],
  ] as const) {
    test(`by ${what}, with the request, which gets 502`, async () => {
      const server = await start(["-w", "1"]);
      const browser = new Browser(server.port);
      assert.equal((await browser.ask(path, { method: "POST", body: "x" })).status, 502);
      await server.waitForLine(told);
      assert.equal((await browser.get("/")).status, 200);
      browser.close();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
    });
  }

  test("by a fault, with its Python stacks in the same line's report, also where the error log is a file", async () => {
    const file = join(temporaryFolder(), "error.log");
    const server = await startMaitred(
      ["-b", "127.0.0.1:0", "--chdir", testApps, "-w", "2", "--error-logfile", file, "trouble_wsgi:application"],
      { logFile: file },
    );
    const browser = new Browser(server.port);
    // Tried once more: two deaths.
    assert.equal((await browser.get("/segfault")).status, 502);
    assert.equal((await browser.get("/")).status, 200);
    const report =
      /ended after [\d.]+ s: died unexpectedly, killed by SIGSEGV: .*at work on GET \/segfault \(\d+ ms\)\. Its Python stacks:\nFatal Python error: Segmentation fault\n(?:.*\n)*?.*trouble_wsgi\.py", line \d+ in application/g;
    assert.equal([...readFileSync(file, "utf8").matchAll(report)].length, 2);
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("sys.exit in the app ends the request with 500, and no worker", async () => {
    const server = await start(["-w", "1"]);
    const browser = new Browser(server.port);
    const pid = (await browser.get("/")).text.split(" ")[2];
    assert.equal((await browser.get("/sys-exit")).status, 500);
    await server.waitForLine(/SystemExit: 7/);
    assert.equal((await browser.get("/")).text.split(" ")[2], pid);
    browser.close();
    await server.stop();
  });

  const cgroups = {
    "cgroup v2": {
      before: { "memory.events": "low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n", "memory.max": "536870912\n" },
      after: { "memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\n" },
    },
    "cgroup v1": {
      before: {
        "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        "memory/memory.limit_in_bytes": "536870912\n",
      },
      after: { "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n" },
    },
  };
  for (const [version, { before, after }] of Object.entries(cgroups)) {
    test(`an OOM kill is told from another kill by the counters of ${version}`, async () => {
      const root = temporaryFolder();
      const lay = (files: Readonly<Record<string, string>>): void => {
        for (const [name, text] of Object.entries(files)) {
          mkdirSync(dirname(join(root, name)), { recursive: true });
          writeFileSync(join(root, name), text);
        }
      };
      lay(before);
      const gates = new Gates();
      const server = await start(["-w", "1", "--cgroup-root", root], gates.env);
      const browser = new Browser(server.port);
      const held = browser.ask("/wait?name=a", { method: "POST", body: "x" });
      const first = Number((await server.waitForLine(/begun \/wait in (\d+)/))[1]);
      lay(after);
      process.kill(first, "SIGKILL");
      assert.equal((await held).status, 502);
      await server.waitForLine(
        /killed by SIGKILL by the kernel: out of memory \(oom_kill of the cgroup has risen, limit 512 MiB.*at work on POST \/wait/,
      );
      // The counter has not risen again.
      const second = Number((await browser.get("/")).text.split(" ")[2]);
      process.kill(second, "SIGKILL");
      await server.waitForLine(/killed by SIGKILL, sent by someone else: neither maitred nor the kernel/);
      browser.close();
      await server.stop();
    });
  }

  test("without a counter to ask nothing is claimed", async () => {
    const server = await start(["-w", "1", "--cgroup-root", temporaryFolder()]);
    const browser = new Browser(server.port);
    process.kill(Number((await browser.get("/")).text.split(" ")[2]), "SIGKILL");
    await server.waitForLine(/sent by someone else or for lack of memory: there is no cgroup counter to ask/);
    browser.close();
    await server.stop();
  });
});

test("a request that kills its worker is tried once more if it is safe, and not on and on", async () => {
  const server = await start(["-w", "2"]);
  const browser = new Browser(server.port);
  assert.equal((await browser.get("/kill?signal=9")).status, 502);
  await server.waitForLine(/Trying GET \/kill\?signal=9 again: worker \d+ .*killed by SIGKILL/);
  await server.waitForLine(/GET \/kill\?signal=9 failed \(answered 502\)/);
  assert.equal(server.stderr().match(/begun \/kill in/g)?.length, 2);
  assert.equal((await browser.ask("/kill?signal=9", { method: "POST", body: "x" })).status, 502);
  assert.equal(server.stderr().match(/begun \/kill in/g)?.length, 3);
  browser.close();
  await server.stop();
});

suite("recycling", () => {
  test("by age replaces workers one after the other, without a failed request", async () => {
    const server = await start(["-w", "2", "--max-worker-age", "1"]);
    const load = startLoad(server.port, "/", 4);
    await load.until((answers) => answers.size >= 6, "six workers");
    await load.stop();
    assert.deepEqual(load.failures, []);
    await server.waitForLine(/ended after \d\.\d s: served for \d+ s \(--max-worker-age\), exit code 0/);
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("by memory replaces the worker that has grown, between its requests", async () => {
    const server = await start(["-w", "1", "--max-worker-memory", "100M"]);
    const browser = new Browser(server.port);
    const pid = (await browser.get("/")).text.split(" ")[2];
    assert.equal((await browser.get("/hoard?mib=120")).status, 200);
    await server.waitForLine(
      new RegExp(`\\(pid ${pid}\\) ended .*grew to [12]\\d\\d MiB \\(--max-worker-memory 100 MiB\\), exit code 0`),
    );
    assert.notEqual((await browser.get("/")).text.split(" ")[2], pid);
    browser.close();
    await server.stop();
  });

  test("by memory does not count what the workers share", { skip: process.platform !== "linux" }, async () => {
    const server = await start(["-w", "2", "--preload", "--max-worker-memory", "140M"], {
      MAITRED_TEST_SHARED_MIB: "150",
    });
    const browser = new Browser(server.port);
    const pid = (await browser.get("/hoard?mib=120")).text.split(" ")[2];
    await server.waitForLine(
      new RegExp(`\\(pid ${pid}\\) ended .*grew to [12]\\d\\d MiB \\(--max-worker-memory 140 MiB\\)`),
    );
    assert.equal([...server.stderr().matchAll(/ended after/g)].length, 1, "the other one has more resident, and stays");
    browser.close();
    await server.stop();
  });

  test("a worker that does not leave within --graceful-timeout is killed, and what it was at is told", async () => {
    const server = await start([
      "-w",
      "1",
      "--threads",
      "2",
      "--timeout",
      "0",
      "--max-requests",
      "1",
      "--graceful-timeout",
      "1",
    ]);
    const browser = new Browser(server.port);
    const lost = browser.ask("/sleep", { method: "POST", body: "x" });
    await server.waitForLine(/begun \/sleep/);
    assert.equal((await browser.get("/")).status, 200);
    assert.equal((await lost).status, 502);
    await server.waitForLine(/Killed after 1 s \(--graceful-timeout\): worker 1 .*at work on POST \/sleep/);
    browser.close();
    await server.stop();
  });
});

suite("a client that is gone", () => {
  for (const leaving of ["leave", "vanish"] as const) {
    test(`(${leaving}) is known to a WSGI app that asks`, async () => {
      const server = await start(["-w", "1"]);
      const client = await RawClient.open(server.port);
      await client.send("GET /until-gone HTTP/1.1\r\nHost: x\r\n\r\n");
      await server.waitForLine(/begun \/until-gone/);
      client[leaving]();
      await server.waitForLine(/the client is gone, says the app/);
      const browser = new Browser(server.port);
      assert.equal((await browser.get("/")).status, 200);
      browser.close();
      await server.stop();
    });
  }

  test("with --cancel-gone an app that does not ask is interrupted, and its worker goes on", async () => {
    const server = await start(["-w", "1", "--cancel-gone", "0.3"]);
    const browser = new Browser(server.port);
    const pid = (await browser.get("/")).text.split(" ")[2];
    const client = await RawClient.open(server.port);
    await client.send("GET /oblivious HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.waitForLine(/begun \/oblivious/);
    client.vanish();
    await server.waitForLine(/Interrupting GET \/oblivious .* its client left \d+ ms ago \(--cancel-gone\)/);
    await server.waitForLine(/interrupted: ClientGone/);
    assert.equal((await browser.get("/")).text.split(" ")[2], pid);
    browser.close();
    await server.stop();
  });

  test("a client that has only closed its sending side gets its answer", async () => {
    const gates = new Gates();
    const server = await start(["-w", "1", "--cancel-gone", "0.1"], gates.env);
    const client = await RawClient.open(server.port);
    await client.send("GET /wait?name=a HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.waitForLine(/begun \/wait/);
    client.socket.end();
    await new Promise((resolve) => setTimeout(resolve, 800));
    gates.open("a");
    assert.match((await client.response()).body.toString(), /^waited in/);
    client.leave();
    await server.stop();
  });
});
