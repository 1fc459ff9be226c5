/** Responses past their time: validated, renewed behind the scene, given in place of errors, asked for by the request's own Cache-Control. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerError } from "../http/error-response.ts";
import { fieldsOf, House } from "./house.test.ts";

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
