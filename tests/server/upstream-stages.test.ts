/** A route to another server is cached, compressed, limited and guarded like any other. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Browser } from "../support/browser.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

const LARGE = Buffer.alloc(12_000_000, "what a line this is, and how often it comes\n");

suite("an upstream behind the stages", () => {
  const asked: string[] = [];
  const held: ServerResponse[] = [];
  let isBroken = false;
  const server = createServer((request, response) => {
    asked.push(request.url!);
    const path = request.url!.replace(/^\/[^/]+/, "");
    if (isBroken) return void response.socket!.resetAndDestroy();
    if (path === "/held") return void held.push(response);
    response.setHeader("Content-Type", "text/plain");
    if (path === "/large") return void response.end(LARGE);
    response.end(`answer ${asked.length}`);
  });
  const folder = temporaryFolder();
  let maitred: Maitred;
  let browser: Browser;

  before(async () => {
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const upstream = `upstream = "http://127.0.0.1:${(server.address() as AddressInfo).port}"`;
    writeFileSync(
      join(folder, "maitred.toml"),
      `app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
workers = 1

[[route]]
path = "/cached"
${upstream}
cache = { ttl = "1h", status-header = true }

[[route]]
path = "/stale"
${upstream}
cache = { ttl = "10ms", stale-if-error = "1h", stale-if-down = "1h", status-header = true }

[[route]]
path = "/compressed"
${upstream}
compression = ["gzip"]

[[route]]
path = "/both"
${upstream}
compression = ["gzip"]
cache = { ttl = "1h", status-header = true }

[[route]]
path = "/guarded"
${upstream}
access = ["deny 127.0.0.1"]
`,
    );
    maitred = await startMaitred(["-c", join(folder, "maitred.toml")]);
    browser = new Browser(maitred.port);
  });

  after(async () => {
    browser.close();
    assert.equal((await maitred.stop()).code, 0);
    server.closeAllConnections();
    server.close();
  });

  test("what is cached is asked for once", async () => {
    const first = await browser.get("/cached/page");
    const second = await browser.get("/cached/page");
    assert.deepEqual([second.text, second.status], [first.text, 200]);
    assert.match(String(second.headers["cache-status"]), /; hit/);
    assert.equal(asked.filter((url) => url === "/cached/page").length, 1);
  });

  test("many who want the same wait for one request", async () => {
    const all = Array.from({ length: 8 }, () => browser.get("/cached/held"));
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    held.shift()!.end("for all");
    for (const page of await Promise.all(all)) assert.equal(page.text, "for all");
    assert.equal(asked.filter((url) => url === "/cached/held").length, 1);
  });

  test("a stale page is better than none when the upstream is down", async () => {
    const fresh = await browser.get("/stale/page");
    await new Promise((resolve) => setTimeout(resolve, 50));
    isBroken = true;
    const stale = await browser.get("/stale/page");
    isBroken = false;
    assert.deepEqual([stale.status, stale.text], [200, fresh.text]);
    await maitred.waitForLine(/GET \/stale\/page: upstream \S+: it (?:reset|closed) the connection; answered 502/);
  });

  for (const path of ["/compressed/large", "/both/large", "/cached/large"])
    test(`${path}: a large response comes whole through it, and at the client's speed`, async () => {
      const response = await browser.open(path, { headers: { "accept-encoding": "gzip" } });
      const pieces: Buffer[] = [];
      for await (const piece of response) {
        pieces.push(piece as Buffer);
        // Slower than the upstream.
        if (pieces.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const body = Buffer.concat(pieces);
      const isZipped = response.headers["content-encoding"] === "gzip";
      assert.equal(isZipped, path !== "/cached/large");
      assert.ok(LARGE.equals(isZipped ? gunzipSync(body) : body));
    });

  test("who may not ask does not reach it", async () => {
    assert.equal((await browser.get("/guarded/page")).status, 403);
    assert.equal(asked.filter((url) => url.startsWith("/guarded")).length, 0);
  });
});
