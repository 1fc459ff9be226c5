/** maitred status, reload, scale, stacks and stop, against a running server. */
import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { command } from "../support/command.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { isAlive } from "../support/processes.ts";
import { RawClient } from "../support/raw-client.ts";

interface StatusJson {
  readonly state: string;
  readonly app: string;
  readonly interface: string;
  readonly queue: { readonly waiting: number; readonly oldestMs: number };
  readonly connections: number;
  readonly wanted: number;
  readonly workers: readonly {
    readonly number: number;
    readonly pid: number;
    readonly state: string;
    readonly requests: number;
    readonly inFlight: number;
    readonly oldest: { readonly method: string; readonly path: string; readonly ageMs: number } | null;
    readonly usage: { readonly rss: number; readonly pss: number; readonly private: number; readonly cpuMs: number };
  }[];
  readonly ends: Readonly<Record<string, number>>;
  readonly deaths: readonly { readonly worker: number; readonly reason: string; readonly exit: string }[];
}

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Maitred> {
  return await startMaitred(["-b", "127.0.0.1:0", "--chdir", testApps, ...args], { env });
}

async function statusOf(server: Maitred): Promise<StatusJson> {
  const result = await command(["status", "--json", "--pid", String(server.pid)]);
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout) as StatusJson;
}

async function until(server: Maitred, satisfied: (status: StatusJson) => boolean): Promise<StatusJson> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const status = await statusOf(server);
    if (satisfied(status)) return status;
    await pause(20);
  }
  throw new Error(`never so: ${JSON.stringify(await statusOf(server))}`);
}

suite("maitred status", { skip: process.platform !== "linux" }, () => {
  test("shows what works and what waits, and how a worker died", async () => {
    const gates = new Gates();
    const server = await start(["-w", "1", "wsgi_app:application"], gates.env);
    const browser = new Browser(server.port);
    await browser.get("/");
    const held = browser.get("/hold?name=a&secret=hunter2");
    await server.waitForLine(/holding a in/);
    const waits = browser.get("/");
    const status = await until(server, ({ queue }) => queue.waiting === 1);
    assert.equal(status.state, "serving");
    assert.equal(status.app, "wsgi_app:application");
    assert.equal(status.interface, "wsgi");
    assert.equal(status.connections, 2);
    const [worker] = status.workers;
    assert.ok(worker !== undefined && worker.state === "serving");
    assert.equal(worker.requests, 1);
    assert.equal(worker.inFlight, 1);
    assert.deepEqual([worker.oldest?.method, worker.oldest?.path], ["GET", "/hold"]);
    assert.ok(worker.usage.rss >= worker.usage.pss && worker.usage.pss > 1_000_000 && worker.usage.private > 0);

    const text = await command(["status", "--bind", `127.0.0.1:${server.port}`]);
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^maitred \S+ \(pid \d+\), serving, up /);
    assert.match(text.stdout, /queue +1 waiting, the oldest for /);
    assert.match(text.stdout, /GET \/hold for /);
    assert.doesNotMatch(text.stdout, /hunter2/);

    gates.open("a");
    await Promise.all([held, waits]);
    process.kill(worker.pid, "SIGKILL");
    await server.waitForLine(/Worker 2 .* is ready/);
    const after = await statusOf(server);
    assert.deepEqual(
      after.deaths.map(({ worker: number, reason }) => ({ number, reason })),
      [{ number: 1, reason: "died unexpectedly" }],
    );
    // Where the worker lived until its memory was looked at, its size then is told too.
    assert.match(
      after.deaths[0]?.exit ?? "",
      /^killed by SIGKILL, sent by someone else: neither maitred nor the kernel for lack of memory(, last seen with \d+ MiB)?$/,
    );
    assert.deepEqual(after.ends, { crashed: 1 });
    browser.close();
    await server.stop();
  });

  test("finds the server by its pid file, and says what is wrong where there is none", async () => {
    const folder = temporaryFolder();
    const pidFile = join(folder, "pid");
    const server = await start(["-w", "1", "-p", pidFile, "wsgi_app:application"]);
    assert.match((await command(["status", "-p", pidFile])).stdout, new RegExp(`pid ${server.pid}`));
    await server.stop();
    const gone = await command(["status", "-p", pidFile]);
    assert.equal(gone.code, 3);
    assert.match(gone.stderr, /no server is running: there is no pid file/);
    writeFileSync(pidFile, `${process.pid}\n`);
    const other = await command(["stop", "-p", pidFile]);
    assert.equal(other.code, 3);
    assert.match(other.stderr, /is no running server, or one without a control socket/);
    writeFileSync(pidFile, "hello");
    assert.equal((await command(["stop", "-p", pidFile])).code, 2);
    const nobody = await command(["reload", "-b", "127.0.0.1:1"]);
    assert.equal(nobody.code, 3);
    assert.match(nobody.stderr, /no server of yours listens on 127\.0\.0\.1:1/);
  });

  test("mistakes and --help of each command", async () => {
    for (const name of ["status", "reload", "scale", "stacks", "stop"]) {
      const help = await command([name, "--help"]);
      assert.equal(help.code, 0);
      assert.match(help.stdout, new RegExp(`^Usage: maitred ${name}`));
    }
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["scale", /needs the number of workers/],
      ["scale 0", /needs the number of workers/],
      ["status --now", /unknown option --now of maitred status/],
      ["stacks three", /three is not a number/],
      ["stop 1 2", /takes no word/],
      ["status --pid", /--pid needs a value/],
      ["status -b nowhere:x", /has port "x"/],
      ["status -b :1 -p 1", /give one of them/],
    ];
    for (const [line, expected] of wrong) {
      const result = await command(line.split(" "));
      assert.equal(result.code, 2, line);
      assert.match(result.stderr, expected, line);
    }
  });
});

