/** Folders whose files are served without the app: over real sockets, from a real disk, to clients that mean well and to others. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { brotliCompressSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";

import { type Maitred, startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient, type RawResponse } from "../support/raw-client.ts";

const base = mkdtempSync(join(tmpdir(), "maitred-static-"));
const root = join(base, "files");
const AN_HOUR_AGO = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000);
/** 3 MB: never in memory. */
const large = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 7919) >> 5));

/** A file that has not changed for an hour. */
function put(path: string, content: string | Buffer, when: Date = AN_HOUR_AGO): string {
  const whole = join(root, path);
  mkdirSync(join(whole, ".."), { recursive: true });
  writeFileSync(whole, content);
  utimesSync(whole, when, when);
  return whole;
}

let server: Maitred;

async function ask(target: string, head = "", method = "GET"): Promise<RawResponse & { text: string }> {
  const client = await RawClient.open(server.port);
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${head}Connection: close\r\n\r\n`);
  const response = await client.response(method === "HEAD");
  assert.equal(await client.rest(), "", "nothing behind the response");
  client.leave();
  return { ...response, text: response.body.toString("utf8") };
}

before(async () => {
  put("one.txt", "one\n");
  put("large.bin", large);
  put("empty.css", "");
  put("pages/index.html", "<p>pages");
  put("bare/only.txt", "only");
  put("app.5f2d3c4b5a69.css", "body{}");
  put("assets/index-DiwrgTda.js", "1");
  put("caf\u00e9 one.txt", "coffee");
  put(".env", "SECRET=1");
  put(".git/config", "secret");
  put(".well-known/security.txt", "Contact: mailto:a@example.com");
  put("style.css", "a{color:red}".repeat(50));
  put("style.css.gz", gzipSync("a{color:red}".repeat(50)));
  put("style.css.br", brotliCompressSync("a{color:red}".repeat(50)));
  put("style.css.zst", zstdCompressSync("a{color:red}".repeat(50)));
  put("old.css", "new content, long enough to be compressed ".repeat(9));
  put("old.css.gz", gzipSync("old content"), new Date(AN_HOUR_AGO.getTime() - 600_000));
  put("spa/index.html", "<p>app");
  put("spa/main.js", "main");
  put("listed/a <b>&.txt", "x");
  put("listed/sub/x", "x");
  put("listed/.hidden", "x");
  put("shop/x.txt", "shop");
  put("../secret", "secret");
  symlinkSync("../secret", join(root, "leak"));
  symlinkSync("one.txt", join(root, "inside"));
  symlinkSync("..", join(root, "up"));
  symlinkSync("loop", join(root, "loop"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  writeFileSync(
    join(base, "maitred.toml"),
    `app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
workers = 1
http2-cleartext = "prior-knowledge"
[[route]]
path = "/static"
static = "${root}"
[[route]]
path = "/spa"
static = { root = "${root}/spa", fallback = "index.html", max-age = "1h" }
[[route]]
path = "/mixed"
static = { root = "${root}", otherwise = "main", max-age = false, types = { ".TXT" = "text/x-note" } }
[[route]]
path = "/listed"
static = { root = "${root}/listed", listing = true }
[[route]]
path = "/all"
static = { root = "${root}", dotfiles = true, outside-links = true, precompressed = false, index = [], immutable = true }
[[route]]
path = "/one.txt$"
static = "${root}"
[[route]]
path = "/licence"
static = "${root}/one.txt"
[[site]]
hosts = ["shop.example"]
[[site.route]]
path = "/"
static = "${root}/shop"
`,
  );
  server = await startMaitred(["-c", join(base, "maitred.toml")]);
});
after(() => rmSync(base, { recursive: true }));

suite("a file", () => {
  test("comes with all that describes it, whether from memory or from the disk", async () => {
    for (let round = 0; round < 2; round++) {
      for (const [path, size, type] of [
        ["one.txt", 4, "text/plain; charset=utf-8"],
        ["large.bin", large.length, "application/octet-stream"],
        ["empty.css", 0, "text/css; charset=utf-8"],
      ] as const) {
        const { status, headers, body } = await ask(`/static/${path}`);
        assert.equal(status, 200);
        assert.equal(headers["content-type"], type);
        assert.equal(headers["content-length"], String(size));
        assert.equal(headers["last-modified"], AN_HOUR_AGO.toUTCString());
        assert.match(headers["etag"] ?? "", /^"[\w-]+"$/);
        assert.equal(headers["accept-ranges"], "bytes");
        assert.equal(headers["cache-control"], "max-age=60");
        assert.equal(headers["x-content-type-options"], "nosniff");
        assert.equal(body.length, size);
        if (path === "large.bin") assert.ok(body.equals(large));
        const head = await ask(`/static/${path}`, "", "HEAD");
        assert.deepEqual([head.status, head.headers["content-length"]], [200, String(size)]);
        assert.equal(head.headers["etag"], headers["etag"]);
      }
    }
  });

  test("has one name: other spellings in escapes are the same file, with the same validator", async () => {
    const { headers } = await ask("/static/one.txt");
    for (const path of ["/static/%6fne.txt", "/%73tatic/one.txt", "/static/inside"]) {
      const response = await ask(path);
      assert.deepEqual(
        [response.status, response.text, response.headers["etag"]],
        [200, "one\n", headers["etag"]],
        path,
      );
    }
    assert.equal((await ask("/static/caf%C3%A9%20one.txt")).text, "coffee");
  });

  test("can be all there is behind a path, or be looked up by its whole path", async () => {
    assert.equal((await ask("/licence")).text, "one\n");
    assert.equal((await ask("/licence/anything")).text, "one\n");
    assert.equal((await ask("/one.txt")).text, "one\n");
  });

  test("whose name changes with its content may be kept for ever, and a page is asked for each time", async () => {
    const kept = async (path: string): Promise<string | undefined> => (await ask(path)).headers["cache-control"];
    assert.equal(await kept("/static/app.5f2d3c4b5a69.css"), "max-age=31536000, immutable");
    assert.equal(await kept("/static/assets/index-DiwrgTda.js"), "max-age=60", "not known to be a bundler's folder");
    assert.equal(await kept("/static/pages/"), "no-cache");
    assert.equal(await kept("/spa/main.js"), "max-age=3600");
    assert.equal(await kept("/mixed/one.txt"), undefined);
    assert.equal(await kept("/all/one.txt"), "max-age=31536000, immutable");
  });

  test("has the type that the configuration gives it, and a path of a site of its own", async () => {
    assert.equal((await ask("/mixed/one.txt")).headers["content-type"], "text/x-note; charset=utf-8");
    const client = await RawClient.open(server.port);
    await client.send(
      "GET /x.txt HTTP/1.1\r\nHost: shop.example\r\n\r\nGET /one.txt HTTP/1.1\r\nHost: shop.example\r\n\r\n",
    );
    assert.equal((await client.response()).body.toString(), "shop");
    assert.equal((await client.response()).status, 404);
    client.leave();
  });

  test("is there for many at once, over HTTP/1.1 and HTTP/2", async () => {
    const session = connect(server.base);
    const streams = Array.from({ length: 8 }, async (_, at) => {
      const request = session.request({ ":path": at % 2 === 0 ? "/static/large.bin" : "/static/one.txt" });
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    });
    const plain = await Promise.all(Array.from({ length: 8 }, async () => (await ask("/static/large.bin")).body));
    for (const body of plain) assert.ok(body.equals(large));
    for (const [at, body] of (await Promise.all(streams)).entries())
      assert.ok(body.equals(at % 2 === 0 ? large : Buffer.from("one\n")));
    session.close();
  });

  test("goes to a client that sends its FIN behind the request", async () => {
    for (const [path, size] of [
      ["large.bin", large.length],
      ["one.txt", 4],
    ] as const) {
      const client = await RawClient.open(server.port);
      await client.send(`GET /static/${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      client.socket.end();
      assert.equal((await client.response()).body.length, size);
      client.leave();
    }
  });
});

