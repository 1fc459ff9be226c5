/** The cache as the configuration file has it: by route, for visitors without a session, with keys of its own, and purged by request. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { countOf, FRESH, target, until } from "../support/cache.ts";
import { Gates } from "../support/gates.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";

const CONFIGURATION = `
app = "cache_app:application"
bind = "127.0.0.1:0"
workers = 1
chdir = ${JSON.stringify(testApps)}

[[route]]
path = "/pages"
cache = "anonymous 60s"

[[route]]
path = "/keys"
cache = { ignore-query = ["utm_*"], sort-query = true, key-cookies = ["lang"], key-headers = ["X-Tenant"] }

[[route]]
path = "/bypass"
cache = { bypass-cookies = ["preview"], bypass-headers = ["X-Debug=1"], bypass-query = ["nocache"] }

[[route]]
path = "/purge"
cache = { purge-from = ["127.0.0.0/8"], keep-tags = true, status-header = false }

[[route]]
path = "/cookies"
cache = { set-cookie = "strip", max-object = "1k" }

[[route]]
path = "/quiet"
cache = { request-directives = false, ttl = "60s", stale-if-error = "60s" }
`;

suite("the cache of a route", () => {
  const gates = new Gates();
  let server: Maitred;
  const visitors: Browser[] = [];
  const visitor = (): Browser => {
    const one = new Browser(server.port);
    visitors.push(one);
    return one;
  };

  before(async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "maitred.toml"), CONFIGURATION);
    server = await startMaitred(["-c", join(folder, "maitred.toml")], { env: gates.env });
  });

  after(async () => {
    for (const one of visitors) one.close();
    await server.stop();
  });

  test("anonymous: the same page for all without a session, whatever cookies of statistics they have", async () => {
    const url = target("/pages", { Vary: "Cookie" }, "echo=cookie");
    const one = visitor();
    const first = await one.get(url, { cookie: "_ga=1; theme=dark" });
    assert.equal(first.text, "/pages 1 nothing", "the app sees no cookie");
    assert.equal((await one.get(url, { cookie: "_ga=2" })).text, "/pages 1 nothing");
    assert.equal((await one.get(url)).text, "/pages 1 nothing");
    assert.equal((await one.get(url, { "cache-control": "no-cache" })).text, "/pages 1 nothing");
    const known = await one.get(url, { cookie: "_ga=2; sessionid=abc" });
    assert.equal(known.text, "/pages 2 _ga=2; sessionid=abc");
    assert.match(String(known.headers["cache-status"]), /fwd=bypass; detail=session/);
    assert.match((await one.get(url, { authorization: "Bearer x" })).text, /^\/pages 3/);
  });

  test("anonymous: who gets what may not be stored is seen with all their cookies", async () => {
    const url = target("/pages/private", { "Cache-Control": "private" }, "echo=cookie");
    const page = await visitor().get(url, { cookie: "cart=12" });
    assert.equal(page.text, "/pages/private 2 cart=12");
    assert.equal((await visitor().get(url, { cookie: "cart=13" })).text, "/pages/private 3 cart=13");
  });

  test("keys: parameters left out and sorted, cookies and fields taken in", async () => {
    const one = visitor();
    const url = "/keys?b=1&h.Cache-Control=max-age=100&a=2";
    assert.equal((await one.get(url)).text, "/keys 1");
    assert.equal((await one.get("/keys?a=2&utm_source=x&h.Cache-Control=max-age=100&b=1")).text, "/keys 1");
    assert.equal((await one.get("/keys?a=3&h.Cache-Control=max-age=100&b=1")).text, "/keys 2");
    assert.equal((await one.get(url, { cookie: "lang=de; other=1" })).text, "/keys 3");
    assert.equal((await one.get(url, { cookie: "other=2; lang=de" })).text, "/keys 3");
    assert.equal((await one.get(url, { "x-tenant": "a" })).text, "/keys 4");
  });

  test("bypass: by cookie, field and parameter", async () => {
    const one = visitor();
    const url = target("/bypass", FRESH);
    await one.get(url);
    assert.equal((await one.get(url, { cookie: "preview=yes" })).text, "/bypass 2");
    assert.equal((await one.get(url, { "x-debug": "1" })).text, "/bypass 3");
    assert.equal((await one.get(`${url}&nocache`)).text, "/bypass 4");
    assert.equal((await one.get(url, { "x-debug": "0" })).text, "/bypass 1");
  });

  test("PURGE from an address that may: one path with all its queries, a prefix, a tag", async () => {
    const one = visitor();
    const url = target("/purge/a", { ...FRESH, "Cache-Tag": "t1" });
    const first = await one.get(url);
    assert.deepEqual([first.headers["cache-tag"], first.headers["cache-status"]], ["t1", undefined]);
    const purge = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> =>
      (await one.ask(path, { method: "PURGE", headers })).text;
    assert.equal(await purge("/purge/a"), "purged 1\n");
    assert.equal((await one.get(url)).text, "/purge/a 2");
    assert.equal(await purge("/purge/*"), "purged 1\n");
    assert.equal((await one.get(url)).text, "/purge/a 3");
    assert.equal(await purge("/purge", { "cache-tag": "t1, t2" }), "purged 1\n");
    assert.equal((await one.get(url)).text, "/purge/a 4");
    assert.equal((await one.ask("/purge/*/x", { method: "PURGE" })).status, 400);
    assert.equal(await countOf("/purge/a", one), 4, "no PURGE reached the app");
  });

  test("Set-Cookie is taken off where that is asked for; what is too large goes on as it comes, and is not kept", async () => {
    const one = visitor();
    const url = target("/cookies", { ...FRESH, "Set-Cookie": "a=b" });
    assert.equal((await one.get(url)).headers["set-cookie"], undefined);
    assert.equal((await one.get(url)).text, "/cookies 1");
    const large = target("/cookies/large", FRESH, "size=5000");
    for (const turn of [1, 2]) assert.match((await one.get(large)).text, new RegExp(`^/cookies/large ${turn}`));
    const streamed = target("/cookies/streamed", FRESH, "size=200000&pieces=go");
    gates.open("go");
    for (const turn of [1, 2]) {
      const page = await one.get(streamed);
      assert.equal(page.body.length, 200_000);
      assert.match(page.text, new RegExp(`^/cookies/streamed ${turn}`));
    }
  });

  test("a time for what says none, and no stale page but where the app fails", async () => {
    const one = visitor();
    assert.equal((await one.get("/quiet?fail=quiet")).text, "/quiet 1");
    assert.equal((await one.get("/quiet?fail=quiet", { "cache-control": "no-cache" })).text, "/quiet 1");
    const late = target("/quiet", { "Cache-Control": "max-age=0" }, "fail=quiet");
    await one.get(late);
    gates.open("quiet");
    await until(async () => /hit; fwd=stale/.test(String((await one.get(late)).headers["cache-status"])));
  });

  test("a route without a cache has none", async () => {
    const one = visitor();
    const first = await one.get(target("/other", FRESH));
    assert.equal(first.headers["cache-status"], undefined);
    assert.equal((await one.get(target("/other", FRESH))).text, "/other 2");
  });
});
