/** WebSockets over real sockets: handshakes, messages, ends, hostile clients, slow ones, workers that go. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { deflateRawSync, constants } from "node:zlib";

import { type Maitred, startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";
import { frame, handshake, WebSocketClient } from "../support/web-socket-client.ts";

const args = ["-b", "127.0.0.1:0", "--chdir", testApps];
const start = (...more: string[]): Promise<Maitred> =>
  startMaitred([...args, "-w", "1", ...more, "websocket_app:application"]);
const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";

async function answer(
  port: number,
  request: string,
): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: Buffer }> {
  const client = await RawClient.open(port);
  await client.send(request);
  const response = await client.response();
  client.leave();
  return response;
}

suite("WebSocket handshakes", () => {
  test("are accepted with the RFC's digest, the app's fields and its subprotocol; what follows at once is read", async () => {
    const server = await start();
    const raw = await RawClient.open(server.port);
    await raw.send(
      Buffer.concat([Buffer.from(handshake("/echo", "Sec-WebSocket-Protocol: chat, other")), frame(1, "early")]),
    );
    const response = await raw.response();
    assert.equal(response.status, 101);
    assert.equal(response.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert.equal(response.headers["sec-websocket-protocol"], "chat");
    assert.equal(response.headers["sec-websocket-extensions"], undefined);
    assert.equal(response.headers["x-app"], "yes");
    assert.equal((await raw.take(7)).toString("latin1"), "\x81\x05early");
    raw.leave();
    await server.stop();
  });

  test("that are wrong are answered 426 or 400, and the app hears nothing of them", async () => {
    const server = await start();
    const bare = "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    const old = await answer(server.port, `${bare}Sec-WebSocket-Version: 8\r\n\r\n`);
    assert.equal(old.status, 426);
    assert.equal(old.headers["sec-websocket-version"], "13");
    const version = "Sec-WebSocket-Version: 13\r\n";
    assert.equal((await answer(server.port, `${bare}${version}\r\n`)).status, 400);
    assert.equal((await answer(server.port, `${bare}${version}Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n`)).status, 400);
    assert.equal((await answer(server.port, handshake("/echo", "Sec-WebSocket-Protocol: a, a"))).status, 400);
    const plain = await answer(
      server.port,
      "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    );
    assert.equal(plain.body.toString(), "http");
    await server.stop();
  });

  test("that the app refuses get 403, or its own answer, or 500 where it fails", async () => {
    const server = await start();
    assert.equal((await answer(server.port, handshake("/refuse"))).status, 403);
    const denied = await answer(server.port, handshake("/deny"));
    assert.equal(denied.status, 401);
    assert.equal(denied.headers["x-why"], "nobody");
    assert.equal(denied.headers["connection"], "close");
    assert.equal(denied.body.toString(), "who are you?");
    assert.equal((await answer(server.port, handshake("/raise-early"))).status, 500);
    await server.stop();
  });

  test("are ordinary requests with --ws none, and to a WSGI app", async () => {
    const none = await start("--ws", "none");
    assert.equal((await answer(none.port, handshake("/echo"))).body.toString(), "http");
    await none.stop();
    const wsgi = await startMaitred([...args, "-w", "1", "wsgi_app:application"]);
    assert.equal((await answer(wsgi.port, handshake("/"))).status, 200);
    await wsgi.stop();
  });
});

suite("WebSocket messages", () => {
  test("of a real client come back whole, small and large, text and binary, compressed", async () => {
    const server = await start();
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/echo`);
    client.binaryType = "arraybuffer";
    await once(client, "open");
    assert.match(client.extensions, /permessage-deflate/);
    const random = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 7919) >> (at & 7)));
    for (const sent of ["", "grüße €", "x".repeat(1_000_000), random]) {
      client.send(sent);
      const [{ data }] = (await once(client, "message")) as [MessageEvent];
      if (typeof sent === "string") assert.equal(data, sent);
      else assert.deepEqual(Buffer.from(data as ArrayBuffer), sent);
    }
    client.close(4002, "bye");
    const [{ code, wasClean }] = (await once(client, "close")) as [CloseEvent];
    assert.deepEqual([code, wasClean], [4002, true]);
    await server.waitForLine(/disconnect \/echo 4002 'bye'/);
    await server.stop();
  });

  test("the scope is a WebSocket's", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/scope?a=b");
    assert.equal((await client.next()).payload.toString(), "websocket ws 1.1 a=b False");
    client.raw.leave();
    await server.waitForLine(/disconnect \/scope 1006/);
    await server.stop();
  });

  test("pings are answered between the fragments of a message", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/echo");
    await client.send(1, "in ", { first: 0x01 });
    await client.send(9, "there?");
    await client.send(0, "parts");
    const pong = await client.next();
    assert.deepEqual([pong.opcode, pong.payload.toString()], [10, "there?"]);
    assert.equal((await client.next()).payload.toString(), "in parts");
    client.raw.leave();
    await server.stop();
  });
});

suite("hostile WebSocket clients", () => {
  const violations: readonly [what: string, bytes: Buffer, close: string][] = [
    ["an unmasked frame", frame(1, "x", { isMasked: false }), "1002"],
    ["a reserved bit", frame(1, "x", { first: 0xa1 }), "1002"],
    ["a compressed frame that was not agreed on", frame(1, "x", { first: 0xc1 }), "1002"],
    ["an oversized ping", frame(9, Buffer.alloc(126)), "1002"],
    ["a text that is not UTF-8", frame(1, Buffer.from([0xff])), "1007"],
    ["a message beyond --ws-max-size", frame(2, Buffer.alloc(100_001)).subarray(0, 20), "1009"],
  ];
  test("are closed with the code for what they did, and the app hears it", async () => {
    const server = await start("--ws-max-size", "100000");
    for (const [what, bytes, close] of violations) {
      const client = await WebSocketClient.open(server.port, "/echo");
      await client.raw.send(bytes);
      assert.equal(await client.closed(), close, what);
      assert.equal(await client.raw.rest(), "", what);
      client.raw.leave();
      await server.waitForLine(new RegExp(`disconnect /echo ${close}`));
    }
    assert.match(server.stderr(), /WebSocket closed with 1009: .*\(--ws-max-size\)/);
    await server.stop();
  });

  test("a decompression bomb is stopped at the limit", async () => {
    const server = await start("--ws-max-size", "1000000");
    const client = await WebSocketClient.open(server.port, "/echo", [DEFLATE]);
    const bomb = deflateRawSync(Buffer.alloc(500_000_000), { finishFlush: constants.Z_SYNC_FLUSH });
    await client.send(2, bomb, { first: 0xc2 });
    assert.equal(await client.closed(), "1009");
    client.raw.leave();
    await server.stop();
  });

  test("pings whose pongs nobody reads are answered by few", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/echo");
    client.raw.socket.pause();
    const many = Buffer.concat(Array<Buffer>(1000).fill(frame(9, Buffer.alloc(125))));
    for (let i = 0; i < 150; i++) await client.raw.send(many);
    await client.send(9, "last");
    client.raw.socket.resume();
    let pongs = 0;
    for (; (await client.next()).payload.toString() !== "last";) pongs++;
    assert.ok(pongs < 150_000, `${pongs} pongs`);
    client.raw.leave();
    await server.stop();
  });

  test("frames behind a handshake that is refused are no requests", async () => {
    const server = await start();
    const raw = await RawClient.open(server.port);
    await raw.send(handshake("/refuse") + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.equal((await raw.response()).status, 403);
    assert.equal(await raw.rest(), "");
    raw.leave();
    await server.stop();
  });

  test("who does not read holds back the app, and who does reads on", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/flood");
    client.raw.socket.pause();
    await server.waitForLine(/flooded 1048576/);
    client.raw.socket.resume();
    for (let i = 0; i < 40; i++) assert.equal((await client.next()).payload.length, 65_536);
    client.raw.vanish();
    await server.waitForLine(/flood ended/);
    await server.stop();
  });

  test("who sends to an app that does not listen waits", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/deaf");
    let isTaken = false;
    const messages = Array.from({ length: 40 }, () => frame(2, Buffer.alloc(1_000_000)));
    const sending = client.raw.send(Buffer.concat(messages)).then(() => (isTaken = true));
    const other = await WebSocketClient.open(server.port, "/echo");
    for (let i = 0; i < 50; i++) {
      await other.send(1, "hello");
      assert.equal((await other.next()).payload.toString(), "hello");
    }
    assert.equal(isTaken, false);
    client.raw.vanish();
    other.raw.leave();
    await Promise.race([sending, server.stop("SIGINT")]);
    await server.exited;
  });
});

suite("empty messages", () => {
  const empty = frame(1, "");

  test("that the app does not take hold their sender back", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/deaf");
    let isTaken = false;
    let isOver = false;
    client.raw.socket.once("end", () => (isOver = true));
    const sending = client.raw.send(Buffer.alloc(3_000_000 * empty.length, empty)).then(() => (isTaken = true));
    const other = await WebSocketClient.open(server.port, "/echo");
    for (let i = 0; i < 200; i++) {
      await other.send(1, "");
      assert.equal((await other.next()).payload.length, 0);
    }
    assert.deepEqual([isTaken, isOver], [false, false]);
    client.raw.vanish();
    other.raw.leave();
    await Promise.race([sending, server.stop("SIGINT")]);
    await server.exited;
  });

  test("reach an app that is slow to begin, all of them", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/later");
    await client.send(1, Buffer.from("wait"));
    await client.raw.send(Buffer.alloc(150_000 * empty.length, empty));
    await client.send(1, Buffer.from("end"));
    assert.equal((await client.next()).payload.toString(), "150000");
    client.raw.leave();
    await server.stop();
  });
});

suite("the end of a WebSocket", () => {
  test("is the app's code, 1000 when it returns, 1011 when it fails", async () => {
    const server = await start("--access-logfile", "-");
    for (const [path, close] of [
      ["/close", "4001 as asked"],
      ["/return", "1000"],
      ["/raise", "1011"],
    ] as const) {
      const client = await WebSocketClient.open(server.port, path);
      assert.equal(await client.closed(), close);
      await client.send(8, "");
      assert.equal(await client.raw.rest(), "");
      client.raw.leave();
      await server.waitForLine(new RegExp(`"GET ${path} HTTP/1.1" 101 \\d+`));
    }
    assert.match(server.stderr(), /GET \/raise failed \(the WebSocket was closed with 1011\)/);
    await server.stop();
  });

  test("is the end of the connection too, as soon as both sides have said it", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/echo");
    await client.send(8, Buffer.from([0x03, 0xe8]));
    assert.equal(await client.closed(), "1000");
    client.raw.leave();
    const before = performance.now();
    await server.stop();
    assert.ok(performance.now() - before < 4000, "the stop waited for a connection that was over");
  });

  test("is 1012 when the server stops, for client and app", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/echo");
    server.signal("SIGTERM");
    assert.equal(await client.closed(), "1012");
    await server.waitForLine(/disconnect \/echo 1012/);
    await client.send(8, Buffer.from([0x03, 0xf4]));
    assert.equal((await server.exited).code, 0);
  });

  test("is 1012 when a reload replaces its worker", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/echo");
    server.signal("SIGHUP");
    assert.equal(await client.closed(), "1012");
    await server.waitForLine(/disconnect \/echo 1012/);
    await client.send(8, "");
    const next = await WebSocketClient.open(server.port, "/echo");
    await next.send(1, "new");
    assert.equal((await next.next()).payload.toString(), "new");
    next.raw.leave();
    await server.stop();
  });

  test("is 1011 when its worker dies, with a line in the log", async () => {
    const server = await start();
    const client = await WebSocketClient.open(server.port, "/echo");
    process.kill(Number((await server.waitForLine(/Worker 1 \(pid (\d+)\) is ready/))[1]), "SIGKILL");
    assert.equal(await client.closed(), "1011");
    await server.waitForLine(/GET \/echo failed \(the WebSocket was closed with 1011\).*worker 1/);
    client.raw.leave();
    await server.stop();
  });

  test("comes when no pong does, but not to a client that answers", async () => {
    const server = await start("--ws-ping-interval", "300ms", "--ws-ping-timeout", "300ms");
    const silent = await WebSocketClient.open(server.port, "/echo");
    const real = new WebSocket(`ws://127.0.0.1:${server.port}/echo`);
    await once(real, "open");
    assert.equal((await silent.next()).opcode, 9);
    assert.equal(await silent.closed(), "1011 keepalive ping timeout");
    await server.waitForLine(/no pong within 0\.3 s \(--ws-ping-timeout\)/);
    real.send("still here");
    assert.equal(((await once(real, "message")) as [MessageEvent])[0].data, "still here");
    real.close();
    await once(real, "close");
    await server.stop();
  });
});

test("open WebSockets do not count against --worker-connections, and are spread over the workers", async () => {
  const server = await startMaitred([...args, "-w", "2", "--worker-connections", "2", "websocket_app:application"]);
  await server.waitForLine(/Serving websocket_app/);
  const clients = [];
  for (let i = 0; i < 20; i++) clients.push(await WebSocketClient.open(server.port, "/echo"));
  for (const client of clients) await client.send(1, "hello");
  for (const client of clients) assert.equal((await client.next()).payload.toString(), "hello");
  for (const client of clients) client.raw.leave();
  await server.stop();
});