suite("conditions", () => {
  test("are judged in the order of RFC 9110 section 13.2.2", async () => {
    for (const path of ["/static/one.txt", "/static/large.bin"]) {
      const { headers } = await ask(path);
      const etag = headers["etag"]!;
      const date = AN_HOUR_AGO.toUTCString();
      const before = new Date(AN_HOUR_AGO.getTime() - 1000).toUTCString();
      const cases: readonly (readonly [string, number])[] = [
        [`If-None-Match: ${etag}`, 304],
        [`If-None-Match: W/${etag}`, 304],
        [`If-None-Match: "x", ${etag}`, 304],
        [`If-None-Match: "x"\r\nIf-None-Match: ${etag}`, 304],
        ["If-None-Match: *", 304],
        ['If-None-Match: "x"', 200],
        [`If-None-Match: "x"\r\nIf-Modified-Since: ${date}`, 200],
        [`If-Modified-Since: ${date}`, 304],
        [`If-Modified-Since: ${new Date().toUTCString()}`, 304],
        [`If-Modified-Since: ${before}`, 200],
        ["If-Modified-Since: yesterday", 200],
        [`If-Match: ${etag}`, 200],
        [`If-Match: W/${etag}`, 412],
        ['If-Match: "x"', 412],
        ["If-Match: *", 200],
        [`If-Match: "x"\r\nIf-None-Match: ${etag}`, 412],
        [`If-Match: ${etag}\r\nIf-None-Match: ${etag}`, 304],
        [`If-Unmodified-Since: ${before}`, 412],
        [`If-Unmodified-Since: ${date}`, 200],
        [`If-Match: ${etag}\r\nIf-Unmodified-Since: ${before}`, 200],
        [`If-None-Match: ${etag}\r\nRange: bytes=0-1`, 304],
      ];
      for (const [head, expected] of cases) {
        const response = await ask(path, `${head}\r\n`);
        assert.equal(response.status, expected, `${path} ${head}`);
        if (expected !== 304) continue;
        assert.equal(response.headers["etag"], etag);
        assert.equal(response.headers["cache-control"], "max-age=60");
        assert.equal(response.headers["content-type"], undefined);
        assert.equal(response.headers["content-length"], undefined);
      }
      assert.equal((await ask(path, `If-None-Match: ${etag}\r\n`, "HEAD")).status, 304);
    }
  });

  test("mean nothing for what is not there", async () => {
    assert.equal((await ask("/static/nothing", "If-Match: *\r\n")).status, 404);
    assert.equal((await ask("/static/nothing", "If-None-Match: *\r\nRange: bytes=0-1\r\n")).status, 404);
  });
});

