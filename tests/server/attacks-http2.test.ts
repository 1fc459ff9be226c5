/**
 * Attacks on HTTP/2 over real sockets: heads that would mean something else behind a downgrade to HTTP/1.1, bodies that are not as long as they say, and
 * clients that go beyond what was agreed. Every malformed head there is: src/http/http2/request-head.test.ts. Floods: http2.test.ts.
 */
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { Gates } from "../support/gates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";
import {
  END_HEADERS,
  END_STREAM,
  FrameType,
  type Http2Frame,
  http2Fields,
  http2Frame,
  http2Start,
  readHttp2Frame,
} from "../support/raw-http2.ts";

const GET = [":method", "GET", ":scheme", "http", ":authority", "x", ":path", "/evil"];
const POST = [":method", "POST", ":scheme", "http", ":authority", "x", ":path", "/evil"];
const GOOD = [":method", "GET", ":scheme", "http", ":authority", "x", ":path", "/good"];
const changed = (name: string, value: string): string[] =>
  GET.map((text, i) => (GET[i - 1] === name && i % 2 === 1 ? value : text));
/** A whole request that HTTP/1.1 would see behind a line end that it is given. */
const HIDDEN = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

const RESET_CODES = { flowControl: 3, refusedStream: 7 } as const;

const head = (stream: number, flat: readonly string[], flags = END_STREAM): Buffer =>
  http2Frame(FrameType.headers, END_HEADERS | flags, stream, http2Fields(flat));
const data = (stream: number, bytes: number | string, flags = 0): Buffer =>
  http2Frame(FrameType.data, flags, stream, typeof bytes === "string" ? Buffer.from(bytes) : Buffer.alloc(bytes, "x"));

/** The first frame that the server says about the stream, or about the end of the connection. */
async function heard(client: RawClient, stream: number): Promise<Http2Frame> {
  for (;;) {
    const frame = await readHttp2Frame(client);
    if (frame.type === FrameType.goaway || (frame.stream === stream && frame.type !== FrameType.windowUpdate))
      return frame;
  }
}

async function open(port: number, initialWindow?: number): Promise<RawClient> {
  const client = await RawClient.open(port);
  await client.send(http2Start(initialWindow));
  return client;
}

suite("smuggling through HTTP/2", () => {
  let server: Maitred;
  before(async () => {
    server = await startMaitred(
      ["-b", "127.0.0.1:0", "--chdir", testApps, "-k", "sync", "-w", "1"].concat("attacked:application"),
    );
  });
  after(() => server.stop());

  const attacks: readonly (readonly [what: string, ...frames: readonly Buffer[]])[] = [
    [
      "transfer-encoding: chunked (TE.CL behind a downgrade)",
      head(1, [...POST, "transfer-encoding", "chunked"], 0),
      data(1, `0\r\n\r\n${HIDDEN}`, END_STREAM),
    ],
    ["connection", head(1, [...GET, "connection", "transfer-encoding"])],
    ["upgrade", head(1, [...GET, "upgrade", "websocket"])],
    ["te that is not trailers", head(1, [...GET, "te", "chunked"])],
    ["a line end in a value", head(1, [...GET, "a", `b\r\n\r\n${HIDDEN}`])],
    ["a bare LF in a value", head(1, [...GET, "a", "b\ntransfer-encoding: chunked"])],
    ["NUL in a value", head(1, [...GET, "a", "b\0c"])],
    ["white space around a value", head(1, [...GET, "content-type", " text/plain"])],
    ["a line end in a name", head(1, [...GET, "a: b\r\ntransfer-encoding", "chunked"])],
    ["a colon in a name", head(1, [...GET, "transfer-encoding:", "chunked"])],
    ["an upper-case name", head(1, [...GET, "Transfer-Encoding", "chunked"])],
    ["a request line in :method", head(1, changed(":method", `GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\nGET`))],
    ["a request line in :path", head(1, changed(":path", `/ HTTP/1.1\r\nHost: x\r\n\r\n${HIDDEN}`))],
    ["a space in :path", head(1, changed(":path", "/evil HTTP/1.1"))],
    ["an absolute :path", head(1, changed(":path", "http://internal/evil"))],
    ["a :path without its slash", head(1, changed(":path", "evil"))],
    ["a line end in :authority", head(1, changed(":authority", "x\r\nX-Forwarded-For: 127.0.0.1"))],
    ["a path in :authority", head(1, changed(":authority", "x/evil"))],
    ["a line end in :scheme", head(1, changed(":scheme", "http://x/\r\n"))],
    ["Host against :authority", head(1, [...GET, "host", "internal"])],
    [":path twice", head(1, [...GET, ":path", "/other"])],
    ["a pseudo-header field behind a field", head(1, [...GET.slice(0, 6), "a", "b", ":path", "/evil"])],
    ["an unknown pseudo-header field", head(1, [...GET, ":evil", "1"])],
    [
      "content-length twice",
      head(1, [...POST, "content-length", "5", "content-length", "6"], 0),
      data(1, "12345", END_STREAM),
    ],
    ["a content-length that is no number", head(1, [...POST, "content-length", "+5"], 0), data(1, "12345", END_STREAM)],
    [
      "less DATA than content-length (CL.0 for what follows)",
      head(1, [...POST, "content-length", "50"], 0),
      data(1, "12345", END_STREAM),
    ],
    [
      "more DATA than content-length",
      head(1, [...POST, "content-length", "5"], 0),
      data(1, `12345${HIDDEN}`, END_STREAM),
    ],
    ["DATA behind content-length: 0", head(1, [...POST, "content-length", "0"], 0), data(1, HIDDEN, END_STREAM)],
    ["a content-length without DATA", head(1, [...POST, "content-length", "5"])],
    ["a pseudo-header field in trailers", head(1, POST, 0), data(1, "12345"), head(1, [":path", "/smuggled"])],
    ["a line end in trailers", head(1, POST, 0), data(1, "12345"), head(1, ["a", `b\r\n\r\n${HIDDEN}`])],
  ];
  for (const [what, ...frames] of attacks)
    test(`${what}: its stream is reset, the next one served`, async () => {
      const client = await open(server.port);
      await client.send(Buffer.concat([...frames, head(3, GOOD)]));
      const ends: Http2Frame[] = [];
      // Either may come first.
      while (ends.length < 2) {
        const frame = await readHttp2Frame(client);
        assert.notEqual(frame.type, FrameType.goaway);
        if (frame.stream > 0 && (frame.type === FrameType.reset || (frame.flags & END_STREAM) !== 0)) ends.push(frame);
      }
      ends.sort((a, b) => a.stream - b.stream);
      assert.deepEqual(
        ends.map(({ stream, type }) => [stream, type]),
        [
          [1, FrameType.reset],
          [3, FrameType.data],
        ],
      );
      assert.equal(ends[1]!.payload.toString(), "answered /good");
      client.leave();
    });

  test("nothing of it reached the application", async () => {
    const browser = new Browser(server.port);
    assert.deepEqual(JSON.parse((await browser.get("/count")).text), { "GET /good": attacks.length });
    browser.close();
  });
});

