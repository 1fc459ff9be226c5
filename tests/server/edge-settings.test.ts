/** Settings of the street door that no attack and no limit plays: each changes what a client sees. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { suite, test } from "node:test";

import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";
import {
  END_HEADERS,
  END_STREAM,
  FrameType,
  http2Fields,
  http2Frame,
  http2Head,
  http2Start,
  readHttp2Frame,
} from "../support/raw-http2.ts";
import { SecureClient } from "../support/secure-client.ts";
import { frame, handshake, readFrame, WebSocketClient } from "../support/web-socket-client.ts";

const start = (app: string, ...more: string[]): Promise<Maitred> =>
  startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, ...more, app]);
const WSGI = "wsgi_app:application";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

const hasSs = ((): boolean => {
  try {
    execFileSync("ss", ["-V"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

test("--no-server-header and --no-date-header leave them out, of maitred's own answers too", async () => {
  for (const [flags, expected] of [
    [[], [true, true]],
    [["--no-server-header"], [false, true]],
    [["--no-date-header"], [true, false]],
    [
      ["--no-server-header", "--no-date-header"],
      [false, false],
    ],
  ] as const) {
    const server = await start(WSGI, ...flags);
    for (const request of [GET, "GET / HTTP/1.1\r\n\r\n"]) {
      const client = await RawClient.open(server.port);
      await client.send(request);
      const { headers } = await client.response();
      assert.deepEqual(["server" in headers, "date" in headers], expected, `${flags.join(" ")}: ${request}`);
      client.leave();
    }
    await server.stop();
  }
});

test("--backlog is what the kernel is asked for", { skip: hasSs ? false : "no ss here" }, async () => {
  const server = await start(WSGI, "--backlog", "77");
  const lines = execFileSync("ss", ["-Hltn", `sport = :${server.port}`], { encoding: "latin1" });
  assert.match(lines, /^LISTEN\s+\d+\s+77\s/m);
  await server.stop();
});

test("--ssl-ciphers chooses TLS 1.2's suites", async () => {
  const identity = writeIdentity(temporaryFolder(), serverIdentity("localhost"));
  const server = await start(WSGI, ...identity, "--ssl-ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384");
  const old = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
  const client = await SecureClient.open(server.port, old);
  assert.equal(client.socket.getCipher().name, "ECDHE-ECDSA-AES256-GCM-SHA384");
  client.close();
  await assert.rejects(SecureClient.open(server.port, { ...old, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }));
  await server.stop();
});

suite("HTTP/2's settings", () => {
  const POST = [":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/length"];

  /** The server's SETTINGS. */
  async function greeted(port: number): Promise<{ client: RawClient; settings: ReadonlyMap<number, number> }> {
    const client = await RawClient.open(port);
    await client.send(http2Start());
    const { type, payload } = await readHttp2Frame(client);
    assert.equal(type, FrameType.settings);
    const settings = new Map<number, number>();
    for (let at = 0; at < payload.length; at += 6) settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    return { client, settings };
  }
  /** The next frame of that type. */
  async function next(client: RawClient, wanted: number): Promise<Buffer> {
    for (;;) {
      const { type, payload } = await readHttp2Frame(client);
      if (type === wanted) return payload;
    }
  }

  test("--http2-max-frame-size is told, taken, and no byte more", async () => {
    const server = await start(WSGI, "--http2-max-frame-size", "20000");
    const { client, settings } = await greeted(server.port);
    assert.equal(settings.get(5), 20_000);
    const head = http2Frame(FrameType.headers, END_HEADERS, 1, http2Fields(POST));
    await client.send(Buffer.concat([head, http2Frame(FrameType.data, END_STREAM, 1, Buffer.alloc(20_000))]));
    assert.equal((await next(client, FrameType.data)).toString(), "20000");
    await client.send(http2Frame(FrameType.data, END_STREAM, 3, Buffer.alloc(20_001)));
    const FRAME_SIZE_ERROR = 6;
    assert.equal((await next(client, FrameType.goaway)).readUInt32BE(4), FRAME_SIZE_ERROR);
    client.leave();
    await server.stop();
  });

  test("--http2-max-header-list-size is told, and a longer head answered with 431", async () => {
    const server = await start(WSGI, "--http2-max-header-list-size", "1100");
    const { client, settings } = await greeted(server.port);
    assert.equal(settings.get(6), 1100);
    const fields = Array.from({ length: 10 }, (_, i) => [`x-${i}`, "v".repeat(100)]).flat();
    const head = http2Frame(
      FrameType.headers,
      END_HEADERS | END_STREAM,
      1,
      Buffer.concat([http2Head("GET", "/"), http2Fields(fields)]),
    );
    await client.send(head);
    await client.match(/431 Request Header Fields Too Large/);
    client.leave();
    await server.stop();
  });

  test("--http2-max-concurrent-streams and --http2-initial-window-size are told", async () => {
    const flags = ["--http2-max-concurrent-streams", "7", "--http2-initial-window-size", "70000"];
    const server = await start(WSGI, ...flags);
    const { client, settings } = await greeted(server.port);
    assert.deepEqual([settings.get(3), settings.get(4)], [7, 70_000]);
    client.leave();
    await server.stop();
  });
});

suite("WebSocket's settings", () => {
  const APP = "websocket_app:application";
  const OFFER = "Sec-WebSocket-Extensions: permessage-deflate";

  test("--ws-per-message-deflate off agrees on no compression, and refuses compressed frames", async () => {
    for (const [flag, agreed] of [
      ["on", true],
      ["off", false],
    ] as const) {
      const server = await start(APP, "--ws-per-message-deflate", flag);
      const client = await RawClient.open(server.port);
      await client.send(handshake("/echo", OFFER));
      const { status, headers } = await client.response();
      assert.deepEqual([status, "sec-websocket-extensions" in headers], [101, agreed]);
      // "a", deflated (RFC 7692 section 7.2.3.2).
      await client.send(frame(1, Buffer.from([0x4a, 0x04, 0x00]), { first: 0xc1 }));
      const reply = await readFrame((count) => client.take(count));
      assert.deepEqual([reply.opcode, reply.payload.toString("latin1", 0, 2)], agreed ? [1, "a"] : [8, "\x03\xea"]);
      client.leave();
      await server.stop();
    }
  });

  test("--websocket-max-message-size is --ws-max-size", async () => {
    const server = await start(APP, "--websocket-max-message-size", "1000");
    const client = await WebSocketClient.open(server.port, "/echo");
    await client.send(1, "x".repeat(1000));
    assert.equal((await client.next()).payload.length, 1000);
    await client.send(1, "x".repeat(1001));
    assert.match(await client.closed(), /^1009/);
    client.raw.leave();
    await server.stop();
  });
});
