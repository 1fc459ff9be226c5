/** RFC 9111 section 5.2 and its appendix of doubtful cases, as tables. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deltaSeconds, isWhole, MOST_SECONDS, namedFields, parseDirectives, secondsOf } from "./cache-control.ts";
import { parseSurrogate, parseTargeted } from "./targeted.ts";

const maxAge: readonly [lines: readonly string[], seconds: number | null | undefined][] = [
  [["max-age=60"], 60],
  [["MaX-aGe=60"], 60],
  [["foo, max-age=60, bar"], 60],
  [["foo", "max-age=60"], 60],
  [[' ,, max-age="60" ,'], 60],
  [["max-age=0060"], 60],
  [["max-age=60, max-age=1"], 60],
  [["max-age=1", "max-age=60"], 1],
  [["max-age=99999999999"], MOST_SECONDS],
  [["max-age=-1"], null],
  [["max-age=1.5"], null],
  [["max-age=60a"], null],
  [["max-age=a60"], null],
  [["max-age='60'"], null],
  [["max-age"], null],
  [["max-age="], null],
  [["max-age= 60"], null],
  [["max-age =60"], null],
  [['max-age="60" 1'], null],
  [['extension="max-age=3600", max-age=1'], 1],
  [['extension="a\\"b, max-age=3600"'], undefined],
  [['extension="never closed, max-age=3600'], undefined],
  [["s-maxage=60"], undefined],
  [[], undefined],
  [[""], undefined],
];

for (const [lines, seconds] of maxAge)
  test(`max-age of ${JSON.stringify(lines)}: ${seconds}`, () =>
    assert.equal(secondsOf(parseDirectives(lines), "max-age"), seconds));

test("private and no-cache speak of the whole response, or of fields", () => {
  const directives = parseDirectives(['private="Set-Cookie, X-User", no-cache']);
  assert.deepEqual(namedFields(directives, "private"), ["set-cookie", "x-user"]);
  assert.equal(isWhole(directives, "private"), false);
  assert.equal(isWhole(directives, "no-cache"), true);
  assert.equal(isWhole(parseDirectives(['private=""']), "private"), true, "no field is meant: all are");
  assert.equal(isWhole(parseDirectives([]), "private"), false);
});

test("any text is read, and read the same with other directives before it in quotes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), fc.nat(MOST_SECONDS), (junk, seconds) => {
      parseDirectives([junk]);
      const quoted = junk.replaceAll(/["\\]/g, "");
      assert.equal(secondsOf(parseDirectives([`x="${quoted}", max-age=${seconds}`]), "max-age"), seconds);
      assert.equal(deltaSeconds(String(seconds)), seconds);
    }),
  );
});

const targeted: readonly [text: string, directives: Readonly<Record<string, string>> | null][] = [
  ["max-age=60, private", { "max-age": "60", private: "" }],
  ["no-store=?1", { "no-store": "" }],
  ["no-store=?0, max-age=1", { "max-age": "1" }],
  ["max-age=60;ext=1", { "max-age": "60" }],
  ["max-age=60, &&&", null],
  ['max-age="60"', null],
  ["max-age=60.5", null],
  ["MAX-AGE=60", null],
  ["max-age =60", null],
  ["max-age= 60", null],
  ["", null],
];

for (const [text, directives] of targeted)
  test(`CDN-Cache-Control: ${text} (RFC 9213)`, () => {
    const parsed = parseTargeted(text === "" ? [] : [text]);
    assert.deepEqual(parsed === null ? null : Object.fromEntries(parsed), directives);
  });

test("Surrogate-Control has a time and one after it", () => {
  const parsed = parseSurrogate(['max-age=60+30, content="ESI/1.0"']);
  assert.deepEqual([parsed?.get("max-age"), parsed?.get("stale-while-revalidate")], ["60", "30"]);
  assert.equal(parseSurrogate(['content="ESI/1.0"']), null);
  assert.equal(parseSurrogate([]), null);
});