suite("ranges", () => {
  const part = async (path: string, range: string, more = ""): Promise<RawResponse & { text: string }> =>
    await ask(path, `Range: ${range}\r\n${more}`);

  test("one range is a 206 of exactly its bytes", async () => {
    for (const [range, from, to] of [
      ["bytes=0-0", 0, 1],
      ["bytes=2-", 2, 4],
      ["bytes=-1", 3, 4],
      ["bytes=-99", 0, 4],
      ["bytes=1-99", 1, 4],
      ["BYTES=1-2", 1, 3],
    ] as const) {
      const response = await part("/static/one.txt", range);
      assert.equal(response.status, 206, range);
      assert.equal(response.headers["content-range"], `bytes ${from}-${to - 1}/4`);
      assert.equal(response.text, "one\n".slice(from, to));
    }
    const middle = await part("/static/large.bin", "bytes=1000000-2500000");
    assert.ok(middle.body.equals(large.subarray(1_000_000, 2_500_001)));
    assert.equal((await ask("/static/large.bin", "Range: bytes=0-1\r\n", "HEAD")).status, 200);
  });

  test("several are parts of a multipart/byteranges", async () => {
    for (const [path, whole] of [
      ["/static/style.css", Buffer.from("a{color:red}".repeat(50))],
      ["/static/large.bin", large],
    ] as const) {
      const response = await part(path, "bytes=400-409, 0-4, -3");
      assert.equal(response.status, 206);
      const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(response.headers["content-type"]!)![1]!;
      const text = response.body.toString("latin1");
      const parts = text.split(`--${boundary}`);
      assert.deepEqual([parts.length, parts[0], parts[4]], [5, "", "--\r\n"]);
      for (const [at, from, to] of [
        [1, 400, 410],
        [2, 0, 5],
        [3, whole.length - 3, whole.length],
      ] as const) {
        const [head, body] = parts[at]!.split("\r\n\r\n");
        assert.match(head!, new RegExp(`\r\nContent-Range: bytes ${from}-${to - 1}/${whole.length}$`));
        assert.match(head!, /Content-Type: /);
        assert.equal(body, `${whole.subarray(from, to).toString("latin1")}\r\n`);
      }
    }
  });

  test("that overlap become one, and too many are not obeyed: nobody gets a file twice", async () => {
    const joined = await part("/static/large.bin", "bytes=0-999999,500000-1500000,1500010-1600000");
    assert.equal(joined.headers["content-range"], `bytes 0-1600000/${large.length}`);
    const attack = Array.from({ length: 300 }, (_, at) => `${at}-`).join(",");
    const response = await part("/static/large.bin", `bytes=${attack}`);
    assert.deepEqual([response.status, response.body.length], [200, large.length]);
    const few = Array.from({ length: 30 }, (_, at) => `${at}-`).join(",");
    assert.equal((await part("/static/large.bin", `bytes=${few}`)).body.length, large.length);
  });

  test("that are not there are a 416, and what is no range is ignored", async () => {
    const none = await part("/static/one.txt", "bytes=4-");
    assert.deepEqual([none.status, none.headers["content-range"]], [416, "bytes */4"]);
    assert.equal((await part("/static/empty.css", "bytes=0-")).status, 416);
    assert.equal((await part("/static/one.txt", "bytes=-0")).status, 416);
    for (const range of ["lines=0-1", "bytes=3-1", "bytes=a-b", "bytes=", "bytes=0-1;", "bytes=0-1\r\nRange: x"])
      assert.equal((await part("/static/one.txt", range)).status, 200, range);
  });

  test("with If-Range only for the version that it names", async () => {
    for (const path of ["/static/one.txt", "/static/large.bin"]) {
      const { headers } = await ask(path);
      const status = async (field: string): Promise<number> =>
        (await part(path, "bytes=0-1", `If-Range: ${field}\r\n`)).status;
      assert.equal(await status(headers["etag"]!), 206);
      assert.equal(await status(`W/${headers["etag"]}`), 200);
      assert.equal(await status('"x"'), 200);
      assert.equal(await status(AN_HOUR_AGO.toUTCString()), 206);
      assert.equal(await status(new Date(AN_HOUR_AGO.getTime() + 1000).toUTCString()), 200);
    }
  });
});

