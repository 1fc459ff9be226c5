/** The limits of connections, heads and readers that limits.test.ts and slow-readers.test.ts play on plain HTTP/1.1, over TLS and HTTP/2 too. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request } from "node:https";
import { suite, test } from "node:test";

import { serverIdentity, writeIdentity } from "../support/certificates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import {
  END_HEADERS,
  END_STREAM,
  FrameType,
  http2Frame,
  http2Head,
  http2Start,
  openSocket,
} from "../support/raw-http2.ts";
import { secureGet } from "../support/secure-client.ts";

const KINDS = [
  { name: "HTTP/1.1 over TLS", protocol: "http/1.1", isSecure: true },
  { name: "HTTP/2", protocol: "h2", isSecure: false },
  { name: "HTTP/2 over TLS", protocol: "h2", isSecure: true },
] as const;
type Kind = (typeof KINDS)[number];

const identity = writeIdentity(temporaryFolder(), serverIdentity("localhost"));
const start = ({ isSecure }: Kind, ...more: string[]): Promise<Maitred> =>
  startMaitred([
    ...(isSecure ? identity : []),
    ...["-b", "127.0.0.1:0", "-w", "1", "-k", "sync", "--chdir", testApps].concat(more, "wsgi_app:application"),
  ]);

/** Status of GET / on a connection of its own; 0 where there is no answer. */
async function get({ protocol, isSecure }: Kind, port: number): Promise<number> {
  if (protocol === "http/1.1") {
    const answer = await secureGet(port, "/", { ALPNProtocols: ["http/1.1"] }).catch(() => null);
    return Number(answer?.head.split(" ")[1] ?? 0);
  }
  const session = connectHttp2(origin(isSecure, port), { rejectUnauthorized: false });
  session.on("error", () => undefined);
  const stream = session.request({ ":path": "/" });
  let status = 0;
  stream.on("response", (fields) => (status = fields[":status"] ?? 0));
  stream.on("error", () => undefined).resume();
  await new Promise<void>((resolve) => stream.once("close", resolve));
  session.destroy();
  return status;
}

/** Status of a POST whose body is `pieces`, which come `everyMs` apart; what ends with null does not end. 0 where there is no answer. */
async function post(
  { protocol, isSecure }: Kind,
  port: number,
  pieces: readonly (string | null)[],
  { announced = -1, everyMs = 0 }: { announced?: number; everyMs?: number } = {},
): Promise<number> {
  const length = announced < 0 ? {} : { "content-length": announced };
  const session = protocol === "h2" ? connectHttp2(origin(isSecure, port), { rejectUnauthorized: false }) : null;
  session?.on("error", () => undefined);
  const outgoing =
    session === null
      ? request({
          port,
          host: "127.0.0.1",
          path: "/length",
          method: "POST",
          headers: length,
          rejectUnauthorized: false,
        })
      : session.request({ ":path": "/length", ":method": "POST", ...length });
  outgoing.on("error", () => undefined);
  const status = new Promise<number>((resolve) => {
    outgoing.on("response", (answer: IncomingMessage | { ":status"?: number }) =>
      resolve(answer instanceof IncomingMessage ? (answer.statusCode ?? 0) : (answer[":status"] ?? 0)),
    );
    outgoing.on("close", () => resolve(0));
  });
  if (!("session" in outgoing)) outgoing.flushHeaders();
  let next = 0;
  const say = (): void => {
    const piece = pieces[next++];
    if (piece === undefined) outgoing.end();
    else if (piece !== null) {
      outgoing.write(piece);
      timer = setTimeout(say, everyMs);
    }
  };
  let timer = setTimeout(say, 0);
  const answered = await status;
  clearTimeout(timer);
  outgoing.destroy();
  session?.destroy();
  return answered;
}

const origin = (isSecure: boolean, port: number): string => `${isSecure ? "https" : "http"}://127.0.0.1:${port}`;

/** Half a head: what the client says, and how it goes on, a byte at a time. */
const HALF_HEADS: readonly {
  readonly how: string;
  readonly protocol: string;
  readonly bytes: Buffer;
  readonly drop: number;
}[] = [
  { how: "a head that stops", protocol: "http/1.1", bytes: Buffer.from("GET / HTTP/1.1\r\nHo"), drop: -1 },
  { how: "a head that dribbles", protocol: "http/1.1", bytes: Buffer.from("GET / HTTP/1.1\r\nX: "), drop: 0x78 },
  {
    how: "HEADERS without their end",
    protocol: "h2",
    bytes: Buffer.concat([http2Start(), http2Frame(FrameType.headers, END_STREAM, 1, http2Head("GET", "/"))]),
    drop: -1,
  },
  {
    how: "HEADERS that dribble",
    protocol: "h2",
    bytes: Buffer.concat([
      http2Start(),
      http2Frame(FrameType.headers, END_STREAM | END_HEADERS, 1, Buffer.alloc(4000)).subarray(0, 20),
    ]),
    drop: 0x78,
  },
  { how: "half a preface", protocol: "h2", bytes: http2Start().subarray(0, 20), drop: -1 },
];