suite("who may control", { skip: process.platform !== "linux" }, () => {
  test(
    "another user is refused by the kernel's word, and cannot be fooled by a name",
    { skip: process.getuid?.() !== 0 },
    async () => {
      const server = await start(["-w", "1", "wsgi_app:application"]);
      const found = await command(["status", "--pid", String(server.pid)], { uid: 65534 });
      assert.equal(found.code, 5, found.stderr);
      assert.match(found.stderr, /is of user 0/);
      // Straight to the socket, past the client's own look.
      const child = await import("node:child_process");
      const script = `const s = require("node:net").connect("\\0maitred-control-0-${server.pid}", () => s.write('{"type":"stop"}\\n')); s.on("data", (d) => process.stdout.write(d)); s.on("error", () => {});`;
      const said = child.spawnSync(process.execPath, ["-e", script], { uid: 65534, encoding: "utf8", timeout: 20_000 });
      assert.match(said.stdout, /"refused".*you are user 65534, this server obeys user 0 and root/);
      await server.waitForLine(/Control: refused/);
      assert.equal((await statusOf(server)).state, "serving");
      await server.stop();
    },
  );

  test("a stranger's socket with our kind of name is not taken for a server", async () => {
    const impostor = createServer((socket) => socket.end('{"type":"done","status":{}}\n'));
    await new Promise<void>((resolve) => impostor.listen("\0maitred-control-0-1", resolve));
    const result = await command(["status", "--pid", "1"]);
    assert.equal(result.code, 3, result.stderr);
    impostor.close();
  });

  test("garbage and silence on the socket harm nobody", async () => {
    const path = join(temporaryFolder(), "ctl");
    await start(["-w", "1", "--control-socket", path, "--control-socket-mode", "660", "wsgi_app:application"]);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    const { connect } = await import("node:net");
    for (const bytes of [
      "GET / HTTP/1.1\r\n\r\n",
      "[]\n",
      '{"type":"fly"}\n',
      '{"type":"scale","workers":"many"}\n',
      "",
    ]) {
      const text = await new Promise<string>((resolve) => {
        let answer = "";
        const socket = connect(path, () => (bytes === "" ? socket.end() : socket.write(bytes)));
        socket.on("data", (data: Buffer) => (answer += data.toString()));
        socket.on("close", () => resolve(answer));
      });
      assert.doesNotMatch(text, /"done"/);
    }
    assert.equal((await command(["status", "--control-socket", path])).code, 0);
    assert.equal((await command(["stop", "--control-socket", path])).code, 0);
    assert.equal(existsSync(path), false);
    assert.equal((await command(["status", "--control-socket", path])).code, 3);
  });

  test("--no-control-socket has none", async () => {
    const server = await start(["-w", "1", "--no-control-socket", "wsgi_app:application"]);
    const result = await command(["status", "--pid", String(server.pid)]);
    assert.equal(result.code, 3);
    assert.match(result.stderr, /--no-control-socket/);
    await server.stop();
  });
});

