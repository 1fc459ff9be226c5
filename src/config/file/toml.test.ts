/** Values, and the lines they stand on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseToml } from "./toml.ts";
import { tomlText } from "./toml-text.ts";

const text = `a = 1
b.c = "x"

[t]
list = [
  "one",
  { two = 2,  three = 1979-05-27 },
]
[[r]]
p = true
[[r]]
p = false
[r.deep.er]
q = 0x1f
[[r.deep.list]]
z = 1.5
`;

function document(text: string): Exclude<ReturnType<typeof parseToml>, { why: string }> {
  const parsed = parseToml(text);
  return "why" in parsed ? assert.fail(parsed.why) : parsed;
}

test("values of all kinds", () => {
  const { table } = document(text);
  assert.equal(
    tomlText(table),
    '{ a = 1, b = { c = "x" }, t = { list = ["one", { two = 2, three = "1979-05-27T00:00:00.000Z" }] }, ' +
      "r = [{ p = true }, { p = false, deep = { er = { q = 31 }, list = [{ z = 1.5 }] } }] }",
  );
});

const lines: readonly (readonly [path: readonly PropertyKey[], line: number])[] = [
  [["a"], 1],
  [["b"], 2],
  [["b", "c"], 2],
  [["t"], 4],
  [["t", "list"], 5],
  [["t", "list", 0], 6],
  [["t", "list", 1, "two"], 7],
  [["t", "nothing"], 4],
  [["r", 0], 9],
  [["r", 1], 11],
  [["r", 1, "p"], 12],
  [["r", 1, "deep", "er", "q"], 14],
  [["r", 1, "deep", "list", 0, "z"], 16],
  [["nothing"], 1],
];

for (const [path, line] of lines)
  test(`${path.map(String).join(".")} stands on line ${line}`, () => assert.equal(document(text).lineOf(path), line));

test("what is no TOML is told with its line and column", () => {
  for (const [text, line, why] of [
    ["a = 1\nb = = 2", 2, /^column 5: /],
    ["a = 1\na = 2", 2, /a/],
    ['a = "x', 1, /^column \d+: /],
    ["[t", 1, /./],
    ["a = 01", 1, /./],
  ] as const) {
    const parsed = parseToml(text);
    assert.ok("why" in parsed, text);
    assert.equal(parsed.line, line, text);
    assert.match(parsed.why, why);
  }
});

test("a key may have any name", () => {
  const { table, lineOf } = document('__proto__ = 1\nconstructor = 2\n[toString]\n"a b" = 3');
  assert.deepEqual(Object.keys(table), ["__proto__", "constructor", "toString"]);
  assert.equal(lineOf(["toString", "a b"]), 4);
  assert.equal(({} as Record<string, unknown>)["a"], undefined);
});

test("underscores in keys count as dashes for their line", () =>
  assert.equal(document("x = 1\nlimit_request_body = 2").lineOf(["limit-request-body"]), 2));
