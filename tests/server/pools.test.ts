/** Pools: workers of their own for some paths, and several applications in one server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { command } from "../support/command.ts";
import { Gates } from "../support/gates.ts";
import { startLoad } from "../support/load.ts";
import { runMaitred, startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";

const HERE = ["-b", "127.0.0.1:0", "--chdir", testApps];

suite("workers of their own for some paths", () => {
  test("a slow pool that is full delays nobody else, and its own requests wait in its own queue", async () => {
    const gates = new Gates();
    const server = await startMaitred(
      [...HERE, "-k", "sync", "-w", "1", "--pool", "slow=/hold,workers=1,queue-size=1", "wsgi_app:application"],
      { env: gates.env },
    );
    await server.waitForLine(/Pool slow: Serving/);
    const browser = new Browser(server.port);
    const held = browser.get("/hold?name=a");
    await server.waitForLine(/holding a in/);
    const queued = browser.get("/hold?name=b");
    // One event loop reads all connections: by the time of these answers the one above stands in the queue.
    for (let count = 0; count < 20; count++) assert.equal((await browser.get("/")).status, 200);
    assert.equal((await browser.get("/%68old?name=c")).status, 503, "its queue is full, however the path is spelled");

    const status = await command(["status", "--json", "-p", String(server.pid)]);
    const { pools } = JSON.parse(status.stdout) as { pools: { name: string; waiting: number }[] };
    assert.deepEqual(
      pools.map(({ name, waiting }) => [name, waiting]),
      [
        ["main", 0],
        ["slow", 1],
      ],
    );
    const text = (await command(["status", "-p", String(server.pid)])).stdout;
    assert.match(text, /^slow +1 of 1 +1 +wsgi_app:application \(wsgi\) +\/hold$/m);

    gates.open("a");
    gates.open("b");
    assert.equal((await held).status, 200);
    assert.equal((await queued).status, 200);
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("a time limit of its own", async () => {
    const gates = new Gates();
    const server = await startMaitred(
      [...HERE, "-w", "1", "-t", "300ms", "--pool", "slow=/hold,timeout=0", "wsgi_app:application"],
      { env: gates.env },
    );
    await server.waitForLine(/Pool slow: Serving/);
    const browser = new Browser(server.port);
    const held = browser.get("/hold?name=a");
    await server.waitForLine(/holding a in/);
    assert.equal((await browser.get("/work?ms=10000")).status, 504, "the main pool's limit holds for the rest");
    gates.open("a");
    assert.equal((await held).status, 200, "and not for the pool");
    browser.close();
    await server.stop();
  });

  test("a reload replaces the workers of every pool without a failed request; scale and the kill of one stay in its pool", async () => {
    const server = await startMaitred([...HERE, "-w", "1", "--pool", "p=/pid,workers=1", "wsgi_app:application"]);
    await server.waitForLine(/Pool p: Serving/);
    const loads = [startLoad(server.port, "/pid", 2), startLoad(server.port, "/parents", 2)];
    for (const load of loads) await load.until((answers) => answers.size === 1, "its worker");
    server.signal("SIGHUP");
    for (const load of loads) await load.until((answers) => answers.size === 2, "its new worker");

    const pid = ["-p", String(server.pid)];
    assert.equal((await command(["scale", "2", "p", ...pid])).stdout, "Scaling pool p to 2 workers\n");
    await loads[0]!.until((answers) => answers.size === 3, "the second worker of the pool");
    const unknown = await command(["scale", "2", "q", ...pid]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /there is no pool q: there are main, p/);

    process.kill(Number([...loads[0]!.answers.keys()].at(-1)), "SIGKILL");
    await loads[0]!.until((answers) => answers.size === 4, "the replacement");
    for (const load of loads) await load.stop();
    assert.deepEqual(loads.map(({ failures }) => failures).flat(), []);
    assert.equal(loads[1]!.answers.size, 2, "the main pool has seen nothing of this");
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });
});

test("--reload restarts every pool when a file changes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "maitred-pools-"));
  const write = (word: string): void =>
    writeFileSync(
      join(folder, "changing.py"),
      `def app(environ, start_response):\n    start_response("200 OK", [])\n    return [b"${word}"]\n`,
    );
  write("old");
  try {
    const server = await startMaitred([
      ...HERE,
      "--chdir",
      folder,
      "-w",
      "1",
      "--reload",
      "--pool",
      "p=/p",
      "changing:app",
    ]);
    await server.waitForLine(/Pool p: Serving/);
    const browser = new Browser(server.port);
    assert.deepEqual([(await browser.get("/")).text, (await browser.get("/p")).text], ["old", "old"]);
    write("new");
    await server.waitForLine(/Pool main: Reloaded in/);
    await server.waitForLine(/Pool p: Reloaded in/);
    assert.deepEqual([(await browser.get("/")).text, (await browser.get("/p")).text], ["new", "new"]);
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

suite("several applications", () => {
  const BOTH = [...HERE, "-w", "1", "--pool", "api=/api,app=mounted:asgi,mount", "mounted:wsgi"];
  type Told = Readonly<Record<string, string>>;

  test("WSGI and ASGI side by side, each with its paths, bodies and mount point, also on one connection", async () => {
    const server = await startMaitred(BOTH);
    await server.waitForLine(/Pool api: Serving mounted:asgi \(asgi\)/);
    const browser = new Browser(server.port, 1);
    const ask = async (path: string, body = ""): Promise<Told> => {
      const page = await browser.ask(path, body === "" ? {} : { method: "POST", chunks: [body] });
      const { pid, ...told } = JSON.parse(page.text) as Told;
      assert.ok(Number(pid) > 0);
      return told;
    };
    for (let round = 0; round < 4; round++) {
      assert.deepEqual(await ask("/apis?a=b"), { kind: "wsgi", root: "", path: "/apis", uri: "/apis?a=b", body: "" });
      assert.deepEqual(await ask("/api/x%20y"), {
        kind: "http",
        root: "/api",
        path: "/api/x y",
        raw: "/api/x%20y",
        body: "",
      });
      assert.equal((await ask("/x", "for wsgi"))["body"], "for wsgi");
      assert.equal((await ask("/api", "for asgi"))["body"], "for asgi");
    }
    browser.close();
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
  });

  test("a WSGI application below a prefix gets SCRIPT_NAME and PATH_INFO", async () => {
    const server = await startMaitred([
      ...HERE,
      "-w",
      "1",
      "--root-path",
      "/site",
      "--pool",
      "old=/old,app=mounted:wsgi,mount",
      "mounted:asgi",
    ]);
    await server.waitForLine(/Pool old: Serving/);
    const browser = new Browser(server.port);
    for (const [path, below] of [
      ["/old", ""],
      ["/old/", "/"],
      ["/old/old/x", "/old/x"],
      ["/%6fld/x", "/x"],
    ] as const) {
      const told = JSON.parse((await browser.get(path)).text) as Told;
      assert.deepEqual([told["root"], told["path"], told["uri"]], ["/site/old", below, path]);
    }
    browser.close();
    await server.stop();
  });

  test("a WebSocket reaches the application that knows what it is", async () => {
    const server = await startMaitred(BOTH);
    await server.waitForLine(/Pool api: Serving/);
    const said = await new Promise<string>((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/live`);
      socket.addEventListener("message", ({ data }) => resolve(String(data)));
      socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")));
    });
    const { kind, root, path } = JSON.parse(said) as Told;
    assert.deepEqual([kind, root, path], ["websocket", "/api", "/api/live"]);
    await server.stop();
  });

  test("one that cannot be loaded is named, and nothing of the others stays", async () => {
    const ended = await runMaitred([
      ...HERE,
      "-w",
      "1",
      "--pool",
      "p=/p,app=breaks_on_import:app",
      "wsgi_app:application",
    ]);
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /Worker failed to boot \(breaks_on_import:app\)/);
  });
});
