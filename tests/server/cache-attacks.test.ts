/** Attacks on a shared cache: poisoning, deception, mix-ups of methods, and what is invented to tell it other things than the application is told. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";

import { Browser } from "../support/browser.ts";
import { FRESH, target } from "../support/cache.ts";
import { type Maitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { RawClient } from "../support/raw-client.ts";

const CONFIGURATION = `
app = "cache_app:application"
bind = "127.0.0.1:0"
workers = 1
chdir = ${JSON.stringify(testApps)}
cache = true

[[route]]
path = "/ttl"
cache = { ttl = "60s" }

[[route]]
path = "/lax"
cache = { ignore-query = ["utm_*"], key-headers = ["X-Tenant"], purge-from = ["192.0.2.1"] }
`;

const STEERING =
  "X-HTTP-Method-Override X-HTTP-Method X-Method-Override X-Original-URL X-Rewrite-URL X-Host X-Script-Name X-Scheme X-Forwarded-Host X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-Proto X-Forwarded-Scheme X-Forwarded-Server X-Forwarded-Ssl Front-End-Https";

suite("attacks on the response cache", () => {
  let server: Maitred;
  let attacker: Browser;
  let victim: Browser;

  before(async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "maitred.toml"), CONFIGURATION);
    server = await startMaitred(["-c", join(folder, "maitred.toml")]);
    attacker = new Browser(server.port);
    victim = new Browser(server.port);
  });

  after(async () => {
    attacker.close();
    victim.close();
    await server.stop();
  });

  async function raw(text: string, toHead: boolean = false): Promise<{ status: number; text: string }> {
    const client = await RawClient.open(server.port);
    await client.send(text);
    const { status, body } = await client.response(toHead);
    client.leave();
    return { status, text: body.toString() };
  }

  test("fields that lead an application elsewhere: what it makes of them is nobody else's", async () => {
    for (const name of STEERING.split(" ")) {
      const url = target(`/steer/${name}`, FRESH, `echo=${name}`);
      await attacker.get(url, { [name]: "evil.example" });
      const { text, headers } = await victim.get(url);
      assert.match(String(headers["cache-status"]), /stored/, name);
      assert.doesNotMatch(text, /evil/, name);
      assert.equal(
        (await attacker.get(url, { [name]: "evil.example" })).headers["age"] !== undefined,
        true,
        "it is kept by itself",
      );
    }
  });

  test("the host that the application sees is the one of the key", async () => {
    const url = target("/host", FRESH, "echo=host");
    const asked = [
      `GET http://shop.example${url} HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\nHost: shop.example:1337\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\nHost: shop.example.\r\n\r\n`,
      `GET ${url} HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n\r\n`,
    ];
    for (const text of asked) await raw(text);
    const { text } = await raw(`GET ${url} HTTP/1.1\r\nHost: shop.example\r\n\r\n`);
    assert.match(text, /shop\.example$/);
    const twice = `GET ${url} HTTP/1.1\r\nHost: shop.example\r\nHost: evil.example\r\n\r\n`;
    assert.equal((await raw(twice)).status, 400);
  });

  test("a body in a GET (fat GET) neither makes nor gets a kept response", async () => {
    const url = target("/fat", FRESH);
    const fat = `GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 8\r\n\r\nq=poison`;
    assert.equal((await raw(fat)).text, "/fat 1");
    assert.equal((await victim.get(url)).text, "/fat 2");
    assert.equal((await raw(fat)).text, "/fat 3");
    assert.equal((await victim.get(url)).text, "/fat 2");
  });

  test("HEAD, OPTIONS and unknown methods leave nothing that a GET gets", async () => {
    const url = target("/methods", FRESH);
    for (const method of ["HEAD", "OPTIONS", "QUERY"]) await attacker.ask(url, { method });
    assert.equal((await victim.get(url)).text, "/methods 4");
    assert.equal((await victim.ask(url, { method: "HEAD" })).headers["content-length"], "10");
    assert.equal((await raw(`get ${url} HTTP/1.1\r\nHost: a\r\n\r\n`)).status, 400, "methods have letter case");
  });

  test("deception: a page of somebody with a session is not kept by the route's own time, whatever its path looks like", async () => {
    for (const path of [
      "/ttl/account/x.css",
      "/ttl/account;x.css",
      "/ttl/account%2fx.js",
      "/ttl/account%00.png",
      "/ttl/a%3fx.css",
    ]) {
      const url = `${path}?echo=cookie`;
      const own = await victim.get(url, { cookie: "sessionid=secret" });
      const stolen = await attacker.get(url);
      assert.ok(own.status === 400 || own.text.endsWith("secret"), path);
      assert.doesNotMatch(stolen.text, /secret/, path);
    }
    for (const path of ["/ttl/../account", "/ttl/..%2faccount", "/ttl/%2e%2e/account", "/ttl\\..\\account"]) {
      const { status } = await raw(`GET ${path}?echo=cookie HTTP/1.1\r\nHost: a\r\nCookie: sessionid=secret\r\n\r\n`);
      assert.equal(status, 400, path);
    }
    // Other cookies do not hinder it.
    await victim.get("/ttl/plain", { cookie: "theme=dark" });
    assert.match(String((await attacker.get("/ttl/plain")).headers["cache-status"]), /hit/);
  });

  test("a parameter hidden in one that is left out of the key is not left out", async () => {
    const url = `/lax?h.Cache-Control=max-age%3D100`;
    await attacker.get(`${url}&utm_source=x;status=404`);
    await attacker.get(`${url}&utm_source=x%26callback=evil;callback=evil`);
    assert.match(String((await victim.get(url)).headers["cache-status"]), /uri-miss/);
    assert.match(String((await victim.get(`${url}&utm_source=mail`)).headers["cache-status"]), /hit/);
  });

  test("a field of the key that stands twice is another one than its first", async () => {
    const url = target("/lax/tenant", FRESH, "echo=x-tenant");
    const twice = `GET ${url} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-Tenant: a\r\nX-Tenant: evil\r\n\r\n`;
    assert.match((await raw(twice)).text, /evil/);
    assert.match((await victim.get(url, { "x-tenant": "a" })).text, / a$/);
  });

  test("Range with Vary: each variant's own part; no range of one that nobody has asked for whole", async () => {
    const url = target("/parts", { ...FRESH, Vary: "X-Kind" }, "echo=x-kind&size=200");
    for (const kind of ["a", "b"]) await victim.get(url, { "x-kind": kind });
    for (const kind of ["a", "b"]) {
      const part = await attacker.get(url, { "x-kind": kind, range: "bytes=0-10" });
      assert.deepEqual([part.status, part.text.slice(9, 10)], [206, kind]);
    }
    const other = await attacker.get(url, { "x-kind": "c", range: "bytes=0-10" });
    assert.deepEqual([other.status, other.text.length], [200, 200], "the app's answer, which knows no ranges");
    assert.match(String((await victim.get(url, { "x-kind": "c" })).headers["cache-status"]), /vary-miss/);
  });

  test("conditions, ranges and odd fields of one client decide nothing for the next", async () => {
    const odd: Readonly<Record<string, string>>[] = [
      { "if-none-match": '"v"' },
      { "if-modified-since": "Fri, 31 Dec 2100 00:00:00 GMT" },
      { "if-match": '"none"' },
      { range: "bytes=0-1" },
      { range: "bytes=100000-" },
      { "cache-control": "no-store" },
      { "x-long": "x".repeat(4000) },
    ];
    for (const [at, fields] of odd.entries()) {
      const url = target(`/odd${at}`, { ...FRESH, ETag: '"v"' }, "size=50");
      await attacker.get(url, fields);
      const { status, text } = await victim.get(url);
      assert.deepEqual([status, text.length], [200, 50], JSON.stringify(fields));
    }
  });

  test("PURGE from an address that may not is the application's to refuse", async () => {
    const url = target("/lax/purge", FRESH);
    await victim.get(url);
    const page = await attacker.ask(`${url}&status=405+Not+Allowed`, { method: "PURGE" });
    assert.equal(page.status, 405);
    assert.match(String((await victim.get(url)).headers["cache-status"]), /hit/);
  });
});
