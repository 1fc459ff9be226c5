/** Folders whose files are served without the app: which file a path means, what no path may reach, and files that change meanwhile. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { RawClient, type RawResponse } from "../support/raw-client.ts";
import { ask, large, put, root, serveStaticSite, server } from "../support/static-site.ts";

serveStaticSite();

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
