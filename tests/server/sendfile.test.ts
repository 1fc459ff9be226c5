/** Large files by sendfile(2): a process of its own is lent the client's socket, whatever the client does meanwhile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { after, suite, test } from "node:test";

import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { children, isAlive, openFiles } from "../support/processes.ts";
import { RawClient } from "../support/raw-client.ts";
import { SecureClient } from "../support/secure-client.ts";

const root = mkdtempSync(join(tmpdir(), "maitred-sendfile-"));
after(() => rmSync(root, { recursive: true }));

/** More than all socket buffers between us can hold. */
const large = Buffer.alloc(16_000_000);
for (let at = 0; at + 4 <= large.length; at += 4) large.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
const path = join(root, "large.bin");
writeFileSync(path, large);
writeFileSync(join(root, "small.txt"), "small");
const medium = large.subarray(0, 3_000_000);
writeFileSync(join(root, "medium.bin"), medium);

const start = [
  "-b",
  "127.0.0.1:0",
  "-w",
  "1",
  "--chdir",
  testApps,
  "named_files:application",
  "--static",
  `/files=${root}`,
];
const OWN = "the app's own body, / GET";
const get = (target: string, fields = ""): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

/** Asks again until it is so, or for 20 seconds. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); await wait(5))
    if (Date.now() > end) throw new Error(`never: ${what}`);
}

/** The process that sends files, 0 where there is none. */
function senderOf(server: Maitred): number {
  return children(server.pid, /\/sendfile\.py /)[0] ?? 0;
}

function isSending(server: Maitred, file = path): boolean {
  return openFiles(senderOf(server)).includes(file);
}

/** A client that reads when it is told. */
async function slowClient(server: Maitred, request: string): Promise<Socket> {
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  socket.pause();
  socket.write(request);
  return socket;
}

async function everything(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => socket.once("end", resolve).once("close", resolve));
  socket.resume();
  await ended;
  socket.destroy();
  return Buffer.concat(pieces);
}

/** Starts a server and its sending process, which the first large file brings about. */
async function startSending(...args: string[]): Promise<Maitred> {
  const server = await startMaitred([...start, ...args]);
  // While the process starts, the file is read by the server; the socket is lent between two pieces of it.
  const socket = await slowClient(server, get("/files/large.bin"));
  await until(() => {
    socket.read();
    return isSending(server);
  }, "the socket is lent");
  socket.destroy();
  await until(() => !isSending(server), "it lets go of a client that has left");
  return server;
}

suite("a large file", () => {
  test("comes whole, and so does what follows on the connection, with its length in the log", async () => {
    const server = await startSending("--access-logfile", "-");
    const client = await RawClient.open(server.port);
    await client.send(get("/files/large.bin") + get("/files/small.txt") + get("/files/large.bin") + get("/"));
    assert.ok((await client.response()).body.equals(large));
    assert.equal((await client.response()).body.toString(), "small");
    assert.ok((await client.response()).body.equals(large));
    assert.equal((await client.response()).body.toString(), OWN);
    await server.waitForLine(/"GET \/files\/large\.bin HTTP\/1\.1" 200 16000000 /);
    client.leave();
    await server.stop();
  });

  test("comes in the ranges that are asked for", async () => {
    const server = await startSending();
    const client = await RawClient.open(server.port);
    await client.send(get("/files/large.bin", "Range: bytes=1000001-\r\n"));
    const one = await client.response();
    assert.deepEqual([one.status, one.headers["content-range"]], [206, "bytes 1000001-15999999/16000000"]);
    assert.ok(one.body.equals(large.subarray(1_000_001)));
    await client.send(get("/files/large.bin", "Range: bytes=1-5000000,10000000-10000009,12000000-\r\n"));
    const several = await client.response();
    assert.equal(several.status, 206);
    for (const [from, to] of [
      [1, 5_000_001],
      [10_000_000, 10_000_010],
      [12_000_000, 16_000_000],
    ] as const) {
      const begin = several.body.indexOf(`Content-Range: bytes ${from}-${to - 1}/16000000\r\n\r\n`);
      const body = several.body.indexOf("\r\n\r\n", begin) + 4;
      assert.ok(begin >= 0 && several.body.subarray(body, body + to - from).equals(large.subarray(from, to)));
    }
    client.leave();
    await server.stop();
  });

  test("that the app gives as a file goes the same way, and its worker is free", async () => {
    const server = await startSending("--accel", `/inside=${root}`);
    for (const target of [`/?wrap=${encodeURIComponent(path)}`, "/?accel=/inside/large.bin"]) {
      const socket = await slowClient(server, get(target, "Connection: close\r\n"));
      await until(() => isSending(server), target);
      const other = await RawClient.open(server.port);
      await other.send(get("/"));
      assert.equal((await other.response()).body.toString(), OWN);
      other.leave();
      assert.ok((await everything(socket)).subarray(-large.length).equals(large));
      await until(() => !isSending(server), "the end");
    }
    await server.stop();
  });

  test("is read and written by the server itself under --no-sendfile, and over TLS", async () => {
    const plain = await startMaitred([...start, "--no-sendfile"]);
    const client = await RawClient.open(plain.port);
    for (let round = 0; round < 2; round++) {
      await client.send(get("/files/large.bin"));
      assert.ok((await client.response()).body.equals(large));
    }
    assert.equal(senderOf(plain), 0);
    client.leave();
    await plain.stop();
    const secure = await startMaitred([...start, ...writeIdentity(temporaryFolder(), serverIdentity("localhost"))]);
    const reader = await SecureClient.open(secure.port);
    for (let round = 0; round < 2; round++)
      assert.ok((await reader.get("/files/medium.bin")).body === medium.toString("latin1"));
    assert.equal(senderOf(secure), 0);
    reader.socket.destroy();
    await secure.stop();
  });
});