suite("maitred scale, reload and stop", { skip: process.platform !== "linux" }, () => {
  test("scale grows and shrinks, and the number outlives a reload", async () => {
    const server = await start(["-w", "1", "wsgi_app:application"]);
    const pid = ["--pid", String(server.pid)];
    assert.equal((await command(["scale", "3", ...pid])).code, 0);
    await until(server, ({ workers }) => workers.filter(({ state }) => state === "serving").length === 3);
    const reloaded = await command(["reload", ...pid]);
    assert.equal(reloaded.code, 0, reloaded.stderr);
    assert.match(reloaded.stdout, /3 new workers serve/);
    assert.equal((await command(["scale", "1", ...pid])).code, 0);
    const after = await until(server, ({ workers }) => workers.length === 1);
    assert.equal(after.ends["scaled-down"], 2);
    assert.equal(after.ends["reload"], 3);
    await server.stop();
  });

  test("reload into broken code fails with the traceback; the old code serves", async () => {
    const folder = temporaryFolder();
    const app = join(folder, "changing.py");
    const source = 'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"old"]\n';
    writeFileSync(app, source);
    const server = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", folder, "changing:application"], {
      env: { PYTHONDONTWRITEBYTECODE: "1" },
    });
    writeFileSync(app, `raise ValueError("no name")\n${source}`);
    const result = await command(["reload", "--pid", String(server.pid)]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /ValueError: no name/);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "old");
    browser.close();
    await server.stop();
  });

  test("stop waits until the server is gone, with --now even past a request that does not end", async () => {
    const gates = new Gates();
    const server = await start(["-w", "1", "wsgi_app:application"], gates.env);
    const client = await RawClient.open(server.port);
    await client.send("GET /hold?name=never HTTP/1.1\r\nHost: x\r\n\r\n");
    await server.waitForLine(/holding never in/);
    const result = await command(["stop", "--now", "--pid", String(server.pid)]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(result.stdout, /^Stopped/);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.equal(isAlive(server.pid), false);
    await server.waitForLine(/Killed after 1 s .*: GET \/hold/);
    client.leave();
  });
});

suite("maitred stacks", { skip: process.platform !== "linux" }, () => {
  const stuck: readonly (readonly [app: string, path: string, sign: RegExp, seen: RegExp])[] = [
    ["operated_wsgi", "/sleep", /asleep/, /in sleep_in_the_cellar/],
    ["operated_wsgi", "/hold", /holding/, /in hold_the_interpreter/],
    ["operated_wsgi", "/stop", /stopping myself/, /does not answer to a signal: stopped \(SIGSTOP\)/],
    ["operated_asgi", "/wait", /waiting/, /Task .*\n(.*\n)*.*in wait_in_the_kitchen/],
    ["operated_asgi", "/block", /blocking/, /operated_asgi\.py", line \d+ in application/],
  ];
  for (const [app, path, sign, seen] of stuck) {
    test(`shows where a request is, and does not end it: ${app} ${path}`, async () => {
      const server = await start(["-w", "2", `${app}:application`]);
      const client = await RawClient.open(server.port);
      await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await server.waitForLine(sign);
      const busy = (await until(server, ({ workers }) => workers.some(({ inFlight }) => inFlight === 1))).workers.find(
        ({ inFlight }) => inFlight === 1,
      );
      assert.ok(busy !== undefined);
      const all = await command(["stacks", "--pid", String(server.pid)]);
      assert.equal(all.code, 0, all.stderr);
      assert.match(all.stdout, seen);
      assert.equal(all.stdout.match(/^=== worker/gm)?.length, 2);
      const one = await command(["stacks", String(busy.pid), "--pid", String(server.pid)]);
      assert.match(one.stdout, seen);
      assert.equal(one.stdout.match(/^=== worker/gm)?.length, 1);
      assert.equal((await command(["stacks", "99", "--pid", String(server.pid)])).code, 1);
      assert.deepEqual((await statusOf(server)).deaths, []);
      client.leave();
      await server.stop("SIGINT");
    });
  }
});