suite("an HTTP/2 client beyond what was agreed", () => {
  const start = ["-b", "127.0.0.1:0", "--chdir", testApps, "-w", "1", "asgi_app:application"];

  test("gets its streams above --http2-max-concurrent-streams refused, the others served", async () => {
    const gates = new Gates();
    const server = await startMaitred([...start, "--http2-max-concurrent-streams", "2"], { env: gates.env });
    const client = await open(server.port);
    const hold = changed(":path", "/hold?name=a");
    await client.send(Buffer.concat([head(1, hold), head(3, hold), head(5, hold)]));
    const refused = await heard(client, 5);
    assert.deepEqual([refused.type, refused.payload.readUInt32BE(0)], [FrameType.reset, RESET_CODES.refusedStream]);
    gates.open("a");
    assert.equal((await heard(client, 1)).type, FrameType.headers);
    await client.send(head(7, changed(":path", "/")));
    assert.equal((await heard(client, 7)).type, FrameType.headers);
    client.leave();
    await server.stop();
  });

  test("that sends more than its window loses the connection", async () => {
    const gates = new Gates();
    const server = await startMaitred([...start, "--http2-initial-window-size", "65535"], { env: gates.env });
    const client = await open(server.port);
    await client.send(head(1, [":method", "POST", ...changed(":path", "/hold?name=a").slice(2)], 0));
    await server.waitForLine(/holding a/);
    // The app reads nothing: 65,535 bytes and what the front has taken for it fit.
    const sent = client.send(Buffer.concat(Array.from({ length: 200 }, () => data(1, 16_384))));
    for (let frame = await heard(client, 1); ; frame = await heard(client, 1)) {
      if (frame.type !== FrameType.reset && frame.type !== FrameType.goaway) continue;
      const code = frame.payload.readUInt32BE(frame.type === FrameType.goaway ? 4 : 0);
      assert.equal(code, RESET_CODES.flowControl);
      break;
    }
    await sent;
    client.leave();
    gates.open("a");
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/")).text, "hello");
    browser.close();
    await server.stop();
  });

  test("that opens more than 2 GiB of window loses the connection", async () => {
    const server = await startMaitred(["-b", "127.0.0.1:0", "--chdir", testApps, "-w", "1", "wsgi_app:application"]);
    const client = await open(server.port);
    await client.send(http2Frame(FrameType.windowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff]));
    const goaway = await heard(client, -1);
    assert.equal(goaway.payload.readUInt32BE(4), RESET_CODES.flowControl);
    client.leave();
    await server.stop();
  });
});
