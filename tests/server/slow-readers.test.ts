/** Clients that take their responses slowly, or not at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { suite, test } from "node:test";
import { connect as tlsConnect, type TLSSocket } from "node:tls";

import { Browser } from "../support/browser.ts";
import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const start = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "-k", "sync", "wsgi_app:application"];
const BYTES = 16_000_000;
const ask = `GET /large?bytes=${BYTES} HTTP/1.1\r\nHost: x\r\n\r\n`;

suite("slow readers of a sync worker's response", () => {
  test("do not hold the worker, and get all of it", async () => {
    const folder = temporaryFolder();
    const server = await startMaitred([...start, "--spool-dir", folder]);
    const slow = await Promise.all(Array.from({ length: 3 }, () => RawClient.open(server.port)));
    for (const client of slow) {
      client.socket.pause();
      await client.send(ask);
    }
    const browser = new Browser(server.port);
    for (let count = 0; count < 3; count++) assert.equal((await browser.get("/")).text, "hello");
    assert.match((await browser.get("/count")).text, /\/large=3/);
    for (const client of slow) {
      client.socket.resume();
      const { body } = await client.response();
      assert.equal(body.length, BYTES);
      assert.ok(body.equals(Buffer.alloc(BYTES, "x")));
      // The connection goes on.
      await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.equal((await client.response()).body.toString(), "hello");
      client.leave();
    }
    assert.deepEqual(readdirSync(folder), []);
    browser.close();
    await server.stop();
  });

  test("a slow reader whose connection closes afterwards gets all of it too", async () => {
    const server = await startMaitred(start);
    const client = await RawClient.open(server.port);
    client.socket.pause();
    await client.send(ask.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    // Longer than a closing connection lingers.
    await new Promise<void>((resolve) => setTimeout(resolve, 3000));
    client.socket.resume();
    assert.equal((await client.response()).body.length, BYTES);
    assert.equal(await client.rest(), "");
    client.leave();
    await server.stop();
  });

  test("who leaves in the middle costs nothing afterwards", async () => {
    const server = await startMaitred(start);
    const client = await RawClient.open(server.port);
    client.socket.pause();
    await client.send(ask);
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    client.vanish();
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    assert.equal((await server.stop()).code, 0);
  });

  for (const limit of [
    ["--response-buffer", "2m"],
    ["--spool-max", "2m"],
    ["--response-buffer", "0"],
  ]) {
    test(`past ${limit.join(" ")} the app waits, and the response is still whole`, async () => {
      const server = await startMaitred([...start, ...limit]);
      const client = await RawClient.open(server.port);
      client.socket.pause();
      await client.send(ask);
      await new Promise<void>((resolve) => setTimeout(resolve, 200));
      client.socket.resume();
      assert.ok((await client.response()).body.equals(Buffer.alloc(BYTES, "x")));
      client.leave();
      await server.stop();
    });
  }

  test("who takes nothing for --write-timeout is cut off, with its name in the log", async () => {
    const server = await startMaitred([...start, "--write-timeout", "1"]);
    const client = await RawClient.open(server.port);
    client.socket.pause();
    await client.send(ask);
    await server.waitForLine(/Connection from 127\.0\.0\.1 cut off: .*--write-timeout/);
    client.leave();
    await server.stop();
  });
});

suite("slow readers over TLS", () => {
  const open = async (port: number): Promise<TLSSocket> => {
    const socket = tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    socket.pause();
    socket.write(ask.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    return socket;
  };

  test("do not hold the worker, and get all of it", async () => {
    const server = await startMaitred([...writeIdentity(temporaryFolder(), serverIdentity("localhost")), ...start]);
    const slow = await Promise.all([open(server.port), open(server.port)]);
    // A third client of the only worker gets its response while the others do not read.
    for (const socket of [await open(server.port), ...slow]) {
      let length = 0;
      socket.on("data", (data: Buffer) => (length += data.length));
      socket.resume();
      await once(socket, "end");
      assert.ok(length > BYTES, `${length} bytes`);
      socket.destroy();
    }
    await server.stop();
  });

  test("who takes nothing for --write-timeout is cut off", async () => {
    const identity = writeIdentity(temporaryFolder(), serverIdentity("localhost"));
    const server = await startMaitred([...identity, ...start, "--write-timeout", "1"]);
    const socket = await open(server.port);
    await server.waitForLine(/Connection from 127\.0\.0\.1 cut off: .*--write-timeout/);
    socket.destroy();
    await server.stop();
  });
});
