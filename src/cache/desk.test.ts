/** What the cache does with requests, with clients and an app that are played by the test. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerError } from "../http/error-response.ts";
import { fieldsOf, FRESH, House } from "./house.test.ts";

describe("hits", () => {
  test("age and time to live move on with the clock, the app's fields stay", () => {
    const house = new House();
    house.ask("/");
    house.answer("page", { ...FRESH, Age: "10", "X-Own": "1" });
    house.clock.advance(5000);
    const hit = house.ask("/");
    assert.equal(hit.text, "page");
    assert.equal(hit.fields["x-own"], "1");
    assert.equal(hit.fields["age"], "15");
    assert.equal(hit.fields["date"], "Sat, 21 Nov 2026 01:31:28 GMT", "when it came");
    const old = house.ask("/old");
    house.answer("page", { ...FRESH, Date: "Thu, 01 Jan 2026 00:00:00 GMT" });
    house.ask("/old");
    assert.deepEqual([old.text, house.asked.length], ["page", 3], "it was old when it came");
  });

  test("fresh up to the millisecond of its time, and not after it", () => {
    const house = new House();
    house.ask("/");
    house.answer("1", { "Cache-Control": "max-age=60", Age: "10" });
    house.clock.advance(49_999);
    assert.deepEqual(
      [house.ask("/").fields["age"], house.ask("/").fields["cache-status"]],
      ["59", "maitred; hit; ttl=1"],
    );
    house.clock.advance(1);
    house.ask("/");
    assert.equal(house.asked.length, 2);
  });

  test("requests with other hosts, schemes of a proxy's and queries are others", () => {
    const house = new House();
    for (const [target, host] of [
      ["/", "a"],
      ["/", "b"],
      ["/?x", "a"],
      ["/?", "a"],
    ]) {
      house.ask(target!, { Host: host! });
      house.answer(`${host}${target}`);
    }
    assert.equal(house.asked.length, 4);
    assert.equal(house.ask("/", { Host: "A" }).text, "a/");
  });

  test("a body in the request goes on untouched", () => {
    const house = new House();
    house.ask("/");
    house.answer("1");
    house.ask("/", { "Content-Length": "3" });
    assert.equal(house.asked.length, 2);
  });
});

describe("requests under way", () => {
  test("the leader leaves: the others get it; all leave before the app has begun: nobody works for them", () => {
    const house = new House();
    const leader = house.ask("/");
    const other = house.ask("/");
    leader.exchange.leave();
    assert.equal(house.last.state, "given");
    house.answer("1");
    assert.equal(other.text, "1");

    const lonely = house.ask("/2");
    house.last.state = "queued";
    lonely.exchange.leave();
    assert.equal(house.last.state, "done");
    house.ask("/2");
    assert.equal(house.asked.length, 3, "the next one asks anew");
  });

  test("what grows too large is kept no longer, and goes as fast as the slowest takes it", () => {
    const house = new House({ maxObjectBytes: 10 });
    const fast = house.ask("/");
    const slow = house.ask("/");
    slow.isSlow = true;
    const inner = house.last;
    let credit = 0;
    inner.onSent = (bytes) => (credit += bytes);
    inner.start(200, "", fieldsOf("Cache-Control", "max-age=60"));
    inner.write(Buffer.from("12345678"));
    assert.equal(credit, 8, "what is kept is taken at once");
    inner.write(Buffer.from("90abcdef"));
    assert.equal(credit, 8, "the slow one has taken nothing");
    const late = house.ask("/");
    assert.equal(house.asked.length, 2, "nobody joins any more");
    slow.exchange.onSent?.(8);
    assert.equal(credit, 8);
    slow.exchange.onSent?.(3);
    assert.equal(credit, 11);
    slow.exchange.leave();
    assert.equal(credit, 16, "only the fast one counts now");
    inner.end();
    assert.deepEqual([fast.text, fast.state, late.state], ["1234567890abcdef", "whole", "waiting"]);
    house.answer("late");
    house.ask("/");
    assert.equal(house.asked.length, 3, "not stored");
  });

  test("a length that is not kept is not stored", () => {
    const house = new House();
    const client = house.ask("/");
    house.last.start(200, "", fieldsOf("Cache-Control", "max-age=60", "Content-Length", "10"));
    house.last.write(Buffer.from("12345"));
    house.last.end();
    assert.equal(client.fields["content-length"], "10", "the edge will see that it is too short");
    house.ask("/");
    assert.equal(house.asked.length, 2);
    house.answer("12345", { ...FRESH, "Content-Length": "4" });
    house.ask("/");
    assert.equal(house.asked.length, 3);
  });

  test("1xx goes to all who wait, and is not kept", () => {
    const house = new House();
    const two = [house.ask("/"), house.ask("/")];
    house.last.inform(103, fieldsOf("Link", "</a>"));
    house.answer("1");
    assert.deepEqual(
      two.map(({ informed }) => informed),
      [[103], [103]],
    );
    assert.deepEqual(house.ask("/").informed, []);
  });

  test("a change while a response is under way: who waits gets it, it is not kept", () => {
    const house = new House();
    const reader = house.ask("/");
    const reading = house.last;
    house.ask("/", {}, "DELETE");
    house.answer("gone", {}, 200);
    const after = house.ask("/");
    assert.equal(house.asked.length, 3, "who comes after the change does not wait for what was before it");
    reading.complete(200, "", fieldsOf("Cache-Control", "max-age=60"), "old");
    assert.equal(reader.text, "old");
    house.answer("new");
    assert.equal(after.text, "new");
    assert.equal(house.ask("/").text, "new");
  });

  test("responses that differ by a field: who asked for another one asks again, together with their like", () => {
    const house = new House();
    const [a1, b1, a2, b2] = ["a", "b", "a", "b"].map((kind) => house.ask("/", { "X-Kind": kind }));
    house.answer("A", { ...FRESH, Vary: "X-Kind" });
    assert.deepEqual([a1!.text, a2!.text, b1!.state, house.asked.length], ["A", "A", "waiting", 2]);
    house.answer("B", { ...FRESH, Vary: "X-Kind" });
    assert.deepEqual([b1!.text, b2!.text, house.asked.length], ["B", "B", 2]);
  });

  test("without coalescing everybody goes alone", () => {
    const house = new House({ coalesce: false });
    house.ask("/");
    house.ask("/");
    assert.equal(house.asked.length, 2);
  });

  test("what is never fresh is nobody else's: all who waited go to the app at once", () => {
    for (const control of ["max-age=0", "no-cache"]) {
      const house = new House();
      const all = Array.from({ length: 5 }, () => house.ask("/"));
      house.answer("1", { "Cache-Control": control });
      assert.deepEqual([all[0]!.text, house.asked.length], ["1", 5], control);
    }
  });

  test("all that is on its way is no more than what may be stored", () => {
    const house = new House();
    const piece = Buffer.alloc(600_000);
    const clients = ["/a", "/b"].map((target) => {
      const client = house.ask(target);
      house.last.start(200, "", fieldsOf("Cache-Control", "max-age=60"));
      house.last.write(piece);
      return client;
    });
    assert.equal(house.cache.inflow.usedBytes, 600_000, "the second is passed on only");
    for (const inner of house.asked) inner.end();
    assert.deepEqual([...clients.map(({ text }) => text.length), house.cache.inflow.usedBytes], [600_000, 600_000, 0]);
    house.ask("/a");
    house.ask("/b");
    assert.equal(house.asked.length, 3);
  });

  test("after what may not be stored nobody waits, until something may", () => {
    const house = new House();
    house.ask("/");
    house.answer("1", { "Cache-Control": "no-store" });
    house.ask("/");
    house.ask("/");
    assert.equal(house.asked.length, 3);
    house.answer("2");
    house.ask("/");
    house.ask("/");
    assert.equal(house.asked.length, 4, "one for both");
  });
});

describe("validation", () => {
  const tagged = { "Cache-Control": "max-age=1", ETag: '"1"', "X-Old": "1", "X-Changed": "1" };

  test("the app is asked with our validators, not the client's; its 304 renews what is kept (RFC 9111 section 4.3)", () => {
    const house = new House();
    house.ask("/");
    house.answer("page", { ...tagged, "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT" });
    house.clock.advance(2000);
    const client = house.ask("/", { "If-None-Match": '"other"', Range: "bytes=0-1" });
    assert.equal(house.seen("if-none-match"), '"1"');
    assert.equal(house.seen("if-modified-since"), "Thu, 01 Jan 2026 00:00:00 GMT");
    assert.equal(house.seen("range"), undefined);
    house.answer("", { ETag: '"1"', "X-Changed": "2", "Content-Length": "99", "Content-Encoding": "x" }, 304);
    assert.deepEqual([client.status, client.text], [206, "pa"]);
    const hit = house.ask("/");
    assert.deepEqual(
      [hit.text, hit.fields["x-old"], hit.fields["x-changed"], hit.fields["content-encoding"], house.asked.length],
      ["page", "1", "2", undefined, 2],
    );
  });

  test("a 304 about another response is none about ours: it is asked for again, whole", () => {
    const house = new House();
    house.ask("/");
    house.answer("page", tagged);
    house.clock.advance(2000);
    const client = house.ask("/");
    house.answer("", { ETag: '"2"' }, 304);
    assert.equal(house.asked.length, 3);
    assert.equal(house.seen("if-none-match"), undefined);
    house.answer("new", { ...tagged, ETag: '"2"' });
    assert.equal(client.text, "new");
  });

  test("a new response takes its place; one that may not be stored too", () => {
    const house = new House();
    house.ask("/");
    house.answer("1", tagged);
    house.clock.advance(2000);
    house.ask("/");
    house.answer("2", { ...tagged, ETag: '"2"' });
    assert.equal(house.ask("/").text, "2");
    house.clock.advance(2000);
    house.ask("/");
    house.answer("3", { "Cache-Control": "no-store" });
    house.ask("/");
    assert.equal(house.seen("if-none-match"), undefined, "the old one is gone");
  });
});

describe("after its time", () => {
  test("stale-while-revalidate: one request behind the scene, whoever asks; then the new one", () => {
    const house = new House();
    house.ask("/");
    house.answer("1", { "Cache-Control": "max-age=1, stale-while-revalidate=10" });
    house.clock.advance(2000);
    const two = [house.ask("/"), house.ask("/")];
    assert.deepEqual(
      two.map(({ text, fields }) => [text, fields["cache-status"]]),
      [
        ["1", "maitred; hit; ttl=-1"],
        ["1", "maitred; hit; ttl=-1"],
      ],
    );
    assert.equal(house.asked.length, 2);
    house.answer("2");
    assert.equal(house.ask("/").text, "2");
  });

  test("beyond the window it is waited for", () => {
    const house = new House();
    house.ask("/");
    house.answer("1", { "Cache-Control": "max-age=1, stale-while-revalidate=10" });
    house.clock.advance(11_000);
    const client = house.ask("/");
    assert.equal(client.state, "waiting");
    house.answer("2");
    assert.equal(client.text, "2");
  });

  for (const status of [500, 502, 503, 504])
    test(`stale-if-error: ${status}, whole or streamed`, () => {
      const house = new House();
      house.ask("/");
      house.answer("good", { "Cache-Control": "max-age=1, stale-if-error=10" });
      house.clock.advance(2000);
      const client = house.ask("/");
      house.answer("bad", {}, status);
      assert.deepEqual([client.status, client.text], [200, "good"]);
      const other = house.ask("/");
      let credit = 0;
      house.last.onSent = (bytes) => (credit += bytes);
      house.last.start(status, "", fieldsOf());
      house.last.write(Buffer.from("bad"));
      house.last.end();
      assert.deepEqual([other.text, credit], ["good", 3]);
      house.clock.advance(10_000);
      const late = house.ask("/");
      house.answer("bad", {}, status);
      assert.equal(late.text, "bad");
    });

  test("while the app cannot be reached what is kept lives on, but not where it says must-revalidate", () => {
    const house = new House();
    for (const [target, control] of [
      ["/a", "max-age=1"],
      ["/b", "max-age=1, must-revalidate"],
      ["/c", "s-maxage=1"],
    ]) {
      house.ask(target!);
      house.answer("good", { "Cache-Control": control! });
    }
    house.clock.advance(2000);
    const clients = ["/a", "/b", "/c"].map((target) => {
      const client = house.ask(target);
      answerError(house.last, 503, 1);
      return client.status;
    });
    assert.deepEqual(clients, [200, 503, 503]);
  });

  const wants: readonly [control: string, isAsked: boolean][] = [
    ["max-age=10", true],
    ["max-age=100", false],
    ["min-fresh=30", true],
    ["min-fresh=10", false],
    ["no-cache", true],
    ["max-age=0", true],
    ["nonsense", false],
    ["max-stale", false],
  ];
  for (const [control, isAsked] of wants)
    test(`Cache-Control: ${control} in a request (RFC 9111 section 5.2.1)`, () => {
      const house = new House();
      house.ask("/");
      house.answer("1");
      house.clock.advance(40_000);
      house.ask("/", { "Cache-Control": control });
      assert.equal(house.asked.length, isAsked ? 2 : 1);
      const deaf = new House({ requestDirectives: false });
      deaf.ask("/");
      deaf.answer("1");
      deaf.ask("/", { "Cache-Control": control });
      assert.equal(deaf.asked.length, 1);
    });

  test("max-stale takes what is past its time, so far as it says, and not what must be validated", () => {
    const house = new House();
    for (const [target, more] of [
      ["/a", ""],
      ["/b", ", must-revalidate"],
    ]) {
      house.ask(target!);
      house.answer("1", { "Cache-Control": `max-age=1${more!}` });
    }
    house.clock.advance(5000);
    assert.equal(house.ask("/a", { "Cache-Control": "max-stale=10" }).text, "1");
    assert.equal(house.ask("/a", { "Cache-Control": "max-stale=3" }).state, "waiting");
    assert.equal(house.ask("/b", { "Cache-Control": "max-stale=10" }).state, "waiting");
  });
});

describe("purging", () => {
  test("what is under way is doomed by its path, and by its tags once they are known", () => {
    const house = new House();
    const client = house.ask("/a");
    const inner = house.last;
    inner.start(200, "", fieldsOf("Cache-Control", "max-age=60", "Cache-Tag", "t"));
    const wish = { paths: [], tags: ["t"], isEverything: false, host: null, isSoft: false };
    assert.equal(house.cache.obey(wish), 0);
    inner.end();
    assert.equal(client.state, "whole");
    house.ask("/a");
    assert.equal(house.asked.length, 2);
  });

  test("softly: the app is asked, and may say that it is still good", () => {
    const house = new House();
    house.ask("/a");
    house.answer("1", { ...FRESH, ETag: '"1"' });
    const wish = { paths: ["/a"], tags: [], isEverything: false, host: "h", isSoft: true };
    assert.equal(house.cache.obey(wish), 1);
    const client = house.ask("/a");
    assert.equal(house.seen("if-none-match"), '"1"');
    house.answer("", { ETag: '"1"' }, 304);
    assert.equal(client.text, "1");
  });
});
