/** ASGI's extensions and WSGI's early hints, seen by a client: files sent by the front, trailers, 103. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect as connectHttp2, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import type { OutgoingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-files-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Every 4 bytes tell their place. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

type Http2Fields = IncomingHttpHeaders & IncomingHttpStatusHeader;

const start = (app: string): Promise<Maitred> =>
  startMaitred(["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, `extensions_app:${app}`]);
const get = (target: string, ...fields: string[]): string =>
  `${[`GET ${target} HTTP/1.1`, "Host: x", ...fields].join("\r\n")}\r\n\r\n`;
const fileTarget = (path: string): string => `/file?path=${encodeURIComponent(path)}`;

suite("http.response.pathsend", () => {
  test("sends whole files of any size, one after the other on one connection", async () => {
    const server = await start("application");
    const client = await RawClient.open(server.port);
    for (const length of [0, 1, 131_072, 131_073, 5_000_001]) {
      const bytes = pattern(length);
      await client.send(get(fileTarget(file(`gr\u00fc\u00dfe ${length}`, bytes))));
      const response = await client.response();
      assert.deepEqual([response.status, response.headers["content-length"]], [200, String(length)]);
      assert.ok(response.body.equals(bytes), `${length} bytes`);
    }
    client.leave();
    await server.stop();
  });

  test("answers HEAD without the file, and HTTP/1.0", async () => {
    const server = await start("application");
    const path = file("head", pattern(1000));
    const client = await RawClient.open(server.port);
    await client.send(get(fileTarget(path)).replace("GET", "HEAD"));
    assert.equal((await client.response(true)).status, 200);
    await client.send(get(fileTarget(path)).replace("HTTP/1.1", "HTTP/1.0"));
    assert.equal((await client.response()).body.length, 1000);
    client.leave();
    await server.stop();
  });

  test("a slow client holds neither the worker nor the file's memory, and one that leaves is forgotten", async () => {
    const server = await start("application");
    const path = file("slow", Buffer.alloc(64_000_000));
    const slow = await RawClient.open(server.port);
    slow.socket.pause();
    await slow.send(get(fileTarget(path)));
    const browser = new Browser(server.port);
    for (let count = 0; count < 5; count++) assert.equal((await browser.get("/hint")).text, "hinted");
    slow.vanish();
    assert.equal((await browser.get("/hint")).text, "hinted");
    browser.close();
    await server.stop();
    assert.doesNotMatch(server.stderr(), /crashed|failed|cannot send/);
  });

  test("a file that shrinks cuts the response", async () => {
    const server = await start("application");
    const path = file("shrinks", Buffer.alloc(64_000_000));
    const client = await RawClient.open(server.port);
    client.socket.pause();
    await client.send(get(fileTarget(path)));
    // Its head has come: the file is open, and far more is left than the sockets' buffers hold.
    client.socket.resume();
    await client.match(/\r\n\r\n/);
    client.socket.pause();
    truncateSync(path, 1_000_000);
    client.socket.resume();
    assert.ok((await client.rest()).length < 64_000_000);
    await server.waitForLine(/the response was cut\): cannot send the file .*: the file ended \d+ bytes early/);
    client.leave();
    await server.stop();
  });

  test("a file that is not there, or has another length, is the app's error", async () => {
    const server = await start("application");
    const browser = new Browser(server.port);
    assert.equal((await browser.get(fileTarget("/nowhere/at/all"))).status, 500);
    assert.equal((await browser.get(fileTarget(folder))).status, 500);
    assert.equal((await browser.get(`${fileTarget(file("five", pattern(5)))}&length=6`)).status, 500);
    await server.waitForLine(/FileNotFoundError: .*\/nowhere\/at\/all/);
    browser.close();
    await server.stop();
  });
});

suite("http.response.trailers", () => {
  test("follow the body where the client takes them", async () => {
    const server = await start("application");
    const client = await RawClient.open(server.port);
    await client.send(get("/trailers", "TE: trailers", "Connection: TE"));
    const text = await client.match(/\r\n0\r\n[^]*\r\n\r\n$/);
    assert.match(text, /\r\n4\r\none \r\n3\r\ntwo\r\n0\r\nx-parts: 2\r\nx-sum: abc\r\n\r\n$/);
    client.leave();
    const plain = await RawClient.open(server.port);
    await plain.send(get("/trailers"));
    assert.equal((await plain.response()).body.toString(), "one two");
    await plain.send(get("/extensions"));
    assert.equal(
      (await plain.response()).body.toString(),
      "http.response.early_hint http.response.pathsend http.response.trailers maitred.extend_deadline",
    );
    plain.leave();
    await server.stop();
  });
});

suite("over HTTP/2", () => {
  /** All that comes back: the fields of each 1xx, the body, the trailers. */
  async function asked(server: Maitred, path: string, fields: OutgoingHttpHeaders = {}) {
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ":path": path, ...fields });
    const hints: (readonly [number | undefined, unknown])[] = [];
    let text = "";
    let trailers: Readonly<Record<string, unknown>> = {};
    stream.on("headers", (head: Http2Fields) => hints.push([head[":status"], head["link"]]));
    stream.on("trailers", (head: Http2Fields) => (trailers = Object.fromEntries(Object.entries(head))));
    stream.setEncoding("latin1").on("data", (data: string) => (text += data));
    await once(stream, "close");
    session.close();
    return { hints, text, trailers };
  }

  for (const app of ["application", "wsgi"]) {
    test(`early hints come as a 103 before the response (${app})`, async () => {
      const server = await start(app);
      const { hints, text } = await asked(server, "/hint");
      assert.deepEqual(hints, [[103, "</style.css>; rel=preload; as=style"]]);
      assert.equal(text, "hinted");
      await server.stop();
    });
  }

  test("trailers follow the body where the client takes them", async () => {
    const server = await start("application");
    const taken = await asked(server, "/trailers", { te: "trailers" });
    assert.deepEqual([taken.text, taken.trailers], ["one two", { "x-parts": "2", "x-sum": "abc" }]);
    const not = await asked(server, "/trailers");
    assert.deepEqual([not.text, not.trailers], ["one two", {}]);
    await server.stop();
  });

  test("files are sent whole by the front", async () => {
    const server = await start("application");
    const bytes = pattern(300_000);
    const { text } = await asked(server, `${fileTarget(file("over-http2", bytes))}&length=300000`);
    assert.ok(Buffer.from(text, "latin1").equals(bytes));
    await server.stop();
  });
});

suite("early hints", () => {
  for (const app of ["application", "wsgi"]) {
    test(`are a 103 before the response, and not for HTTP/1.0 (${app})`, async () => {
      const server = await start(app);
      const client = await RawClient.open(server.port);
      await client.send(get("/hint"));
      const hint = await client.response();
      assert.deepEqual([hint.status, hint.headers["link"]], [103, "</style.css>; rel=preload; as=style"]);
      assert.equal((await client.response()).body.toString(), "hinted");
      await client.send(get("/hint").replace("HTTP/1.1", "HTTP/1.0"));
      assert.equal((await client.response()).status, 200);
      client.leave();
      await server.stop();
    });
  }
});
