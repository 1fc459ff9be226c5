/** WebSockets over HTTP/2 (RFC 8441), driven by node:http2's client over real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { suite, test } from "node:test";

import { authority, serverIdentity, writeIdentity } from "../support/certificates.ts";
import { Http2Client } from "../support/http2-web-socket-client.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { frame } from "../support/web-socket-client.ts";

const args = ["-b", "127.0.0.1:0", "--chdir", testApps, "-w", "1"];
const start = (...more: string[]): Promise<Maitred> => startMaitred([...args, ...more, "websocket_app:application"]);
const connect = (server: Maitred): Promise<Http2Client> => Http2Client.open(`http://127.0.0.1:${server.port}`);

suite("a WebSocket over HTTP/2", () => {
  test("is offered, accepted with 200, and carries messages beside ordinary requests", async () => {
    const server = await start("--access-logfile", "-");
    const client = await connect(server);
    assert.equal(client.session.remoteSettings.enableConnectProtocol, true);
    const chat = client.ask("/echo", {
      "sec-websocket-protocol": "chat, other",
      "sec-websocket-extensions": "permessage-deflate",
    });
    // What comes before the answer is not lost.
    chat.send(1, "early");
    const headers = await chat.answer();
    assert.equal(headers[":status"], 200);
    assert.equal(headers["sec-websocket-protocol"], "chat");
    assert.match(String(headers["sec-websocket-extensions"]), /^permessage-deflate/);
    assert.equal(headers["sec-websocket-accept"], undefined);
    assert.equal(headers["x-app"], "yes");
    assert.equal((await chat.next()).payload.toString(), "early");
    const second = await client.webSocket("/echo");
    const page = client.session.request({ ":path": "/" });
    const [answer] = (await once(page, "response")) as [Record<string, unknown>];
    assert.equal(answer[":status"], 200);
    page.resume();
    // More than a window of the client; node's comparison of what differs would take minutes.
    second.send(2, Buffer.alloc(200_000, 7));
    assert.ok((await second.next()).payload.equals(Buffer.alloc(200_000, 7)));
    chat.send(8, Buffer.from([0x0f, 0xa1]));
    assert.equal(await chat.closed(), "4001");
    chat.stream.end();
    assert.equal(await chat.over(), constants.NGHTTP2_NO_ERROR);
    await server.waitForLine(/disconnect \/echo 4001/);
    await server.waitForLine(/"CONNECT \/echo HTTP\/2\.0" 200 \d+/);
    client.session.destroy();
    await server.waitForLine(/disconnect \/echo 1006/);
    await server.stop();
  });

  test("has the scope of a WebSocket, over TLS too", async () => {
    const files = writeIdentity(temporaryFolder(), serverIdentity("localhost"));
    const server = await startMaitred([...args, ...files, "websocket_app:application"]);
    const client = await Http2Client.open(`https://localhost:${server.port}`, { ca: authority.cert });
    const socket = await client.webSocket("/scope?a=b");
    assert.equal((await socket.next()).payload.toString(), "websocket wss 2 a=b False");
    client.session.destroy();
    await server.stop();
  });

  test("that is refused gets the app's answer; a 2xx, which would be a consent, becomes 403", async () => {
    const server = await start();
    const client = await connect(server);
    const cases: [path: string, fields: object, status: number][] = [
      ["/refuse", {}, 403],
      ["/deny", {}, 401],
      ["/deny-with-200", {}, 403],
      ["/raise-early", {}, 500],
      ["/echo", { "sec-websocket-version": "8" }, 426],
      ["/echo", { "sec-websocket-protocol": "a, a" }, 400],
      ["/echo", { "content-length": "5" }, 400],
      ["/echo", { ":protocol": "connect-udp" }, 501],
    ];
    for (const [path, fields, status] of cases) {
      const refused = client.ask(path, fields);
      assert.equal((await refused.answer())[":status"], status, `${path} ${JSON.stringify(fields)}`);
      refused.stream.close();
    }
    client.session.destroy();
    await server.stop();
  });

  test("is not offered by --ws none, nor to a WSGI app", async () => {
    const none = await start("--ws", "none");
    const wsgi = await startMaitred([...args, "wsgi_app:application"]);
    for (const server of [none, wsgi]) {
      const client = await connect(server);
      assert.notEqual(client.session.remoteSettings.enableConnectProtocol, true);
      client.session.destroy();
      await server.stop();
    }
  });
});

suite("flow control of a WebSocket over HTTP/2", () => {
  test("holds back the app of a client that opens no window, and lets its other streams go on", async () => {
    const server = await start();
    const client = await connect(server);
    const flood = await client.webSocket("/flood");
    await server.waitForLine(/flooded 262144/);
    const other = await client.webSocket("/echo");
    other.send(1, "still here");
    assert.equal((await other.next()).payload.toString(), "still here");
    // Window, front and worker hold a bounded amount; the app stands still until the client reads.
    const flooded = [...server.stdout().matchAll(/flooded (\d+)/g)].map((line) => Number(line[1]));
    assert.ok(Math.max(...flooded) < 3_000_000, `${flooded.at(-1)} bytes were taken`);
    for (let i = 0; i < 60; i++) assert.equal((await flood.next()).payload.length, 65_536);
    flood.stream.close(constants.NGHTTP2_CANCEL);
    await server.waitForLine(/flood ended/);
    client.session.destroy();
    await server.stop();
  });

  test("holds back a client whose app does not listen, and nobody else", async () => {
    const server = await start();
    const client = await connect(server);
    const deaf = await client.webSocket("/deaf");
    let taken = 0;
    for (let i = 0; i < 40; i++) deaf.stream.write(frame(2, Buffer.alloc(1_000_000)), () => taken++);
    const other = await client.webSocket("/echo");
    for (let i = 0; i < 50; i++) {
      other.send(1, "hello");
      assert.equal((await other.next()).payload.toString(), "hello");
    }
    assert.ok(taken < 5, `${taken} MB were taken`);
    client.session.destroy();
    await server.stop("SIGINT");
  });
});

suite("the end of a WebSocket over HTTP/2", () => {
  test("is a Close for the app's code, and for a violation", async () => {
    const server = await start("--ws-max-size", "100000");
    const client = await connect(server);
    const closed = await client.webSocket("/close");
    assert.equal(await closed.closed(), "4001 as asked");
    closed.send(8, Buffer.from([0x0f, 0xa1]));
    closed.stream.end();
    assert.equal(await closed.over(), constants.NGHTTP2_NO_ERROR);
    const violations: [bytes: Buffer, close: string][] = [
      [frame(1, "x", { isMasked: false }), "1002"],
      [frame(1, Buffer.from([0xff])), "1007"],
      [frame(2, Buffer.alloc(100_001)).subarray(0, 20), "1009"],
    ];
    for (const [bytes, close] of violations) {
      const bad = await client.webSocket("/echo");
      bad.stream.write(bytes);
      assert.equal(await bad.closed(), close);
      await server.waitForLine(new RegExp(`disconnect /echo ${close}`));
      bad.stream.end();
      assert.equal(await bad.over(), constants.NGHTTP2_NO_ERROR);
    }
    client.session.destroy();
    await server.stop();
  });

  test("is 1006 for the app when the client resets the stream or ends it without a Close", async () => {
    const server = await start();
    const client = await connect(server);
    const reset = await client.webSocket("/echo?reset");
    reset.stream.close(constants.NGHTTP2_CANCEL);
    await server.waitForLine(/disconnect \/echo 1006/);
    const ended = await client.webSocket("/scope");
    await ended.next();
    ended.stream.end();
    await server.waitForLine(/disconnect \/scope 1006/);
    assert.equal(await ended.over(), constants.NGHTTP2_NO_ERROR);
    // The connection has lost nothing by it.
    const next = await client.webSocket("/echo");
    next.send(1, "on");
    assert.equal((await next.next()).payload.toString(), "on");
    client.session.destroy();
    await server.stop();
  });

  test("comes with a reset where the client does not end its side", async () => {
    const server = await start();
    const client = await connect(server);
    const socket = await client.webSocket("/return");
    assert.equal(await socket.closed(), "1000");
    assert.equal(await socket.over(), constants.NGHTTP2_CANCEL);
    client.session.destroy();
    await server.stop();
  });

  test("is 1012 when the server stops, which does not wait longer than for the Close", async () => {
    const server = await start();
    const client = await connect(server);
    const socket = await client.webSocket("/echo");
    server.signal("SIGTERM");
    assert.equal(await socket.closed(), "1012");
    await server.waitForLine(/disconnect \/echo 1012/);
    socket.send(8, Buffer.from([0x03, 0xf4]));
    socket.stream.end();
    assert.equal((await server.exited).code, 0);
  });

  test("comes when no pong does", async () => {
    const server = await start("--ws-ping-interval", "300ms", "--ws-ping-timeout", "300ms");
    const client = await connect(server);
    const silent = await client.webSocket("/echo");
    assert.equal((await silent.next()).opcode, 9);
    assert.equal(await silent.closed(), "1011 keepalive ping timeout");
    client.session.destroy();
    await server.stop();
  });
});
