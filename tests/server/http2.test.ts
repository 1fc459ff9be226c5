/** HTTP/2 with the real program: real clients with prior knowledge, the graceful stop, and clients that work against it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { connect as connectSecure } from "node:tls";
import { promisify } from "node:util";

import { Gates } from "../support/gates.ts";
import { startMaitred, type Maitred } from "../support/maitred.ts";
import { repository, temporaryFolder, testApps } from "../support/places.ts";
import { RawClient, exchangeRaw } from "../support/raw-client.ts";

const run = promisify(execFile);
const hasCurl = await run("curl", ["--version"]).then(
  ({ stdout }) => stdout.includes("HTTP2"),
  () => false,
);

function frame(type: number, flags: number, stream: number, payload: readonly number[] = []): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}
const START = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0)]);
/** GET http://h/ */
const GET = [0x82, 0x86, 0x84, 0x41, 1, 0x68];
const repeat = (count: number, make: (stream: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(2 * i + 1)));

function open(port: number): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on("error", () => undefined);
  return client;
}

async function ask(client: ClientHttp2Session, path: string, body?: Buffer): Promise<{ status: number; body: string }> {
  const stream = client.request({ ":path": path, ":method": body === undefined ? "GET" : "POST" });
  let status = 0;
  let text = "";
  stream.on("response", (fields) => (status = fields[":status"] ?? 0));
  stream.on("data", (data: Buffer) => (text += data.toString("latin1")));
  stream.end(body);
  await once(stream, "close");
  return { status, body: text };
}

for (const [kind, app, protocol] of [
  ["WSGI", "wsgi_app:application", /^http HTTP\/2\.0 127\.0\.0\.1:\d+$/],
  ["ASGI", "asgi_app:application", /^http 2$/],
] as const) {
  void suite(`HTTP/2 and ${kind}`, () => {
    let server: Maitred;
    before(async () => {
      server = await startMaitred(["--chdir", testApps, "-b", "127.0.0.1:0", "-w", "2", app]);
    });
    after(async () => {
      assert.equal((await server.stop()).code, 0);
    });

    void test("the app is told the version, and HTTP/1.1 clients are served beside it", async () => {
      const client = open(server.port);
      const { status, body } = await ask(client, "/protocol");
      assert.equal(status, 200);
      assert.match(body, protocol);
      client.close();
      const plain = await exchangeRaw(server.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assert.match(plain, /^HTTP\/1\.1 200/);
    });

    void test("a hundred requests on one connection get their own answers", async () => {
      const client = open(server.port);
      const bodies = Array.from({ length: 100 }, (_, i) => Buffer.alloc(1 + i * 700, `${i},`));
      const answers = await Promise.all(bodies.map((body) => ask(client, "/echo", body)));
      assert.deepEqual(
        answers.map(({ body }) => body),
        bodies.map(String),
      );
      client.close();
    });

    void test(
      "curl uploads 5 MB and gets them back",
      { skip: hasCurl ? false : "no curl with HTTP/2 here" },
      async () => {
        const file = join(temporaryFolder(), "upload");
        writeFileSync(file, Buffer.alloc(5_000_000, "maitred"));
        const { stdout } = await run("curl", [
          "-s",
          "--max-time",
          "20",
          "--http2-prior-knowledge",
          "--data-binary",
          `@${file}`,
          "-o",
          `${file}.back`,
          "-w",
          "%{http_version} %{http_code} %{size_download}",
          `${server.base}/echo`,
        ]);
        assert.equal(stdout, "2 200 5000000");
        await run("cmp", [file, `${file}.back`]);
      },
    );
  });
}

void suite("an HTTP/2 client that works against the server", () => {
  let server: Maitred;
  before(async () => {
    server = await startMaitred(["--chdir", testApps, "-b", "127.0.0.1:0", "-w", "1", "asgi_app:application"]);
  });
  after(async () => {
    assert.equal((await server.stop()).code, 0);
  });

  const attacks: readonly [string, Buffer, RegExp][] = [
    [
      "rapid reset (CVE-2023-44487)",
      repeat(1000, (id) => Buffer.concat([frame(1, 5, id, GET), frame(3, 0, id, [0, 0, 0, 8])])),
      /HTTP\/2 ENHANCE_YOUR_CALM: .*rapid reset/,
    ],
    [
      "a CONTINUATION flood (CVE-2024-27316)",
      Buffer.concat([frame(1, 1, 1, GET), repeat(10_000, () => frame(9, 0, 1, [0, 1, 97, 1, 98]))]),
      /HTTP\/2 ENHANCE_YOUR_CALM: .*CONTINUATION flood/,
    ],
    [
      "a PING flood",
      repeat(10_000, () => frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])),
      /HTTP\/2 ENHANCE_YOUR_CALM: .*flood/,
    ],
    ["a SETTINGS flood", repeat(10_000, () => frame(4, 0, 0)), /HTTP\/2 ENHANCE_YOUR_CALM: .*flood/],
    [
      "an empty DATA flood",
      Buffer.concat([frame(1, 4, 1, GET), repeat(10_000, () => frame(0, 0, 1))]),
      /HTTP\/2 ENHANCE_YOUR_CALM: .*flood/,
    ],
    ["a section that is no HPACK", frame(1, 5, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), /HTTP\/2 COMPRESSION_ERROR/],
    [
      "a frame longer than allowed",
      frame(
        0,
        0,
        1,
        Array.from({ length: 20_000 }, () => 0),
      ),
      /HTTP\/2 FRAME_SIZE_ERROR/,
    ],
  ];
  for (const [what, bytes, line] of attacks)
    void test(`${what} costs it its connection, with a line in the log; others are served`, async () => {
      const attacker = await RawClient.open(server.port);
      await attacker.send(START);
      void attacker.send(bytes).catch(() => undefined);
      await server.waitForLine(line);
      await attacker.rest();
      attacker.socket.destroy();
      const client = open(server.port);
      assert.equal((await ask(client, "/")).body, "hello");
      client.close();
    });

  void test("a header list bomb, 16 KB that mean 4 MB, is answered with 431", async () => {
    const attacker = await RawClient.open(server.port);
    // A value of 4000 bytes goes into the table, then is meant a thousand times, at one byte each.
    const value = Array.from({ length: 4000 }, () => 0x62);
    const bomb = [...GET, 0x40, 1, 0x61, 0x7f, 0xa1, 0x1e, ...value, ...Array.from({ length: 1000 }, () => 0xbe)];
    await attacker.send(Buffer.concat([START, frame(1, 5, 1, bomb)]));
    await attacker.match(/431 Request Header Fields Too Large/);
    attacker.socket.destroy();
  });
});

