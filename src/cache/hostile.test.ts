/** What a hostile client, or an unlucky order of events, cannot make the cache do. Over sockets: tests/server/cache-attacks.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Exchange, Peer, type TlsDetails } from "../http/exchange.ts";
import { Client, fieldsOf, FRESH, House, request, storedResponse } from "./house.test.ts";
import { alsoInvalid } from "./invalidation.ts";
import { reuseOf } from "./reuse.ts";
import { Store } from "./store.ts";

const SWR = { "Cache-Control": "max-age=1, stale-while-revalidate=60, stale-if-error=60" };

describe("a client whom the front knows by a certificate", () => {
  const tls: TlsDetails = {
    version: 0x0304,
    cipher: "x",
    serverName: "h",
    clientChain: ["PEM"],
    clientName: "CN=somebody",
    clientError: "",
  };
  const known = new Peer("192.0.2.8", 1, "127.0.0.1", 8000, "http", tls);

  test("is like one with Authorization: the response is kept only where it says that it is for all", () => {
    for (const [fields, isKept] of [
      [FRESH, false],
      [{ "Cache-Control": "public, max-age=60" }, true],
    ] as const) {
      const house = new House();
      const client = new Client();
      const { head } = request("/");
      house.submit(new Exchange(head, known, client, 0));
      house.answer("mine", fields);
      assert.equal(client.text, "mine");
      house.ask("/");
      assert.equal(house.asked.length, isKept ? 1 : 2);
    }
  });

  test("passes by a cache for visitors without a session", () => {
    const house = new House({ anonymous: true, ttlMs: 5000 });
    house.ask("/");
    house.answer("all", {});
    const client = new Client();
    house.submit(new Exchange(request("/").head, known, client, 0));
    house.answer("mine", {});
    assert.equal(client.text, "mine");
    assert.match(client.fields["cache-status"]!, /bypass; detail=authorization/);
  });
});

test("what is purged while it is asked about is not given when the app fails", () => {
  const house = new House();
  house.ask("/");
  house.answer("old", { ...SWR, ETag: '"1"' });
  house.clock.advance(100_000);
  // Past every time but this one's.
  const stored = house.cache.store.resource("http://h", "/")!.variants[0]!;
  stored.freshUntil = house.clock.now() - 1;
  const client = house.ask("/", { "Cache-Control": "no-cache" });
  house.cache.invalidate("http://h", "/");
  house.answer("failed", {}, 503);
  assert.deepEqual([client.status, client.text], [503, "failed"]);
});

test("a request that says how old a response may be gets nothing stale", () => {
  const stored = storedResponse({ freshUntil: 1000, staleWhileRevalidateMs: 60_000 });
  const wants = { noCache: false, noStore: false, onlyIfCached: false, maxAge: 30, minFresh: null, maxStale: null };
  assert.equal(reuseOf(stored, null, 2000), "use and renew");
  assert.equal(reuseOf(stored, wants, 2000), "ask");
  assert.equal(reuseOf(stored, { ...wants, maxStale: 10 }, 2000), "use");
});

test("a cookie that comes with a 304 is for the one who asked, and for nobody else", () => {
  const house = new House();
  house.ask("/");
  house.answer("page", { "Cache-Control": "no-cache", ETag: '"1"' });
  const client = house.ask("/");
  house.answer("", { ETag: '"1"', "Set-Cookie": "session=mine" }, 304);
  assert.deepEqual([client.text, client.fields["set-cookie"]], ["page", "session=mine"]);
  const other = house.ask("/");
  house.answer("page", { "Cache-Control": "no-cache" });
  assert.deepEqual([other.text, other.fields["set-cookie"]], ["page", undefined]);
});

test("what is meant for the cache goes to no client, whatever its request is like", () => {
  for (const [method, fields] of [
    ["GET", { "Content-Length": "1" }],
    ["OPTIONS", {}],
    ["POST", {}],
    ["HEAD", {}],
  ] as const) {
    const house = new House();
    const client = house.ask("/", fields, method);
    house.answer("", { ...FRESH, "Surrogate-Key": "secret", "Surrogate-Control": "max-age=9" });
    assert.deepEqual(
      [client.fields["surrogate-key"], client.fields["surrogate-control"]],
      [undefined, undefined],
      method,
    );
    house.ask("/");
    assert.equal(house.asked.length, 2, "and nothing of it is kept");
  }
});

test("what is invented, hosts or fields of a key, counts as much as it takes", () => {
  const store = new Store(100_000);
  const stored = storedResponse({ body: "x" });
  store.add(`http://${"h".repeat(8000)}`, "/", stored);
  assert.ok(store.counts.bytes > 8000 * 3);
});

test("a Location behind a prefix that a proxy took names the target without it", () => {
  assert.deepEqual(alsoInvalid(["Location", "/shop/b?x"], "http://h/shop", "/a"), ["/b?x"]);
  assert.deepEqual(alsoInvalid(["Location", "/shopping"], "http://h/shop", "/a"), ["/shopping"]);
  assert.deepEqual(alsoInvalid(["Location", "//evil.example/b"], "http://h/shop", "/a"), []);
  assert.deepEqual(alsoInvalid(fieldsOf("Content-Location", "b").flat, "http://h", "/c/a"), ["/c/b"]);
});
