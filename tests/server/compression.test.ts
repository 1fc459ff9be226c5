/** --compress with real clients: what they decode is what the app wrote, in time, however the client or the app behave. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect } from "node:http2";
import type { IncomingMessage } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  gzipSync,
  zstdDecompressSync,
} from "node:zlib";

import { Browser } from "../support/browser.ts";
import { newPage, withoutChromium } from "../support/chromium.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { examplesPython, temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const run = promisify(execFile);
const CODINGS = ["gzip", "br", "zstd"] as const;
const curl = await run("curl", ["--version"]).then(
  ({ stdout }) => stdout,
  () => "",
);

function decode(body: Buffer, coding: unknown): Buffer {
  if (coding === "gzip") return gunzipSync(body);
  if (coding === "br") return brotliDecompressSync(body);
  return coding === "zstd" ? zstdDecompressSync(body) : body;
}

suite("--compress", () => {
  const gates = new Gates();
  let server: Maitred;
  let browser: Browser;

  before(async () => {
    const args = ["-b", "127.0.0.1:0", "-w", "1", "--compress", "--chdir", testApps, "compressed_asgi:application"];
    server = await startMaitred(args, { env: gates.env });
    browser = new Browser(server.port);
  });
  after(async () => {
    browser.close();
    await server.stop();
  });

  test("gives each client what it decodes best", async () => {
    const plain = await browser.get("/page");
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.equal(plain.headers["vary"], "Accept-Encoding");
    for (const [accepted, coding] of [
      ["gzip, deflate, br, zstd", "zstd"],
      ["gzip, deflate, br", "br"],
      ["gzip, deflate", "gzip"],
      ["br;q=0.1, gzip;q=0.2", "gzip"],
      ["*;q=0", undefined],
      [`${"gzip;q=1.5,".repeat(300)} deflate`, undefined],
    ] as const) {
      const page = await browser.get("/page", { "accept-encoding": accepted });
      assert.equal(page.headers["content-encoding"], coding);
      assert.equal(decode(page.body, coding).toString(), plain.text);
      const length = page.headers["content-length"];
      assert.equal(length, String(page.body.length));
      if (coding !== undefined) assert.ok(page.body.length < plain.body.length / 3);
    }
  });

  test("leaves alone what is encoded, an image, and bodies of requests", async () => {
    const accept = { "accept-encoding": "gzip, br, zstd" };
    assert.equal((await browser.get("/encoded", accept)).headers["content-encoding"], "x-own");
    assert.equal((await browser.get("/image", accept)).headers["content-encoding"], undefined);
    const body = gzipSync("what the client has compressed itself ".repeat(100));
    const echoed = await browser.ask("/echo", {
      method: "POST",
      body,
      headers: { ...accept, "content-encoding": "gzip" },
    });
    assert.ok(echoed.body.equals(body));
    assert.equal(echoed.headers["x-request-encoding"], "gzip");
  });

  test("answers HEAD with the fields of GET", async () => {
    const headers = { "accept-encoding": "br" };
    const get = await browser.get("/page", headers);
    const head = await browser.ask("/page", { method: "HEAD", headers });
    for (const name of ["content-encoding", "vary", "content-type", "etag"])
      assert.equal(head.headers[name], get.headers[name], name);
    assert.equal(head.headers["content-length"], undefined);
  });

  test("keeps conditions working for an app that compares texts", async () => {
    const headers = { "accept-encoding": "gzip" };
    const page = await browser.get("/validated", headers);
    assert.equal(page.headers["etag"], 'W/"v1"');
    const again = await browser.get("/validated", { ...headers, "if-none-match": 'W/"v1"' });
    assert.deepEqual([again.status, again.headers["etag"], again.headers["vary"]], [304, 'W/"v1"', "Accept-Encoding"]);
    const put = (tag: string): Promise<{ status: number }> =>
      browser.ask("/validated", { method: "PUT", headers: { ...headers, "if-match": tag }, body: "x" });
    assert.equal((await put('W/"v1"')).status, 204);
    assert.equal((await put('W/"v0"')).status, 412);
  });

  test("gives back whole and streamed bodies of all sizes", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const coding = CODINGS[seed % 3]!;
      const count = [100, 1000, 10_000, 60_000][seed % 4]!;
      const cookie = seed % 2 === 0 ? { cookie: "session=1" } : {};
      const words = (path: string, accepted: string): Promise<{ headers: Record<string, unknown>; body: Buffer }> =>
        browser.get(`/${path}?seed=${seed}&count=${count}`, { "accept-encoding": accepted, ...cookie });
      const plain = (await words("words", "identity")).body;
      for (const path of ["words", "streamed"]) {
        const { headers, body } = await words(path, coding);
        assert.ok(decode(body, headers["content-encoding"]).equals(plain), `${path} ${seed} ${coding}`);
        assert.equal(headers["content-encoding"], plain.length < 1024 && path === "words" ? undefined : coding);
      }
    }
  });

  for (const coding of CODINGS)
    test(`lets a client read what the app has written so far (${coding})`, async () => {
      const path = `/events?type=text/plain&name=${coding}`;
      const response = await browser.open(path, { headers: { "accept-encoding": coding } });
      assert.equal(response.headers["content-encoding"], coding);
      const decoder = { gzip: createGunzip, br: createBrotliDecompress, zstd: createZstdDecompress }[coding]();
      let text = "";
      for await (const data of response.pipe(decoder)) {
        text += String(data);
        // The app writes the next event only now: had this one been kept back, it would never come.
        const number = text.split("\n\n").length - 2;
        if (text.endsWith("\n\n")) gates.open(`event-${number}-${coding}`);
      }
      assert.equal(text, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    });

  test("leaves event streams as they are unless asked for", async () => {
    const response = await browser.open("/events?name=plain", { headers: { "accept-encoding": "gzip" } });
    assert.equal(response.headers["content-encoding"], undefined);
    response.destroy();
    gates.open("event-0-plain", "event-1-plain", "event-2-plain");
  });

  test("tells the app when a client leaves midway", async () => {
    const leave = async (name: string): Promise<IncomingMessage> => {
      const response = await browser.open(`/endless?name=${name}`, { headers: { "accept-encoding": "gzip" } });
      await new Promise((resolve) => response.once("data", resolve));
      return response.destroy();
    };
    for (const name of ["first", "second", "third"]) {
      await leave(name);
      await server.waitForLine(new RegExp(`the client of ${name} has left`));
    }
  });

  test("holds the app back for a client that does not read", async () => {
    const client = await RawClient.open(server.port);
    client.socket.pause();
    await client.send("GET /streamed?seed=5&count=600000 HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    // Others are served meanwhile, compressed too.
    for (let count = 0; count < 5; count++)
      assert.equal((await browser.get("/page", { "accept-encoding": "br" })).headers["content-encoding"], "br");
    client.socket.resume();
    const { headers, body } = await client.response();
    assert.equal(headers["content-encoding"], "gzip");
    const plain = await browser.get("/words?seed=5&count=600000");
    assert.ok(gunzipSync(body).equals(plain.body));
    client.socket.destroy();
  });

  test("cuts a response that the app does not finish", async () => {
    const client = await RawClient.open(server.port);
    await client.send("GET /breaks HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    const received = await client.rest();
    assert.match(received, /content-encoding: gzip/i);
    assert.doesNotMatch(received, /\r\n0\r\n\r\n$/);
  });

  test("serves HTTP/2 streams side by side", async () => {
    const session = connect(server.base);
    session.on("error", () => undefined);
    const get = (coding: string): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": "/streamed?seed=3&count=20000", "accept-encoding": coding });
        const pieces: Buffer[] = [];
        stream.on("data", (piece: Buffer) => pieces.push(piece));
        stream.once("end", () => resolve(Buffer.concat(pieces)));
        stream.once("error", reject);
      });
    const all = await Promise.all(Array.from({ length: 12 }, (_, at) => get(CODINGS[at % 3]!)));
    session.close();
    const plain = await browser.get("/words?seed=3&count=20000");
    for (const [at, body] of all.entries()) assert.ok(decode(body, CODINGS[at % 3]).equals(plain.body));
  });

  test("works with fetch", async () => {
    const response = await fetch(`${server.base}/words?seed=1&count=20000`);
    const plain = await browser.get("/words?seed=1&count=20000");
    assert.notEqual(response.headers.get("content-encoding"), null);
    assert.equal(await response.text(), plain.text);
  });

  test("works with httpx, with a session cookie", async () => {
    const script = `
import httpx, sys
plain = httpx.get(sys.argv[1], headers={"accept-encoding": "identity"})
for path in ("words", "streamed"):
    coded = httpx.get(sys.argv[1].replace("words", path), cookies={"session": "1"})
    assert coded.headers["content-encoding"] == "gzip", coded.headers
    assert coded.content == plain.content
`;
    await run(examplesPython(), ["-c", script, `${server.base}/words?seed=2&count=20000`]);
  });

  const skip = curl.includes("zstd") && curl.includes("brotli") ? false : "this curl knows not all codings";
  test("works with curl --compressed", { skip }, async () => {
    const plain = (await browser.get("/words?seed=4&count=20000")).text;
    for (const version of ["--http1.0", "--http1.1", "--http2-prior-knowledge"]) {
      for (const coding of CODINGS) {
        for (const path of ["words", "streamed"]) {
          const { stdout } = await run(
            "curl",
            ["-sS", "--compressed", version, "-H", `Accept-Encoding: ${coding}`, "-H", "Cookie: a=b"].concat(
              `${server.base}/${path}?seed=4&count=20000`,
            ),
            { maxBuffer: 10_000_000 },
          );
          assert.equal(stdout, plain, `${version} ${coding} ${path}`);
        }
      }
    }
  });
});

suite("--compress of a WSGI app", () => {
  test("frees the worker while slow clients read, and gives them all", async () => {
    const args = "-b 127.0.0.1:0 -w 1 -k sync --compress gzip wsgi_app:application".split(" ");
    const server = await startMaitred(["--chdir", testApps, ...args]);
    const slow = await Promise.all(Array.from({ length: 3 }, () => RawClient.open(server.port)));
    for (const client of slow) {
      client.socket.pause();
      await client.send("GET /large?bytes=16000000 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip\r\n\r\n");
    }
    const browser = new Browser(server.port);
    assert.equal((await browser.get("/", { "accept-encoding": "gzip" })).text, "hello");
    for (const client of slow) {
      client.socket.resume();
      const { headers, body } = await client.response();
      assert.equal(headers["content-encoding"], "gzip");
      assert.ok(gunzipSync(body).equals(Buffer.alloc(16_000_000, "x")));
      client.socket.destroy();
    }
    browser.close();
    await server.stop();
  });
});

suite("compression in maitred.toml", () => {
  test("is each route's own", async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, "maitred.toml"),
      `
app = "compressed_asgi:application"
compression = ["gzip"]
[[route]]
path = "/image"
compression = { types = ["image/png"], codings = ["br"] }
[[route]]
path = "/words"
compression = false
[[route]]
path = "/long"
respond = { status = 200, body = "${"a line\\n".repeat(500)}" }
`,
    );
    const args = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "--config", join(folder, "maitred.toml")];
    const server = await startMaitred(args, { cwd: folder });
    const browser = new Browser(server.port);
    const coding = async (path: string): Promise<unknown> =>
      (await browser.get(path, { "accept-encoding": "gzip, br, zstd" })).headers["content-encoding"];
    assert.equal(await coding("/page"), "gzip");
    assert.equal(await coding("/image"), "br");
    assert.equal(await coding("/words?seed=1&count=5000"), undefined);
    assert.equal(await coding("/long"), "gzip");
    const long = await browser.get("/long", { "accept-encoding": "gzip" });
    assert.equal(decode(long.body, "gzip").toString(), "a line\n".repeat(500));
    browser.close();
    await server.stop();
  });
});

suite("compression of what the cache has", () => {
  test("gives each client its coding from one stored response", async () => {
    const folder = temporaryFolder();
    const routes = `[[route]]\npath = "/"\ncache = { ttl = "10m", status-header = true }\n`;
    writeFileSync(join(folder, "maitred.toml"), `app = "compressed_asgi:application"\ncompression = true\n${routes}`);
    const args = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "--config", join(folder, "maitred.toml")];
    const server = await startMaitred(args, { cwd: folder });
    const browser = new Browser(server.port);
    const sizes = new Map<string, number>();
    let plain: Buffer | null = null;
    for (const coding of ["identity", ...CODINGS, "identity", ...CODINGS]) {
      const { headers, body } = await browser.get("/words?seed=9&count=30000", { "accept-encoding": coding });
      assert.equal(headers["content-encoding"], coding === "identity" ? undefined : coding);
      if (plain === null) plain = body;
      else assert.match(String(headers["cache-status"]), /hit/);
      assert.ok(decode(body, headers["content-encoding"]).equals(plain), coding);
      assert.equal(body.length, sizes.get(coding) ?? body.length);
      sizes.set(coding, body.length);
    }
    const validated = await browser.get("/validated", { "accept-encoding": "gzip" });
    assert.equal(validated.headers["etag"], 'W/"v1"');
    const again = await browser.get("/validated", { "accept-encoding": "gzip", "if-none-match": 'W/"v1"' });
    assert.deepEqual([again.status, again.headers["etag"]], [304, 'W/"v1"']);
    assert.match(String(again.headers["cache-status"]), /hit/);
    browser.close();
    await server.stop();
  });
});

suite("compression and Chromium", { skip: withoutChromium }, () => {
  test("it decodes every coding with the bytes that hide the length of personal pages", async () => {
    const folder = temporaryFolder();
    const codings = [
      ["/page", "zstd"],
      ["/words", "br"],
      ["/validated", "gzip"],
      ["/streamed", "zstd"],
    ] as const;
    const routes = codings.map(([path, coding]) => `[[route]]\npath = "${path}"\ncompression = ["${coding}"]\n`);
    writeFileSync(join(folder, "maitred.toml"), `app = "compressed_asgi:application"\n${routes.join("")}`);
    const args = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps, "--config", join(folder, "maitred.toml")];
    const server = await startMaitred(args, { cwd: folder });
    const browser = new Browser(server.port);
    const page = await newPage();
    await page.context().addCookies([{ name: "session", value: "1", url: server.base }]);
    for (const [path, coding] of codings) {
      const url = `${path}?seed=7&count=20000`;
      const response = await page.goto(`${server.base}${url}`);
      assert.equal(response?.headers()["content-encoding"], coding);
      const body = await response?.body();
      assert.ok(body?.equals((await browser.get(url)).body), `${path} ${coding}`);
    }
    await page.close();
    browser.close();
    await server.stop();
  });
});
