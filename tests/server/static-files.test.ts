/** Files that are served without the app: fields, conditions, ranges; over real sockets, from a real disk. */
import assert from "node:assert/strict";
import { connect } from "node:http2";
import { suite, test } from "node:test";

import { partsOf } from "../support/multipart.ts";
import { RawClient, type RawResponse } from "../support/raw-client.ts";
import { AN_HOUR_AGO, ask, large, serveStaticSite, server } from "../support/static-site.ts";

serveStaticSite();

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
      const parts = partsOf(response.headers["content-type"], response.body);
      assert.equal(parts.length, 3);
      for (const [at, from, to] of [
        [0, 400, 410],
        [1, 0, 5],
        [2, whole.length - 3, whole.length],
      ] as const) {
        const { head, body } = parts[at]!;
        assert.match(head, new RegExp(`\r\nContent-Range: bytes ${from}-${to - 1}/${whole.length}$`));
        assert.match(head, /Content-Type: /);
        assert.equal(body, whole.subarray(from, to).toString("latin1"));
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
