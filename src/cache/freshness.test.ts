/** The arithmetic of RFC 9111 section 4.2. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { httpDate } from "../http/http-date.ts";
import { parseDirectives } from "./cache-control.ts";
import { ageValue, initialAge, type Lifetime, lifetimeOf } from "./freshness.ts";

const NOW = Date.UTC(2026, 0, 1);
const RULES = { defaultSeconds: 0, heuristicSeconds: 86_400 };

function at(seconds: number): string {
  return httpDate(NOW + seconds * 1000);
}

function lifetime(flat: readonly string[], status: number = 200, rules: typeof RULES = RULES): Lifetime {
  const lines = flat.filter((_, i) => flat[i - 1] === "Cache-Control" && i % 2 === 1);
  return lifetimeOf(status, flat, parseDirectives(lines), false, NOW, rules);
}

const cases: readonly [what: string, flat: readonly string[], seconds: number, source: Lifetime["source"]][] = [
  ["s-maxage goes before max-age", ["Cache-Control", "max-age=1, s-maxage=9"], 9, "explicit"],
  ["s-maxage goes before max-age, also where it is shorter", ["Cache-Control", "s-maxage=1, max-age=9"], 1, "explicit"],
  ["max-age goes before Expires", ["Cache-Control", "max-age=9", "Expires", at(-60)], 9, "explicit"],
  ["max-age=0 goes before Expires", ["Cache-Control", "max-age=0", "Expires", at(60)], 0, "explicit"],
  ["what cannot be read is 0 (4.2.1)", ["Cache-Control", "max-age=x", "Expires", at(60)], 0, "explicit"],
  ["Expires less Date", ["Expires", at(60)], 60, "explicit"],
  ["Expires in the past", ["Expires", at(-60)], 0, "explicit"],
  ["Expires that is no date is in the past (5.3)", ["Expires", "0"], 0, "explicit"],
  ["the first Expires of two", ["Expires", at(5), "Expires", at(60)], 5, "explicit"],
  ["Expires in the obsolete formats", ["Expires", "Thursday, 01-Jan-26 00:00:30 GMT"], 30, "explicit"],
  ["Expires in another letter case", ["Expires", at(60).toUpperCase()], 60, "explicit"],
  ["Expires far away", ["Expires", "Sun, 21 Nov 2286 04:46:39 GMT"], 2_147_483_648, "explicit"],
  ["a tenth of Last-Modified's age (4.2.2)", ["Last-Modified", at(-1000)], 100, "heuristic"],
  ["no more than a day", ["Last-Modified", at(-100_000_000)], 86_400, "heuristic"],
  ["Last-Modified in the future says nothing", ["Last-Modified", at(60)], 0, "none"],
  ["nothing says nothing", [], 0, "none"],
  ["no-cache says it", ["Cache-Control", "no-cache"], 0, "explicit"],
];

for (const [what, flat, seconds, source] of cases)
  test(`freshness lifetime: ${what}`, () => assert.deepEqual(lifetime(flat), { seconds, source }));

test("heuristics are for statuses that allow them, and for public ones", () => {
  const flat = ["Last-Modified", at(-1000)];
  for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])
    assert.equal(lifetime(flat, status).source, "heuristic", String(status));
  for (const status of [201, 202, 302, 307, 400, 403, 500, 502, 503, 504, 599])
    assert.equal(lifetime(flat, status).source, "none", String(status));
  assert.equal(lifetime([...flat, "Cache-Control", "public"], 599).seconds, 100);
});

test("the operator's time is for what says none", () => {
  const rules = { ...RULES, defaultSeconds: 5 };
  assert.deepEqual(lifetime([], 200, rules), { seconds: 5, source: "default" });
  assert.deepEqual(lifetime(["Cache-Control", "max-age=1"], 200, rules), { seconds: 1, source: "explicit" });
  assert.deepEqual(lifetime([], 500, rules), { seconds: 0, source: "none" });
});

const ages: readonly [lines: readonly string[], age: number][] = [
  [["60"], 60],
  [["60, 0"], 60],
  [["0, 60"], 0],
  [["60", "0"], 60],
  [["abc"], 0],
  [["-60"], 0],
  [["60.0"], 0],
  [["60;a=b"], 0],
  [["99999999999"], 2_147_483_648],
  [[], 0],
];

for (const [lines, age] of ages)
  test(`Age ${JSON.stringify(lines)} is ${age}`, () =>
    assert.equal(ageValue(lines.flatMap((line) => ["Age", line])), age));

test("the initial age is the greater of what Date and Age say, and never less than the way took (4.2.3)", () => {
  assert.equal(initialAge([], NOW - 10_000, NOW, 0), 10);
  assert.equal(initialAge(["Age", "3"], NOW - 10_000, NOW, 0), 10);
  assert.equal(initialAge(["Age", "30"], NOW - 10_000, NOW, 2000), 32);
  assert.equal(initialAge([], NOW + 10_000, NOW, 0), 0, "a clock that is fast");
  assert.equal(initialAge([], null, NOW, 1500), 1.5);
  fc.assert(
    fc.property(fc.nat(1e9), fc.integer({ min: -1e9, max: 1e9 }), fc.nat(1e6), (age, skew, delay) => {
      const initial = initialAge(["Age", String(age)], NOW - skew, NOW, delay);
      assert.ok(initial >= age && initial >= delay / 1000 && initial >= Math.floor(skew / 1000));
    }),
  );
});