for (const kind of KINDS) {
  const { name, protocol, isSecure } = kind;
  suite(name, { concurrency: 3 }, () => {
    test("--limit-connections-per-client turns the second connection away, and room comes back", async () => {
      const server = await start(kind, "--limit-connections-per-client", "1");
      const first = await openSocket(server.port, protocol, isSecure);
      assert.notEqual(await get(kind, server.port), 200);
      await server.waitForLine(/Too many connections from 127\.0\.0\.1 .*--limit-connections-per-client 1/);
      first.destroy();
      while ((await get(kind, server.port)) !== 200);
      await server.stop();
    });

    for (const { how, bytes, drop } of HALF_HEADS.filter((half) => half.protocol === protocol)) {
      test(`${how} is over after --header-timeout`, async () => {
        const server = await start(kind, "--header-timeout", "600ms");
        const socket = await openSocket(server.port, protocol, isSecure);
        socket.write(bytes);
        const dribble = drop < 0 ? undefined : setInterval(() => socket.write(Buffer.from([drop])), 100);
        await server.waitForLine(/--header-timeout/);
        await once(socket, "close");
        clearInterval(dribble);
        assert.equal(await get(kind, server.port), 200);
        await server.stop();
      });
    }

    test("who does not read is cut off after --write-timeout, others are served", async () => {
      const server = await start(kind, "--write-timeout", "1");
      const socket = await openSocket(server.port, protocol, isSecure);
      socket.pause();
      const huge = "/large?bytes=30000000";
      if (protocol === "http/1.1") socket.write(`GET ${huge} HTTP/1.1\r\nHost: x\r\n\r\n`);
      else {
        const window = http2Frame(FrameType.windowUpdate, 0, 0, [0x7f, 0, 0, 0]);
        const headers = http2Frame(FrameType.headers, END_STREAM | END_HEADERS, 1, http2Head("GET", huge));
        socket.write(Buffer.concat([http2Start(0x7fff_ffff), window, headers]));
      }
      await server.waitForLine(/Connection from 127\.0\.0\.1 cut off: .*it took nothing for 1 s \(--write-timeout\)/);
      assert.equal(await get(kind, server.port), 200);
      socket.destroy();
      await server.stop();
    });

    test("a body over --limit-request-body gets 413, announced or not, and one of that size is taken", async () => {
      const server = await start(kind, "--limit-request-body", "1000");
      assert.equal(await post(kind, server.port, [null], { announced: 1001 }), 413);
      assert.equal(await post(kind, server.port, ["x".repeat(600), "x".repeat(600), null]), 413);
      assert.equal(await post(kind, server.port, ["x".repeat(1000)]), 200);
      assert.equal(await post(kind, server.port, ["x".repeat(1000)], { announced: 1000 }), 200);
      await server.stop();
    });

    test("a body that stops gets 408 after --body-timeout", async () => {
      const server = await start(kind, "--body-timeout", "600ms", "--min-body-rate", "0");
      assert.equal(await post(kind, server.port, ["x", null], { announced: 1000 }), 408);
      await server.waitForLine(/refused with 408: .*--body-timeout/);
      assert.equal(await get(kind, server.port), 200);
      await server.stop();
    });

    test("a body that dribbles gets 408 for --min-body-rate", async () => {
      const server = await start(kind, "--body-timeout", "1");
      const drops = Array.from({ length: 1000 }, () => "x");
      assert.equal(await post(kind, server.port, drops, { announced: 1000, everyMs: 100 }), 408);
      await server.waitForLine(/refused with 408: .*--min-body-rate/);
      assert.equal(await get(kind, server.port), 200);
      await server.stop();
    });

    if (protocol === "h2") {
      test("a response without a window is given up after --write-timeout, its connection goes on", async () => {
        const server = await start(kind, "--write-timeout", "1");
        const socket = await openSocket(server.port, protocol, isSecure);
        const headers = (stream: number, path: string): Buffer =>
          http2Frame(FrameType.headers, END_STREAM | END_HEADERS, stream, http2Head("GET", path));
        socket.write(Buffer.concat([http2Start(0), headers(1, "/large?bytes=3000000")]));
        await server.waitForLine(/HTTP\/2: it opened no window for a response for 1 s \(--write-timeout\)/);
        socket.write(Buffer.concat([headers(3, "/"), http2Frame(FrameType.windowUpdate, 0, 3, [0, 0, 1, 0])]));
        await hears(socket, "hello");
        socket.destroy();
        await server.stop();
      });
    }
  });
}

async function hears(socket: Socket, words: string): Promise<void> {
  let text = "";
  await new Promise<void>((resolve) => {
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
      if (text.includes(words)) resolve();
    });
  });
}