suite("while a socket is lent", () => {
  test("a stop waits for the file", async () => {
    const server = await startSending();
    const socket = await slowClient(server, get("/files/large.bin"));
    await until(() => isSending(server), "lent");
    server.signal("SIGTERM");
    await server.waitForLine(/finishing 1 connection/);
    const bytes = await everything(socket);
    assert.ok(bytes.subarray(-large.length).equals(large));
    const sender = senderOf(server);
    assert.equal((await server.exited).code, 0);
    await until(() => !isAlive(sender), "its end");
  });

  test("who takes nothing for --write-timeout is cut off", async () => {
    const server = await startSending("--write-timeout", "2");
    const socket = await slowClient(server, get("/files/large.bin"));
    await server.waitForLine(/Connection from 127\.0\.0\.1 cut off: it took nothing for 2 s \(--write-timeout\)/);
    await until(() => !isSending(server), "let go");
    assert.ok((await everything(socket)).length < large.length);
    await server.stop();
  });

  test("who takes a little now and then is not", async () => {
    const server = await startSending("--write-timeout", "2");
    const socket = await slowClient(server, get("/files/large.bin"));
    let taken = 0;
    for (const end = Date.now() + 5000; Date.now() < end; await wait(100)) {
      const piece = socket.read() as Buffer | null;
      taken += piece?.length ?? 0;
    }
    assert.ok(taken > 0 && isSending(server), "it is at it still");
    socket.destroy();
    await server.stop();
  });

  test("the process may be killed: its clients see that theirs is not whole, the next gets all", async () => {
    const server = await startSending();
    const socket = await slowClient(server, get("/files/large.bin"));
    await until(() => isSending(server), "lent");
    process.kill(senderOf(server), "SIGKILL");
    await server.waitForLine(
      /The process for sendfile\(2\) has ended \(killed by SIGKILL\); 1 response that it was sending is cut\. Files are sent without it for 10 s/,
    );
    assert.ok((await everything(socket)).length < large.length);
    await server.waitForLine(/cannot send ".*large\.bin": the process that sent it has ended \(the response was cut\)/);
    const client = await RawClient.open(server.port);
    await client.send(get("/files/large.bin"));
    assert.ok((await client.response()).body.equals(large));
    assert.equal(senderOf(server), 0);
    client.leave();
    await server.stop();
  });

  test("the file may become shorter: the response is cut", async () => {
    const shrinking = join(root, "shrinking.bin");
    writeFileSync(shrinking, large);
    const server = await startSending();
    const socket = await slowClient(server, get("/files/shrinking.bin"));
    await until(() => isSending(server, shrinking), "lent");
    truncateSync(shrinking, 1000);
    assert.ok((await everything(socket)).length < large.length);
    await server.waitForLine(/the file ended \d+ bytes early/);
    await server.stop();
  });

  test("nothing of it outlives the server", async () => {
    const server = await startSending();
    const socket = await slowClient(server, get("/files/large.bin"));
    await until(() => isSending(server), "lent");
    const sender = senderOf(server);
    server.signal("SIGKILL");
    await server.exited;
    await until(() => !isAlive(sender), "its end");
    assert.ok((await everything(socket)).length < large.length);
  });
});

test("many at once, some of whom leave: each of the others gets all of it", async () => {
  const server = await startSending();
  const clients = await Promise.all(
    Array.from({ length: 24 }, async () => slowClient(server, get("/files/large.bin", "Connection: close\r\n"))),
  );
  const bodies = clients.map(async (socket, at) => {
    if (at % 3 > 0) return everything(socket);
    socket.on("error", () => undefined);
    socket.once("readable", () => (at % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()));
    return null;
  });
  for (const body of await Promise.all(bodies))
    if (body !== null) assert.ok(body.subarray(-large.length).equals(large));
  await until(() => !isSending(server), "all are returned");
  await server.stop();
});
