/** WebSockets through a route to another server: a polite one (maitred itself), and ones that break the rules. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Http2Client } from "../support/http2-web-socket-client.ts";
import { startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { ProxyFront } from "../support/proxy-front.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawUpstream, type UpstreamConnection } from "../support/raw-upstream.ts";
import { closeOf, frame, handshake, WebSocketClient } from "../support/web-socket-client.ts";

const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";

interface Open {
  readonly front: ProxyFront;
  readonly upstream: RawUpstream;
  readonly client: RawClient;
  readonly behind: UpstreamConnection;
  /** The handshake that the upstream got, and the answer to its key. */
  readonly head: string;
  readonly digest: string;
}

/** A handshake that waits for the upstream's answer. */
async function asked(settings: object = {}, ...fields: string[]): Promise<Open> {
  const upstream = await RawUpstream.open();
  const front = await ProxyFront.open({ url: upstream.url, forwarding: "none", ...settings });
  const client = await RawClient.open(front.port);
  await client.send(handshake("/chat?room=1", ...fields));
  const behind = await upstream.connection();
  const head = await behind.head();
  const key = /\r\nSec-WebSocket-Key: (\S+)/.exec(head)?.[1] ?? "";
  const digest = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return { front, upstream, client, behind, head, digest };
}

const accepting = (digest: string, ...fields: string[]): string =>
  `${["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${digest}`, ...fields].join("\r\n")}\r\n\r\n`;

/** A WebSocket that is open at both ends. */
async function opened(settings: object = {}): Promise<Open> {
  const all = await asked(settings);
  all.behind.send(accepting(all.digest));
  assert.equal((await all.client.response()).status, 101);
  return all;
}

/** A server's frame. */
const said = (opcode: number, payload: string, first = 0x80 | opcode): string =>
  frame(opcode, Buffer.from(payload, "latin1"), { isMasked: false, first }).toString("latin1");

/** The next frame that the upstream got, unmasked. */
async function heard(behind: UpstreamConnection): Promise<{ first: number; text: string }> {
  const match = await behind.match(/^[^][\x80-\xfd][^]{4}/);
  const length = match.charCodeAt(1) & 0x7f;
  const masked = length === 0 ? "" : await behind.match(new RegExp(`^[^]{${length}}`));
  const text = Buffer.from(masked, "latin1").map((byte, i) => byte ^ match.charCodeAt(2 + (i & 3)));
  return { first: match.charCodeAt(0), text: Buffer.from(text).toString("latin1") };
}

describe("a WebSocket to an upstream", () => {
  test("is asked for with a key of its own and without the client's extensions", async () => {
    const { client, head, behind, digest } = await asked(
      {},
      DEFLATE,
      "Sec-WebSocket-Protocol: chat, other",
      "Cookie: a=b",
    );
    assert.match(head, /^GET \/chat\?room=1 HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nupgrade: websocket\r\n/i);
    assert.match(head, /\r\nSec-WebSocket-Version: 13\r\n/);
    assert.match(head, /\r\nSec-WebSocket-Protocol: chat, other\r\n/);
    assert.match(head, /\r\nCookie: a=b\r\n/);
    assert.doesNotMatch(head, /dGhlIHNhbXBsZSBub25jZQ|extensions/i);
    behind.send(accepting(digest, "Sec-WebSocket-Protocol: other", "X-Room: 1"));
    const response = await client.response();
    assert.equal(response.status, 101);
    assert.equal(response.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert.equal(response.headers["sec-websocket-protocol"], "other");
    assert.match(response.headers["sec-websocket-extensions"]!, /permessage-deflate/);
    assert.equal(response.headers["x-room"], "1");
    client.leave();
    await behind.closed();
  });

  test("carries messages both ways, masked to the upstream", async () => {
    const { client, behind } = await opened();
    await client.send(frame(1, "hello"));
    assert.deepEqual(await heard(behind), { first: 0x81, text: "hello" });
    await client.send(Buffer.concat([frame(2, "one ", { first: 0x02 }), frame(0, "two")]));
    const parts = await heard(behind);
    const whole = parts.first === 0x82 ? parts.text : parts.text + (await heard(behind)).text;
    assert.equal(whole, "one two");
    behind.send(said(1, "h\xc3\xa4", 0x01) + said(9, "?") + said(0, "llo"));
    assert.equal((await client.take(8)).toString("latin1"), "\x81\x06h\xc3\xa4llo");
    assert.deepEqual(await heard(behind), { first: 0x8a, text: "?" });
    client.leave();
  });

  test("what follows the upstream's answer at once is not lost", async () => {
    const { client, behind, digest } = await asked();
    behind.send(accepting(digest) + said(1, "first"));
    assert.equal((await client.response()).status, 101);
    assert.equal((await client.take(7)).toString("latin1"), "\x81\x05first");
    client.leave();
  });

  test("closes with the code and reason of whoever closes it", async () => {
    const first = await opened();
    await first.client.send(frame(8, Buffer.from("\x0f\xa1bye", "latin1")));
    assert.deepEqual(await heard(first.behind), { first: 0x88, text: "\x0f\xa1bye" });
    const second = await opened();
    second.behind.send(said(8, "\x0f\xa2go"));
    const close = await second.client.take(6);
    assert.deepEqual([close[0], close.readUInt16BE(2), close.toString("latin1", 4)], [0x88, 4002, "go"]);
    assert.deepEqual(await heard(second.behind), { first: 0x88, text: "\x0f\xa2" });
    await second.client.send(frame(8, Buffer.from("\x0f\xa2", "latin1")));
  });

  test("tells the upstream of a client that is lost", async () => {
    const { client, behind } = await opened();
    client.vanish();
    assert.equal((await heard(behind)).text, "\x03\xe9");
    behind.socket.end();
    await behind.closed();
  });

  test("of an upstream that is lost closes with 1011, and the log says so", async () => {
    const { client, behind, front } = await opened();
    behind.socket.resetAndDestroy();
    const close = await client.take(4);
    assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, 1011]);
    assert.match(
      await front.line(/lost/),
      /^GET \/chat\?room=1: upstream .*connection of a WebSocket was lost; closed with 1011$/,
    );
    client.leave();
  });

  const VIOLATIONS: readonly [string, Buffer | string][] = [
    ["a masked frame", frame(1, "x")],
    ["a compressed message", said(1, "x", 0xc1)],
    ["text that is not UTF-8", said(1, "\xff")],
    ["a reserved opcode", said(3, "x")],
  ];
  for (const [what, bytes] of VIOLATIONS)
    test(`of an upstream that sends ${what} closes with 1011`, async () => {
      const { client, behind, front } = await opened();
      behind.send(bytes.toString("latin1"));
      const close = await client.take(4);
      assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, 1011]);
      assert.match(await front.line(/broke/), /it broke the WebSocket protocol: .*; closed with 1011$/);
      client.leave();
    });

  test("that the upstream refuses is its ordinary response", async () => {
    const { client, behind } = await asked();
    behind.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\nX-Why: not you\r\n\r\nno");
    const response = await client.response();
    assert.deepEqual([response.status, response.headers["x-why"], response.body.toString()], [403, "not you", "no"]);
    client.leave();
  });

  const WRONG: readonly [string, (digest: string) => string, RegExp][] = [
    ["another key's digest", () => accepting("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), /Accept is not the key's/],
    ["no digest", (digest) => accepting(digest).replace(/Sec-WebSocket-Accept.*\r\n/, ""), /Accept is missing/],
    ["an extension", (digest) => accepting(digest, "Sec-WebSocket-Extensions: permessage-deflate"), /was not offered/],
    ["a subprotocol", (digest) => accepting(digest, "Sec-WebSocket-Protocol: odd"), /"odd" was not offered/],
  ];
  for (const [what, answer, reason] of WRONG)
    test(`that is accepted with ${what} nobody asked for is 502`, async () => {
      const { client, behind, front, digest } = await asked();
      behind.send(answer(digest));
      assert.equal((await client.response()).status, 502);
      assert.match(front.lines[0]!, reason);
      await behind.closed();
      client.leave();
    });

  test("holds its place among the connections until it is over", async () => {
    const { client, behind, front, upstream } = await opened({ "max-connections": 1 });
    const other = await RawClient.open(front.port);
    await other.send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
    behind.send(said(8, "\x03\xe8"));
    behind.socket.end();
    const next = await upstream.connection();
    assert.match(await next.head(), /^GET \/other /);
    next.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert.equal((await other.response()).status, 200);
    client.leave();
    other.leave();
  });
});

test("through maitred to maitred: both HTTP versions, large messages, compression, who does not read is not written to", async () => {
  const app = await startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "websocket_app:application"]);
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, "maitred.toml"),
    `app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
