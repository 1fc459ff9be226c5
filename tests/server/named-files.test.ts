/** Files that the app names in its response and the front sends: X-Accel-Redirect, X-Sendfile. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { type Maitred, startMaitred } from "../support/maitred.ts";
import { testApps } from "../support/places.ts";
import { RawClient, type RawResponse } from "../support/raw-client.ts";

const base = mkdtempSync(join(tmpdir(), "maitred-named-"));
const root = join(base, "files");
const AN_HOUR_AGO = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000);
const large = Buffer.from(Array.from({ length: 1_000_001 }, (_, at) => (at * 7919) >> 5));

function put(path: string, content: string | Buffer): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
  utimesSync(join(root, path), AN_HOUR_AGO, AN_HOUR_AGO);
}

before(() => {
  put("a.txt", "file a");
  put("large.bin", large);
  put("sub/caf\u00e9 1.txt", "coffee");
  put("other/b.txt", "file b");
  put("../secret", "secret");
  symlinkSync("../secret", join(root, "leak"));
});
after(() => rmSync(base, { recursive: true }));

async function asked(
  server: Maitred,
  query: Readonly<Record<string, string>>,
  head = "",
  method = "GET",
): Promise<RawResponse & { text: string }> {
  const client = await RawClient.open(server.port);
  const target = `/any?${new URLSearchParams(query).toString()}`;
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${head}Connection: close\r\n\r\n`);
  const response = await client.response(method === "HEAD");
  assert.equal(await client.rest(), "");
  client.leave();
  return { ...response, text: response.body.toString("utf8") };
}

const options = ["-b", "127.0.0.1:0", "-w", "1", "--chdir", testApps];

suite("files that the app names", () => {
  let server: Maitred;
  before(async () => {
    const folders = [
      "--accel",
      `/protected=${root}`,
      "--accel",
      `/protected/deep=${root}/other`,
      "--sendfile-root",
      root,
    ];
    server = await startMaitred([...options, ...folders, "named_files:application"]);
    // What has only just been written has weak validators.
    while ((await asked(server, { accel: "/protected/large.bin" })).headers["etag"]!.startsWith("W/"))
      await new Promise((resolve) => setTimeout(resolve, 100));
  });

  for (const streamed of [false, true])
    test(`come in place of its body${streamed ? ", which it streams" : ""}, with its fields`, async () => {
      const more = streamed ? { streamed: "1" } : {};
      for (const named of [{ accel: "/protected/a.txt" }, { sendfile: join(root, "a.txt") }]) {
        const { status, headers, text } = await asked(server, { ...named, ...more });
        assert.deepEqual([status, text], [200, "file a"]);
        assert.equal(headers["content-length"], "6");
        assert.equal(headers["content-type"], "text/plain; charset=utf-8");
        assert.equal(headers["content-disposition"], 'attachment; filename="named"');
        assert.equal(headers["set-cookie"], "seen=1");
        assert.equal(headers["last-modified"], AN_HOUR_AGO.toUTCString());
        assert.equal(headers["accept-ranges"], "bytes");
        for (const name of ["x-accel-redirect", "x-accel-buffering", "x-sendfile"])
          assert.equal(headers[name], undefined);
      }
      const whole = await asked(server, { accel: "/protected/large.bin", ...more });
      assert.ok(whole.body.equals(large));
    });

  test("have the type and the entity tag that the app gives them", async () => {
    const typed = await asked(server, { accel: "/protected/a.txt", type: "application/x-own", etag: '"own"' });
    assert.deepEqual([typed.headers["content-type"], typed.headers["etag"]], ["application/x-own", '"own"']);
    const again = await asked(server, { accel: "/protected/a.txt", etag: '"own"' }, 'If-None-Match: "own"\r\n');
    assert.deepEqual([again.status, again.headers["set-cookie"]], [304, "seen=1"]);
  });

  test("answer conditions, ranges and HEAD", async () => {
    const whole = await asked(server, { accel: "/protected/large.bin" });
    const etag = whole.headers["etag"]!;
    const ask = async (head: string): Promise<RawResponse> =>
      await asked(server, { accel: "/protected/large.bin" }, head);
    assert.equal((await ask(`If-None-Match: ${etag}\r\n`)).status, 304);
    const part = await ask(`Range: bytes=1000-1999\r\nIf-Range: ${etag}\r\n`);
    assert.deepEqual([part.status, part.headers["content-range"]], [206, `bytes 1000-1999/${large.length}`]);
    assert.ok(part.body.equals(large.subarray(1000, 2000)));
    assert.equal((await ask("Range: bytes=5000000-\r\n")).status, 416);
    const head = await asked(server, { accel: "/protected/large.bin" }, "", "HEAD");
    assert.deepEqual([head.status, head.headers["content-length"]], [200, String(large.length)]);
    const posted = await asked(
      server,
      { accel: "/protected/a.txt" },
      "Range: bytes=0-1\r\nContent-Length: 0\r\n",
      "POST",
    );
    assert.deepEqual([posted.status, posted.text], [200, "file a"]);
    const refused = await asked(server, { accel: "/protected/a.txt", status: "404 Not Found" }, "Range: bytes=0-1\r\n");
    assert.deepEqual([refused.status, refused.text], [404, "file a"]);
  });

  test("may have escapes and a query in X-Accel-Redirect, and UTF-8 in X-Sendfile; the longest prefix counts", async () => {
    assert.equal((await asked(server, { accel: "/protected/sub/caf%C3%A9%201.txt?x=1" })).text, "coffee");
    assert.equal(
      (await asked(server, { accel: Buffer.from("/protected/sub/caf\u00e9 1.txt").toString("latin1") })).status,
      200,
    );
    assert.equal((await asked(server, { accel: "/protected/deep/b.txt" })).text, "file b");
  });

  test("lie in the configured folders, or are refused with the reason in the log", async () => {
    for (const [named, status] of [
      [{ accel: "/elsewhere/a.txt" }, 502],
      [{ accel: "/protectedly/a.txt" }, 502],
      [{ accel: "/protected/../secret" }, 502],
      [{ accel: "/protected/%2e%2e/secret" }, 502],
      [{ accel: "/protected/" }, 502],
      [{ accel: "http://127.0.0.1/" }, 502],
      [{ accel: "/protected/nothing" }, 404],
      [{ accel: "/protected/sub" }, 404],
      [{ accel: "/protected/leak" }, 403],
      [{ sendfile: "/etc/passwd" }, 502],
      [{ sendfile: join(base, "secret") }, 502],
      [{ sendfile: `${root}/../secret` }, 502],
      [{ sendfile: `${root}x/a.txt` }, 502],
      [{ sendfile: "a.txt" }, 502],
      [{ sendfile: join(root, "leak") }, 403],
      [{ sendfile: join(root, "nothing") }, 404],
    ] as const) {
      const response = await asked(server, named as Readonly<Record<string, string>>);
      assert.equal(response.status, status, JSON.stringify(named));
      assert.doesNotMatch(response.text, /secret|root:|own body/);
    }
    await server.waitForLine(
      /GET \/any\?accel=\S+: cannot send "\/elsewhere\/a\.txt", which the app named in X-Accel-Redirect: /,
    );
  });

  test("are named by the app alone: their paths are the app's for clients", async () => {
    const client = await RawClient.open(server.port);
    await client.send("GET /protected/a.txt HTTP/1.1\r\nHost: a\r\nX-Accel-Redirect: /protected/a.txt\r\n\r\n");
    assert.equal((await client.response()).body.toString(), "the app's own body, /protected/a.txt GET");
    client.leave();
  });

  test("free their worker at once, however slowly they are taken", async () => {
    const slow = await RawClient.open(server.port);
    slow.socket.pause();
    writeFileSync(join(root, "huge.bin"), Buffer.alloc(30_000_000));
    await slow.send("GET /any?accel=/protected/huge.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    for (let count = 0; count < 3; count++) assert.equal((await asked(server, {})).status, 200);
    slow.vanish();
  });

  test("leave other responses alone, but for what is nobody's business", async () => {
    const { headers, text } = await asked(server, { plain: "1" });
    assert.deepEqual([headers["x-plain"], headers["x-accel-limit-rate"]], ["1", undefined]);
    assert.equal(text, "the app's own body, /any GET");
  });
});

suite("without configured folders", () => {
  test("the headers go on to the server before us, with the app's body", async () => {
    const server = await startMaitred([...options, "named_files:application"]);
    const { headers, text } = await asked(server, { accel: "/protected/a.txt", sendfile: "/etc/passwd" });
    assert.deepEqual([headers["x-accel-redirect"], headers["x-sendfile"]], ["/protected/a.txt", "/etc/passwd"]);
    assert.equal(text, "the app's own body, /any GET");
    await server.stop();
  });
});