void test("bodies that nobody reads are taken as far as their streams' windows go and half a MiB, and others are served", async () => {
  const gates = new Gates();
  const windows = ["--http2-max-concurrent-streams", "50", "--http2-initial-window-size", "100000"];
  const server = await startMaitred(
    ["--chdir", testApps, "-b", "127.0.0.1:0", "-w", "1", ...windows, "asgi_app:application"],
    { env: gates.env },
  );
  const socket = connectPlain(server.port, "127.0.0.1");
  const client = connect(`http://127.0.0.1:${server.port}`, { createConnection: () => socket });
  client.on("error", () => undefined);
  for (let count = 0; count < 50; count++) {
    const stream = client.request({ ":path": "/hold?name=late", ":method": "POST" });
    stream.on("error", () => undefined).end(Buffer.alloc(1_000_000));
  }
  // The client sends until no window is open: what the app has not taken is in its worker, in the front, and within the window.
  const most = 50 * (524_288 + 100_000 + 5000);
  for (let sent = -1; sent !== socket.bytesWritten || sent < 50 * 100_000;) {
    sent = socket.bytesWritten;
    const other = open(server.port);
    for (let i = 0; i < 20; i++) assert.equal((await ask(other, "/")).body, "hello");
    other.close();
  }
  assert.ok(socket.bytesWritten < most, `${socket.bytesWritten} bytes were taken`);
  client.destroy();
  gates.open("late");
  assert.equal((await server.stop()).code, 0);
});

void test("a stop answers what is at work, says GOAWAY, and ends", async () => {
  const gates = new Gates();
  const server = await startMaitred(["--chdir", testApps, "-b", "127.0.0.1:0", "-w", "1", "asgi_app:application"], {
    env: gates.env,
  });
  const client = open(server.port);
  const held = ask(client, "/hold?name=stop");
  await server.waitForLine(/holding stop/);
  const goaway = once(client, "goaway") as Promise<[number]>;
  const stopped = server.stop();
  assert.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR);
  gates.open("stop");
  assert.match((await held).body, /^held stop/);
  assert.equal((await stopped).code, 0);
});

void test("a stop takes the rest of a body that is under way, and answers it", async () => {
  const server = await startMaitred(["--chdir", testApps, "-b", "127.0.0.1:0", "-w", "1", "wsgi_app:application"]);
  const client = open(server.port);
  const upload = client.request({ ":path": "/length", ":method": "POST" });
  upload.write("begun ");
  // The server has it when what was asked after it is answered.
  assert.equal((await ask(client, "/")).body, "hello");
  const farewells: number[][] = [];
  client.on("goaway", (code: number, last: number) => farewells.push([code, last]));
  const stopped = server.stop();
  await once(client, "goaway");
  let text = "";
  upload.on("data", (data: Buffer) => (text += data.toString()));
  upload.end("and ended");
  await once(upload, "close");
  assert.equal(text, "15");
  assert.equal((await stopped).code, 0);
  // RFC 9113 section 6.8: first that no more are wanted, then which was the last.
  assert.deepEqual(farewells, [
    [constants.NGHTTP2_NO_ERROR, 0x7fff_ffff],
    [constants.NGHTTP2_NO_ERROR, 3],
  ]);
});

void test("over TLS HTTP/2 comes by ALPN, HTTP/1.1 where the client does not offer it, and both say HSTS", async () => {
  const folder = temporaryFolder();
  await run(`${repository}/bin/maitred`, ["cert", "--self-signed", "--out", folder]);
  const files = ["--certfile", join(folder, "cert.pem"), "--keyfile", join(folder, "key.pem"), "--hsts", "60"];
  const server = await startMaitred(["--chdir", testApps, "-b", "127.0.0.1:0", ...files, "asgi_app:application"]);
  const port = Number(/:(\d+)$/.exec(server.addresses[0] ?? "")?.[1]);
  const client = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const stream = client.request({ ":path": "/protocol" });
  const [fields] = (await once(stream, "response")) as [Record<string, string>];
  const [data] = (await once(stream, "data")) as [Buffer];
  assert.equal(client.alpnProtocol, "h2");
  assert.equal(data.toString(), "https 2");
  assert.equal(fields["strict-transport-security"], "max-age=60");
  client.close();
  const socket = connectSecure({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.write("GET /protocol HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const piece of socket) answer += String(piece);
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /Strict-Transport-Security: max-age=60\r\n[^]*https 1\.1$/);
  assert.equal((await server.stop()).code, 0);
});

void test("--no-http2 leaves the preface to HTTP/1.1, which does not speak it", async () => {
  const server = await startMaitred(["--chdir", testApps, "-b", "127.0.0.1:0", "--no-http2", "wsgi_app:application"]);
  const answer = await exchangeRaw(server.port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 505/);
  await server.stop();
});