workers = 1
[[route]]
path = ["/echo", "/flood", "/deaf"]
upstream = "${app.base}"
`,
  );
  const front = await startMaitred(["-c", join(folder, "maitred.toml")]);
  const plain = await WebSocketClient.open(front.port, "/echo", [DEFLATE]);
  await plain.send(1, "hello");
  assert.equal((await plain.next()).payload.toString(), "hello");
  const large = Buffer.alloc(3_000_000, "0123456789");
  await plain.send(2, large);
  const pieces: Buffer[] = [];
  for (;;) {
    const { payload, isFinal } = await plain.next();
    pieces.push(payload);
    if (isFinal) break;
  }
  assert.deepEqual(Buffer.concat(pieces), large);
  // Each costs credit, and gives it back.
  void plain.raw.send(Buffer.concat(Array.from({ length: 10_000 }, () => frame(1, ""))));
  for (let i = 0; i < 10_000; i++) assert.equal((await plain.next()).payload.length, 0);
  const session = await Http2Client.open(front.base);
  const tunnelled = await session.webSocket("/echo");
  tunnelled.send(1, "over HTTP/2");
  assert.equal((await tunnelled.next()).payload.toString(), "over HTTP/2");
  const idle = await WebSocketClient.open(front.port, "/flood");
  idle.raw.socket.pause();
  await app.waitForLine(/flooded 1048576/);
  assert.ok((await stable(() => flooded(app.stdout()))) < 32 * 1_048_576);
  idle.raw.vanish();
  await app.waitForLine(/flood ended/);
  const deaf = await WebSocketClient.open(front.port, "/deaf");
  void deaf.raw.send(Buffer.concat(Array.from({ length: 40 }, () => frame(2, Buffer.alloc(1_000_000)))));
  assert.ok((await stable(() => deaf.raw.socket.writableLength)) > 8 * 1_048_576);
  deaf.raw.vanish();
  // A stop says good-bye to both ends.
  const stopped = front.stop();
  assert.equal(closeOf(await plain.next()).slice(0, 4), "1012");
  plain.raw.leave();
  session.session.destroy();
  assert.equal((await stopped).code, 0);
  // Its /deaf sleeps for an hour.
  await app.stop("SIGINT");
});

const flooded = (said: string): number => Number([...said.matchAll(/flooded (\d+)/g)].at(-1)?.[1] ?? 0);

/** The value once it has not changed for some turns of waiting. */
async function stable(read: () => number): Promise<number> {
  let last = read();
  for (let same = 0; same < 15;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}
