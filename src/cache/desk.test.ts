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

test("an error of our own is told as one, so that it can have a page of its own", () => {
  const house = new House();
  const [leader, other] = [house.ask("/"), house.ask("/")];
  answerError(house.asked[0]!, 502);
  answerError(house.last, 504);
  assert.deepEqual(
    [leader.status, leader.exchange.isOwnError, other.status, other.exchange.isOwnError],
    [502, true, 504, true],
  );
});

describe("purging", () => {
  test("what is under way is doomed by its path, and by its tags once they are known", async () => {
    const house = new House();
    const client = house.ask("/a");
    const inner = house.last;
    inner.start(200, "", fieldsOf("Cache-Control", "max-age=60", "Cache-Tag", "t"));
    const wish = { paths: [], tags: ["t"], isEverything: false, host: null, isSoft: false };
    assert.equal(await house.cache.obey(wish), 0);
    inner.end();
    assert.equal(client.state, "whole");
    house.ask("/a");
    assert.equal(house.asked.length, 2);
  });

  test("softly: the app is asked, and may say that it is still good", async () => {
    const house = new House();
    house.ask("/a");
    house.answer("1", { ...FRESH, ETag: '"1"' });
    const wish = { paths: ["/a"], tags: [], isEverything: false, host: "h", isSoft: true };
    assert.equal(await house.cache.obey(wish), 1);
    const client = house.ask("/a");
    assert.equal(house.seen("if-none-match"), '"1"');
    house.answer("", { ETag: '"1"' }, 304);
    assert.equal(client.text, "1");
  });
});