suite("compressed files beside a file", () => {
  const coding = async (accept: string, path = "/static/style.css"): Promise<string | undefined> =>
    (await ask(path, accept === "" ? "" : `Accept-Encoding: ${accept}\r\n`)).headers["content-encoding"];

  test("are sent to those who take them, with validators of their own", async () => {
    for (let round = 0; round < 2; round++) {
      assert.equal(await coding(""), undefined);
      assert.equal(await coding("gzip"), "gzip");
      assert.equal(await coding("gzip, deflate, br;q=0.5, zstd;q=0.5"), "gzip");
      assert.equal(await coding("gzip;q=0.1, br"), "br");
      assert.equal(await coding("zstd"), "zstd");
      assert.equal(await coding("br;q=0, *;q=0.5, zstd;q=0"), "gzip");
      assert.equal(await coding("identity"), undefined);
      assert.equal(await coding("gzip;q=0"), undefined);
    }
    const plain = await ask("/static/style.css");
    const packed = await ask("/static/style.css", "Accept-Encoding: gzip\r\n");
    assert.equal(gunzipSync(packed.body).toString(), plain.text);
    assert.equal(packed.headers["content-type"], plain.headers["content-type"]);
    assert.notEqual(packed.headers["etag"], plain.headers["etag"]);
    for (const { headers } of [plain, packed]) assert.equal(headers["vary"], "Accept-Encoding");
    assert.equal((await ask("/static/one.txt")).headers["vary"], undefined);
    assert.equal(await coding("gzip", "/all/style.css"), undefined, "precompressed = false");
    const range = await ask("/static/style.css", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n");
    assert.deepEqual([...range.body], [0x1f, 0x8b]);
  });

  test("are passed over where they are older than the file", async () => {
    assert.equal(await coding("gzip", "/static/old.css"), undefined);
  });
});

suite("folders", () => {
  test("are their index, behind a slash", async () => {
    const there = await ask("/static/pages?a=1");
    assert.deepEqual([there.status, there.headers["location"]], [301, "/static/pages/?a=1"]);
    assert.equal((await ask("/static/pages/")).text, "<p>pages");
    assert.equal((await ask("/static/bare/")).status, 404);
    assert.equal((await ask("/static/bare")).status, 404);
    assert.equal((await ask("/static")).status, 404);
    assert.equal((await ask("/all/pages/")).status, 404, "index = []");
    assert.equal((await ask("/static/one.txt/")).status, 404);
  });

  test("are listed where that was asked for, with every name harmless, as a page or as JSON", async () => {
    const page = await ask("/listed/");
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.match(page.text, /<a href="\.\/a%20%3Cb%3E%26\.txt">a &#60;b&#62;&#38;\.txt<\/a>/);
    assert.match(page.text, /<a href="\.\/sub\/">sub\/<\/a>/);
    assert.doesNotMatch(page.text, /hidden/);
    assert.match(page.headers["content-security-policy"]!, /^default-src 'none'/);
    const json = await ask("/listed/", "Accept: application/json\r\n");
    assert.deepEqual(
      (JSON.parse(json.text) as { name: string; type: string }[]).map(({ name, type }) => [name, type]),
      [
        ["sub", "directory"],
        ["a <b>&.txt", "file"],
      ],
    );
    assert.equal((await ask("/listed/sub")).headers["location"], "/listed/sub/");
    assert.equal((await ask("/static/listed/")).status, 404);
  });

  test("a single-page app answers pages that are not there, not scripts", async () => {
    for (const [path, head, status] of [
      ["/spa/", "", 200],
      ["/spa/users/5", "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n", 200],
      ["/spa/users/5", "", 200],
      ["/spa/users/5.html", "Accept: text/html\r\n", 200],
      ["/spa/old-chunk.js", "Accept: */*\r\n", 404],
      ["/spa/users/5", "Accept: application/json\r\n", 404],
      ["/spa/%2e%2e/secret", "Accept: text/html\r\n", 400],
    ] as const) {
      for (let round = 0; round < 2; round++) {
        const response = await ask(path, head);
        assert.equal(response.status, status, path);
        if (status === 200)
          assert.deepEqual([response.text, response.headers["cache-control"]], ["<p>app", "no-cache"]);
      }
    }
    assert.equal((await ask("/spa/x")).headers["vary"], "Accept");
  });

  test("leave what they do not have, and other methods, to the app where it is so configured", async () => {
    assert.equal((await ask("/mixed/one.txt")).text, "one\n");
    assert.match((await ask("/mixed/nothing")).headers["content-type"] ?? "", /text\/plain/);
    assert.notEqual((await ask("/mixed/one.txt", "Content-Length: 0\r\n", "POST")).status, 405);
  });
});

suite("what is not served", () => {
  test("other methods get 405, and are told which there are", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const { status, headers } = await ask("/static/one.txt", "Content-Length: 0\r\n", method);
      assert.deepEqual([status, headers["allow"]], [405, "GET, HEAD"], method);
    }
  });

  for (const [path, status] of [
    ["/static/../secret", 400],
    ["/static/pages/../../secret", 400],
    ["/static/%2e%2e/secret", 400],
    ["/static/%2E%2E%2Fsecret", 400],
    ["/static/..%2fsecret", 400],
    ["/static/..%5csecret", 400],
    ["/static/..\\secret", 400],
    ["/static/.%2e/secret", 400],
    ["/static/%252e%252e/secret", 404],
    ["/static/%c0%ae%c0%ae/secret", 400],
    ["/static/%e0%80%ae%e0%80%ae/secret", 400],
    ["/static/%c0%af..%c0%afsecret", 400],
    ["/static/%u002e%u002e/secret", 400],
    ["/static/one.txt%00", 400],
    ["/static/%00/one.txt", 400],
    ["/static/one.txt%0a", 400],
    ["/static/one.txt%", 400],
    ["/static//one.txt", 400],
    ["/static/./one.txt", 400],
    ["/static/pages//", 400],
    ["/static//etc/passwd", 400],
    ["/static/;/one.txt", 404],
    ["/static/.env", 404],
    ["/static/%2eenv", 404],
    ["/static/.git/config", 404],
    ["/static/pages/.well-known/x", 404],
    ["/static/leak", 403],
    ["/static/up/secret", 403],
    ["/static/up/files/one.txt", 200],
    ["/static/loop", 404],
    ["/static/pipe", 403],
    ["/static/one.txt/x", 404],
    [`/static/${"a".repeat(300)}`, 404],
    [`/static/${"a/".repeat(1900)}x`, 404],
    ["/static/nothing", 404],
    ["/static/.well-known/security.txt", 200],
    ["/all/.env", 200],
    ["/all/leak", 200],
  ] as const)
    test(`${path.length > 60 ? `${path.slice(0, 60)}...` : path}: ${status}`, async () => {
      const { status: answered, text } = await ask(path);
      assert.equal(answered, status);
      if (!path.startsWith("/all")) assert.doesNotMatch(text, /secret/i);
    });

  test("no path leads to another host", async () => {
    const client = await RawClient.open(server.port);
    mkdirSync(join(root, "shop/evil.example"), { recursive: true });
    put("shop/evil.example/index.html", "x");
    for (const path of [
      "//evil.example",
      "///evil.example",
      "/%2fevil.example",
      "/\\evil.example",
      "/%5cevil.example",
    ]) {
      await client.send(`GET ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
      const { status, headers } = await client.response();
      assert.deepEqual([status, headers["location"]], [400, undefined], path);
    }
    await client.send("GET /evil.example HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    assert.equal((await client.response()).headers["location"], "/evil.example/");
    client.leave();
  });

  test("what may not be read is 403, and the log says why", { skip: process.getuid?.() === 0 }, async () => {
    chmodSync(put("closed.txt", "x"), 0o000);
    assert.equal((await ask("/static/closed.txt")).status, 403);
  });

  test("a link out of the folder is named in the log", async () => {
    await ask("/static/leak");
    await server.waitForLine(/GET \/static\/\S+: cannot send ".*": .* \(answered 403/);
  });
});

suite("files that change", () => {
  /** Asks until the answer is another one. */
  async function until(
    path: string,
    satisfied: (response: RawResponse & { text: string }) => boolean,
  ): Promise<RawResponse> {
    for (;;) {
      const response = await ask(path);
      if (satisfied(response)) return response;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test("are noticed within about a second, with the same size and time too", async () => {
    put("changing.txt", "first");
    const first = await ask("/static/changing.txt");
    assert.equal(first.text, "first");
    put("changing.txt.new", "other");
    renameSync(join(root, "changing.txt.new"), join(root, "changing.txt"));
    const other = await until("/static/changing.txt", ({ text }) => text === "other");
    assert.notEqual(other.headers["etag"], first.headers["etag"]);
    assert.equal(other.headers["last-modified"], first.headers["last-modified"]);
    rmSync(join(root, "changing.txt"));
    await until("/static/changing.txt", ({ status }) => status === 404);
    put("changing.txt", large);
    await until("/static/changing.txt", ({ body }) => body.equals(large));
    put("changing.txt", "small");
    await until("/static/changing.txt", ({ text }) => text === "small");
    rmSync(join(root, "changing.txt"));
    mkdirSync(join(root, "changing.txt"));
    put("changing.txt/index.html", "x");
    await until("/static/changing.txt", ({ status }) => status === 301);
    rmSync(join(root, "changing.txt"), { recursive: true });
    symlinkSync("../secret", join(root, "changing.txt"));
    await until("/static/changing.txt", ({ status }) => status === 403);
  });

  test("a large one that is new has a weak validator", async () => {
    put("fresh.bin", large, new Date());
    assert.match((await ask("/static/fresh.bin")).headers["etag"]!, /^W\//);
  });

  test("one that shrinks while it is sent is cut, never taken for whole; one that grows keeps its length", async () => {
    const huge = Buffer.alloc(12_000_000, "x");
    for (const outcome of ["shrinks", "grows"] as const) {
      const path = put(`${outcome}.bin`, huge);
      const client = await RawClient.open(server.port);
      client.socket.pause();
      await client.send(`GET /static/${outcome}.bin HTTP/1.1\r\nHost: a\r\n\r\n`);
      client.socket.resume();
      await client.match(/x/);
      client.socket.pause();
      if (outcome === "shrinks") truncateSync(path, 1000);
      else writeFileSync(path, Buffer.alloc(1_000_000, "y"), { flag: "a" });
      client.socket.resume();
      if (outcome === "grows") assert.equal((await client.response()).body.length, huge.length);
      else {
        const received = await client.rest();
        assert.ok(received.length < huge.length, String(received.length));
        await server.waitForLine(/shrinks\.bin": the file ended \d+ bytes early \(the response was cut\)/);
      }
      client.leave();
    }
  });

  test("a client that leaves in the midst of a file costs nobody anything", async () => {
    put("left.bin", Buffer.alloc(12_000_000, "x"));
    for (let count = 0; count < 20; count++) {
      const client = await RawClient.open(server.port);
      await client.send("GET /static/left.bin HTTP/1.1\r\nHost: a\r\n\r\n");
      if (count % 2 === 0) await client.match(/x/);
      client.vanish();
    }
    assert.equal((await ask("/static/one.txt")).text, "one\n");
    const open = (): string => execFileSync("ls", ["-l", `/proc/${server.pid}/fd`], { encoding: "utf8" });
    while (open().includes("left.bin")) await new Promise((resolve) => setTimeout(resolve, 50));
  });
});
