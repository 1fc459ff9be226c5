/** Request bodies too large for memory: kept in files without a name, whole, bounded, and gone afterwards. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const start = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "-k", "sync", "wsgi_app:application"];
const post = (path: string, ...fields: string[]): string =>
  `${[`POST ${path} HTTP/1.1`, "Host: x", ...fields].join("\r\n")}\r\n\r\n`;

/** Files of a folder that a process holds open, whatever became of their names. */
function openFiles(pid: number, folder: string): number {
  let count = 0;
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(folder)) count++;
    } catch {
      // closed meanwhile
    }
  }
  return count;
}

/** Peak of the resident memory in bytes. */
function peakMemory(pid: number): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) * 1024;
}

suite("bodies in spool files", () => {
  test("a body of 20 MB arrives whole, as a file that leaves nothing behind", async () => {
    const folder = temporaryFolder();
    const server = await startMaitred([...start, "--spool-dir", folder]);
    const browser = new Browser(server.port);
    const body = randomBytes(20_000_000);
    const page = await browser.ask("/digest", { method: "POST", body });
    const digest = createHash("sha256").update(body).digest("hex");
    assert.equal(page.text, `${body.length} ${body.length} ${digest} BufferedReader`);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal((await browser.get("/")).text, "hello");
    assert.equal(openFiles(server.pid, folder), 0);
    browser.close();
    await server.stop();
  });

  test("a chunked body of unknown length gets its Content-Length", async () => {
    const server = await startMaitred([...start, "--body-memory", "1000"]);
    const client = await RawClient.open(server.port);
    await client.send(post("/digest", "Transfer-Encoding: chunked"));
    const piece = "x".repeat(600);
    for (let count = 0; count < 5; count++) await client.send(`${(600).toString(16)}\r\n${piece}\r\n`);
    await client.send("0\r\n\r\n");
    const digest = createHash("sha256").update(piece.repeat(5)).digest("hex");
    assert.equal((await client.response()).body.toString(), `3000 3000 ${digest} BufferedReader`);
    client.leave();
    await server.stop();
  });

  test("a slow large upload keeps no worker; one that breaks off leaves no file", async () => {
    const folder = temporaryFolder();
    const server = await startMaitred([...start, "--spool-dir", folder]);
    const client = await RawClient.open(server.port);
    await client.send(post("/digest", "Content-Length: 3000000") + "x".repeat(1_500_000));
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    assert.equal(openFiles(server.pid, folder), 1);
    client.vanish();
    while (openFiles(server.pid, folder) > 0) assert.equal((await browser.get("/")).text, "hello");
    assert.equal((await browser.get("/count")).text.includes("/digest"), false);
    browser.close();
    await server.stop();
  });

  test("a body that does not fit gets 507, with the setting's name in the log, and the room comes back", async () => {
    const server = await startMaitred([...start, "--spool-max", "4m"]);
    const client = await RawClient.open(server.port);
    await client.send(post("/length", "Content-Length: 6000000"));
    client.socket.write(Buffer.alloc(6_000_000));
    assert.equal((await client.response()).status, 507);
    await server.waitForLine(/No room .*--spool-max/);
    const browser = new Browser(server.port);
    for (let count = 0; count < 3; count++) {
      const page = await browser.ask("/length", { method: "POST", body: Buffer.alloc(3_000_000) });
      assert.deepEqual([page.status, page.text], [200, "3000000"]);
    }
    browser.close();
    client.leave();
    await server.stop();
  });

  test("a full disk is a 507, not a crash", { skip: process.getuid?.() !== 0 }, async () => {
    // /dev/full cannot be a folder; a process may not write files larger than this either (RLIMIT_FSIZE gives EFBIG).
    const server = await startMaitred(start);
    const { execFileSync } = await import("node:child_process");
    execFileSync("prlimit", [`--pid=${server.pid}`, "--fsize=2000000:2000000"]);
    const client = await RawClient.open(server.port);
    await client.send(post("/length", "Content-Length: 6000000"));
    client.socket.write(Buffer.alloc(6_000_000));
    assert.equal((await client.response()).status, 507);
    await server.waitForLine(/could not be kept in .*--spool-dir/);
    client.leave();
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    await server.stop();
  });

  test("where no file can be made the body is streamed, with a warning", async () => {
    const folder = temporaryFolder();
    const server = await startMaitred([...start, "--spool-max", "0"]);
    const browser = new Browser(server.port);
    const page = await browser.ask("/length", { method: "POST", body: Buffer.alloc(3_000_000) });
    assert.equal(page.text, "3000000");
    await server.stop();
    const gone = await startMaitred(start, { env: { TMPDIR: `${folder}/gone` } });
    const other = new Browser(gone.port);
    assert.equal((await other.ask("/length", { method: "POST", body: Buffer.alloc(3_000_000) })).text, "3000000");
    await gone.waitForLine(/No file can be made in .*--spool-dir/);
    browser.close();
    other.close();
    await gone.stop();
  });

  test("--request-buffering off gives a WSGI app the body as it comes", async () => {
    const server = await startMaitred([...start, "--request-buffering", "off"]);
    const client = await RawClient.open(server.port);
    await client.send(post("/digest", "Content-Length: 10") + "hello");
    await client.send("world");
    assert.match((await client.response()).body.toString(), /^10 10 /);
    client.leave();
    await server.stop();
  });

  test("--request-buffering on gives an ASGI app a large body that is complete, from its file", async () => {
    const folder = temporaryFolder();
    const asgi = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "-k", "asgi", "asgi_app:application"];
    const server = await startMaitred([...asgi, "--request-buffering", "on", "--spool-dir", folder]);
    const client = await RawClient.open(server.port);
    const body = randomBytes(3_000_000);
    await client.send(post("/echo", `Content-Length: ${body.length}`));
    await client.send(body.subarray(0, 2_000_000));
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    assert.equal((await browser.get("/count")).text.includes("/echo"), false);
    await client.send(body.subarray(2_000_000));
    assert.ok((await client.response()).body.equals(body));
    browser.close();
    client.leave();
    await server.stop();
  });

  test("a request that a dying worker had not begun goes to the next with its file", async () => {
    const gates = new Gates();
    const server = await startMaitred([...start, "--timeout", "0"], { env: gates.env });
    const held = await RawClient.open(server.port);
    await held.send("POST /hold?name=never HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    const [, pid] = await server.waitForLine(/holding never in (\d+)/);
    const waiting = await RawClient.open(server.port);
    await waiting.send(post("/length", "Content-Length: 3000000"));
    await waiting.send(Buffer.alloc(3_000_000));
    process.kill(Number(pid), "SIGKILL");
    assert.equal((await held.response()).status, 502);
    assert.equal((await waiting.response()).body.toString(), "3000000");
    held.leave();
    waiting.leave();
    await server.stop();
  });

  test("an upload of 200 MB costs the front less than 20 MB of memory", async () => {
    const server = await startMaitred(start);
    const client = await RawClient.open(server.port);
    await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.response();
    const quiet = peakMemory(server.pid);
    const bytes = 200_000_000;
    const piece = Buffer.alloc(1_000_000, "x");
    await client.send(post("/length", `Content-Length: ${bytes}`));
    const from = performance.now();
    for (let sent = 0; sent < bytes; sent += piece.length) await client.send(piece);
    assert.equal((await client.response()).body.toString(), String(bytes));
    const seconds = (performance.now() - from) / 1000;
    const cost = peakMemory(server.pid) - quiet;
    console.log(`# ${Math.round(bytes / 1e6 / seconds)} MB/s, ${(cost / 1e6).toFixed(1)} MB`);
    assert.ok(cost < 20_000_000, `${cost} bytes`);
    client.leave();
    await server.stop();
  });
});
