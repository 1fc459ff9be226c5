/** The response cache before a real app over real sockets: what the app has seen tells what was stored. */
import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { after, before, suite, test } from "node:test";

import { Browser, type Page } from "../support/browser.ts";
import { countOf, FRESH, target, until } from "../support/cache.ts";
import { command } from "../support/command.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { partsOf } from "../support/multipart.ts";
import { testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const gates = new Gates();
let server: Maitred;
let browser: Browser;

async function count(path: string, from: Browser = browser): Promise<number> {
  return await countOf(path, from);
}

suite("the response cache", () => {
  before(async () => {
    server = await startMaitred(
      `-b 127.0.0.1:0 -w 1 -k gthread --threads 24 --cache 8M --http2-cleartext prior-knowledge --chdir ${testApps} cache_app:application`.split(
        " ",
      ),
      { env: gates.env },
    );
    browser = new Browser(server.port);
  });

  after(async () => {
    browser.close();
    await server.stop();
  });

  test("a fresh response is given again, with its age, its date and what the cache did", async () => {
    const url = target("/fresh", { "Cache-Control": "max-age=100", ETag: '"1"' });
    const first = await browser.get(url);
    assert.match(String(first.headers["cache-status"]), /^maitred; fwd=uri-miss; stored; ttl=100$/);
    assert.equal(first.headers["age"], undefined);
    const second = await browser.get(url);
    assert.equal(second.text, "/fresh 1");
    assert.match(String(second.headers["cache-status"]), /^maitred; hit; ttl=(100|99)$/);
    assert.match(String(second.headers["age"]), /^[01]$/);
    assert.equal(second.headers["date"], (await browser.get(url)).headers["date"]);
    assert.equal(await count("/fresh"), 1);
  });

  test("HEAD, conditions and ranges are answered from what GET has stored", async () => {
    const url = target("/parts", { "Cache-Control": "max-age=100", ETag: '"abc"' }, "size=20");
    await browser.get(url);
    const head = await browser.ask(url, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers["content-length"], head.text], [200, "20", ""]);
    const same = await browser.get(url, { "if-none-match": 'W/"abc", "x"' });
    assert.deepEqual([same.status, same.headers["etag"], same.text], [304, '"abc"', ""]);
    const part = await browser.get(url, { range: "bytes=1-5" });
    assert.deepEqual([part.status, part.headers["content-range"], part.text], [206, "bytes 1-5/20", "parts"]);
    assert.equal((await browser.get(url, { range: "bytes=1-5", "if-range": '"other"' })).status, 200);
    assert.deepEqual((await browser.get(url, { range: "bytes=30-" })).headers["content-range"], "bytes */20");
    assert.equal((await browser.get(url, { range: "bytes=30-" })).status, 416);
    assert.equal(await count("/parts"), 1);
  });

  test("several ranges are parts of a multipart/byteranges, and nobody gets more than the whole by them", async () => {
    for (const size of [2000, 20_000]) {
      const url = target(`/ranges${size}`, { "Cache-Control": "max-age=100", ETag: '"r"' }, `size=${size}`);
      const whole = (await browser.get(url)).text;
      const several = await browser.get(url, { range: "bytes=1500-1509, 0-6,-3" });
      assert.deepEqual([several.status, several.headers["content-range"]], [206, undefined]);
      assert.equal(several.headers["content-length"], String(several.body.length));
      assert.match(String(several.headers["cache-status"]), /hit/);
      assert.deepEqual(
        partsOf(several.headers["content-type"], several.body),
        [
          [1500, 1510],
          [0, 7],
          [size - 3, size],
        ].map(([from, to]) => ({
          head: `Content-Type: text/plain\r\nContent-Range: bytes ${from}-${to! - 1}/${size}`,
          body: whole.slice(from, to),
        })),
      );
      const other = await browser.get(url, { range: "bytes=1500-1509,0-6" });
      assert.notEqual(other.headers["content-type"], several.headers["content-type"], "a boundary of its own");
      const joined = await browser.get(url, { range: "bytes=0-9,5-19,30-39" });
      assert.deepEqual([joined.headers["content-range"], joined.text], [`bytes 0-39/${size}`, whole.slice(0, 40)]);
      const attack = Array.from({ length: 300 }, (_, at) => `${at}-`).join(",");
      assert.deepEqual([(await browser.get(url, { range: `bytes=${attack}` })).text.length], [size]);
      const few = await browser.get(url, { range: `bytes=${"0-,".repeat(30)}` });
      assert.deepEqual([few.status, few.body.length], [206, size]);
      const stale = { range: "bytes=0-6,1500-1509", "if-range": '"other"' };
      assert.deepEqual([(await browser.get(url, stale)).status], [200]);
      assert.equal(await count(`/ranges${size}`), 1);
    }
  });

  test("a range that is not there says nothing that anybody could keep in place of the whole", async () => {
    const url = target("/beyond", { "Cache-Control": "max-age=100", ETag: '"b"', "Content-Language": "fr" }, "size=20");
    await browser.get(url);
    const { status, headers, text } = await browser.get(url, { range: "bytes=20-" });
    assert.deepEqual([status, headers["content-range"], text], [416, "bytes */20", ""]);
    assert.deepEqual(
      [headers["cache-control"], headers["etag"], headers["content-language"]],
      ["no-store", undefined, undefined],
    );
  });

  test("HTTP/2 and HTTP/1.1 have the same cache", async () => {
    const url = target("/versions", FRESH);
    await browser.get(url);
    const session = connectHttp2(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ":path": url });
    let text = "";
    const fields = await new Promise<Record<string, unknown>>((resolve) => stream.once("response", resolve));
    for await (const piece of stream.setEncoding("utf8")) text += String(piece);
    session.close();
    assert.equal(text, "/versions 1");
    assert.match(String(fields["cache-status"]), /hit/);
  });

  test("one request to the app for a hundred that ask at once", async () => {
    const url = target("/crowd", FRESH, "gate=crowd");
    const asked = Array.from({ length: 100 }, () => browser.get(url));
    await server.waitForLine(/asked for \/crowd/);
    await waiting(/crowd/);
    gates.open("crowd");
    const pages = await Promise.all(asked);
    assert.deepEqual(new Set(pages.map(({ text }) => text)), new Set(["/crowd 1"]));
    assert.equal(await count("/crowd"), 1);
    assert.ok(pages.filter((page) => /collapsed/.test(String(page.headers["cache-status"]))).length > 0);
  });

  test("who waited for a response that may not be stored goes to the app, all at the same time", async () => {
    const url = target("/private", { "Cache-Control": "private" }, "gate=private");
    const asked = Array.from({ length: 12 }, () => browser.get(url));
    await server.waitForLine(/asked for \/private/);
    gates.open("private");
    const pages = await Promise.all(asked);
    assert.equal(new Set(pages.map(({ text }) => text)).size, 12, "nobody got another one's");
    // From now on nobody waits: while one is at work the next are too.
    const slow = target("/private", { "Cache-Control": "private" }, "gate=private2");
    const two = [browser.get(slow), browser.get(slow)];
    await Promise.race([two[0], until(async () => (await count("/private")) >= 13)]);
    gates.open("private2");
    await Promise.all(two);
  });

  test("what is streamed goes to all that wait as it comes, and to those that come later from its beginning", async () => {
    const url = target("/stream", FRESH, "pieces=stream1,stream2&size=30");
    const first = await RawClient.open(server.port);
    await first.send(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    await first.match(/\/stream 1/);
    const second = await RawClient.open(server.port);
    await second.send(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    await second.match(/\/stream 1/);
    first.vanish();
    gates.open("stream1", "stream2");
    const whole = await second.response();
    assert.equal(whole.body.toString(), "/stream 1".padEnd(30, "."));
    assert.match(whole.headers["cache-status"] ?? "", /collapsed/);
    second.leave();
    const third = await browser.get(url);
    assert.equal(third.text, "/stream 1".padEnd(30, "."));
    assert.equal(third.headers["content-length"], "30");
    assert.equal(await count("/stream"), 1);
  });

  test("the response of a leader that left is stored all the same", async () => {
    const url = target("/left", FRESH, "gate=left");
    const client = await RawClient.open(server.port);
    await client.send(`GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    await server.waitForLine(/asked for \/left/);
    client.vanish();
    gates.open("left");
    await until(async () => /hit/.test(String((await browser.get(url)).headers["cache-status"])));
    assert.equal(await count("/left"), 1);
  });

  test("variants are told apart by what they vary by, and no two of them wait for each other", async () => {
    const url = target("/vary", { ...FRESH, Vary: "X-Kind" }, "echo=x-kind");
    for (const kind of ["a", "b", "a", "b"])
      assert.match((await browser.get(url, { "x-kind": kind })).text, new RegExp(`${kind}$`));
    assert.equal(await count("/vary"), 2);
    const gated = target("/vary2", { ...FRESH, Vary: "X-Kind" }, "echo=x-kind&gate=vary2");
    const asked = ["a", "b", "a", "b"].map((kind) => browser.get(gated, { "x-kind": kind }));
    gates.open("vary2");
    assert.deepEqual(
      (await Promise.all(asked)).map(({ text }) => text.at(-1)),
      ["a", "b", "a", "b"],
    );
  });

  test("after its time it is validated: the app says 304, and the client gets what is stored", async () => {
    const url = target("/valid", { "Cache-Control": "no-cache", ETag: '"v"' });
    assert.equal((await browser.get(url)).text, "/valid 1");
    const second = await browser.get(url);
    assert.equal(second.text, "/valid 1");
    assert.match(String(second.headers["cache-status"]), /fwd-status=304/);
    assert.equal(await count("/valid"), 2);
  });

  test("stale-while-revalidate: at once, and renewed behind it", async () => {
    const url = target("/swr", { "Cache-Control": "max-age=0, stale-while-revalidate=60" });
    await browser.get(url);
    const stale = await browser.get(url);
    assert.equal(stale.text, "/swr 1");
    await until(async () => (await browser.get(url)).text !== "/swr 1");
  });

  test("stale-if-error: while the app fails", async () => {
    const url = target("/sie", { "Cache-Control": "max-age=0, stale-if-error=60" }, "fail=sie");
    await browser.get(url);
    assert.equal((await browser.get(url)).text, "/sie 2");
    gates.open("sie");
    const page = await browser.get(url);
    assert.deepEqual([page.status, page.text], [200, "/sie 2"]);
    assert.match(String(page.headers["cache-status"]), /hit; fwd=stale; fwd-status=503/);
    const strict = target("/strict", { "Cache-Control": "max-age=0, must-revalidate", ETag: '"s"' }, "fail=sie");
    assert.equal((await browser.get(strict)).status, 503);
  });

  test("a request that changes something makes what is stored untrue, and what is on its way too", async () => {
    const url = target("/thing", FRESH);
    await browser.get(url);
    await browser.ask(url, { method: "POST", body: "x" });
    assert.equal((await browser.get(url)).text, "/thing 3");
    await browser.ask(`${url}&status=500+no`, { method: "POST", body: "x" });
    assert.equal((await browser.get(url)).text, "/thing 3", "what failed changed nothing");
    const other = target("/order", { Location: new URL(url, "http://x").pathname + new URL(url, "http://x").search });
    await browser.ask(`${other}&status=201+Created`, { method: "POST", body: "x" });
    assert.notEqual((await browser.get(url)).text, "/thing 3", "Location of the same origin");

    const slow = target("/slow", FRESH, "gate=slow");
    const asked = browser.get(slow);
    await server.waitForLine(/asked for \/slow/);
    const posted = browser.ask(slow, { method: "POST", body: "x" });
    await server.waitForLine(/asked for \/slow POST/);
    gates.open("slow");
    await Promise.all([asked, posted]);
  });

  test("what must not be shared is not stored: private, no-store, Set-Cookie, Authorization", async () => {
    const refused: [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>][] = [
      ["/p1", { "Cache-Control": "private, max-age=100" }, {}],
      ["/p2", { "Cache-Control": "no-store, max-age=100" }, {}],
      ["/p3", { ...FRESH, "Set-Cookie": "a=b" }, {}],
      ["/p4", FRESH, { authorization: "Basic eDp5" }],
      ["/p5", { ...FRESH, Vary: "*" }, {}],
      ["/p6", FRESH, { "cache-control": "no-store" }],
    ];
    for (const [path, fields, asked] of refused) {
      const other = new Browser(server.port);
      await other.get(target(path, fields), asked);
      assert.equal((await other.get(target(path, fields), asked)).text, `${path} 2`, path);
      other.close();
    }
    const shared = target("/p7", { "Cache-Control": "public, max-age=100" });
    await browser.get(shared, { authorization: "Basic eDp5" });
    assert.equal((await browser.get(shared, { authorization: "Basic eDp6" })).text, "/p7 1");
  });

  test("only-if-cached gets 504 where nothing is stored; no-cache asks the app; tags stay inside", async () => {
    const url = target("/asked", { ...FRESH, "Surrogate-Key": "one two", "Cache-Tag": "three" });
    assert.equal((await browser.get(url, { "cache-control": "only-if-cached" })).status, 504);
    const first = await browser.get(url);
    assert.deepEqual([first.headers["surrogate-key"], first.headers["cache-tag"]], [undefined, undefined]);
    assert.equal((await browser.get(url, { "cache-control": "only-if-cached" })).text, "/asked 1");
    assert.equal((await browser.get(url, { "cache-control": "no-cache" })).text, "/asked 2");
    assert.equal((await browser.get(url)).text, "/asked 2");
  });

  test("maitred cache purge: by path, prefix and tag; soft", async () => {
    const one = target("/blog/1", { ...FRESH, "Surrogate-Key": "article-1 blog" });
    const two = target("/blog/2", { ...FRESH, "Cache-Tag": "article-2, blog" });
    const purge = async (...words: string[]): Promise<string> => {
      const { stdout, stderr, code } = await command(["cache", "purge", "-p", String(server.pid), ...words]);
      return code === 0 ? stdout.trim() : stderr.trim();
    };
    const both = async (): Promise<string[]> => [(await browser.get(one)).text, (await browser.get(two)).text];
    await both();
    assert.equal(await purge("/blog/1"), "Purged: 1 response");
    assert.deepEqual(await both(), ["/blog/1 2", "/blog/2 1"]);
    assert.equal(await purge("--tag", "article-2"), "Purged: 1 response");
    assert.deepEqual(await both(), ["/blog/1 2", "/blog/2 2"]);
    assert.equal(await purge("/blog/*"), "Purged: 2 responses");
    assert.deepEqual(await both(), ["/blog/1 3", "/blog/2 3"]);
    assert.equal(await purge("--tag", "blog", "--host", "elsewhere.example"), "Purged: 0 responses");
    assert.equal(await purge("--soft", "--tag", "blog"), "Past their time now: 2 responses");
    assert.deepEqual(await both(), ["/blog/1 4", "/blog/2 4"]);
    assert.match(await purge(), /say what is to be purged/);
    assert.match(await purge("blog"), /is not a path/);
    const status = await command(["status", "-p", String(server.pid)]);
    assert.match(status.stdout, /^cache +\d+ responses in .* hits/m);
  });

  test("PURGE of nobody in particular is the app's business", async () => {
    const page = await browser.ask(target("/purged", FRESH), { method: "PURGE" });
    assert.equal(page.text, "/purged 1");
  });
});

suite("the response cache, when things go wrong", () => {
  test("a worker that dies: who has begun is cut, nothing of it is stored; what is stored lives on while none can be had", async () => {
    const own = new Gates();
    const args = "-b 127.0.0.1:0 -w 1 -k gthread --threads 4 --cache 8M".split(" ");
    const broken = await startMaitred([...args, "--chdir", testApps, "cache_app:application"], { env: own.env });
    const visitor = new Browser(broken.port);
    await assert.rejects(visitor.get(target("/cut", FRESH, "pieces=die&size=300000")));
    await assert.rejects(visitor.get(target("/cut", FRESH, "pieces=die&size=300000")));

    const url = target("/alive", { "Cache-Control": "max-age=1" }, "die=down");
    assert.match((await visitor.get(url)).text, /^\/alive \d$/);
    own.open("down");
    let last: Page;
    do last = await visitor.get(url);
    while (/ttl=[01]$/.test(String(last.headers["cache-status"])));
    assert.equal(last.status, 200);
    assert.match(String(last.headers["cache-status"]), /hit; fwd=stale; fwd-status=50[234]/);
    visitor.close();
    await broken.stop("SIGQUIT");
  });

  test("the budget of bytes holds: the store gives up what nobody has used", async () => {
    const args = "-b 127.0.0.1:0 -w 1 --cache 100k".split(" ");
    const small = await startMaitred([...args, "--chdir", testApps, "cache_app:application"]);
    const visitor = new Browser(small.port);
    const used = target("/used", FRESH, "size=10000");
    await visitor.get(used);
    for (let i = 0; i < 40; i++) {
      await visitor.get(target(`/n${i}`, FRESH, "size=10000"));
      await visitor.get(used);
    }
    assert.equal(await count("/used", visitor), 1, "what is used stays");
    await visitor.get(target("/n0", FRESH, "size=10000"));
    assert.equal(await count("/n0", visitor), 2, "what is not used goes");
    const { stdout } = await command(["status", "--json", "-p", String(small.pid)]);
    const { cache } = JSON.parse(stdout) as { cache: { bytes: number; limitBytes: number } };
    assert.ok(cache.bytes <= cache.limitBytes);
    visitor.close();
    await small.stop();
  });
});

/** Waits until the server's own count says that so many wait for one. */
async function waiting(_what: RegExp): Promise<void> {
  await until(async () => {
    const { stdout } = await command(["status", "--json", "-p", String(server.pid)]);
    return (JSON.parse(stdout) as { connections: number }).connections >= 100;
  });
}
