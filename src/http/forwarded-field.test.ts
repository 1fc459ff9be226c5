import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ForwardedElement, parseForwarded } from "./forwarded-field.ts";

const element = (said: Partial<ForwardedElement>): ForwardedElement => ({
  for: null,
  proto: null,
  host: null,
  ...said,
});

for (const [line, expected] of [
  ["", []],
  [" , ,", []],
  [";", []],
  ["for=192.0.2.60", [element({ for: "192.0.2.60" })]],
  ['For="[2001:db8:cafe::17]:4711"', [element({ for: "[2001:db8:cafe::17]:4711" })]],
  [
    "for=192.0.2.60;proto=http;by=203.0.113.43;host=a.example",
    [element({ for: "192.0.2.60", proto: "http", host: "a.example" })],
  ],
  ["for=192.0.2.43, for=198.51.100.17", [element({ for: "192.0.2.43" }), element({ for: "198.51.100.17" })]],
  [
    "FOR=_hidden ; Proto=HTTPS,,for=unknown",
    [element({ for: "_hidden", proto: "HTTPS" }), element({ for: "unknown" })],
  ],
  ['for="_a, for=1.2.3.4";proto="ht\\tp"', [element({ for: "_a, for=1.2.3.4", proto: "http" })]],
  ['host="a\\"b"', [element({ host: 'a"b' })]],
  ["by=_x", [element({})]],
  ["secret=hunter2;for=1.2.3.4", [element({ for: "1.2.3.4" })]],
] as const) {
  test(`${line} is read`, () => assert.deepEqual(parseForwarded(line), expected));
}

for (const line of [
  "for",
  "for=",
  "=1.2.3.4",
  "for=1.2.3.4:80",
  "for=[::1]",
  "for = 1.2.3.4",
  'for="1.2.3.4',
  'for="1.2.3.4"5',
  'for="a\\',
  "for=1.2.3.4;for=5.6.7.8",
  "for=1.2.3.4 proto=http",
  'for="x, for="[2001:db8::1]"',
  'for="a\nb"',
]) {
  test(`${JSON.stringify(line)} is malformed`, () => assert.equal(parseForwarded(line), null));
}

test("any text is read or refused, in time that grows with its length only", () => {
  const hostile = fc.string({
    unit: fc.constantFrom("for", "=", '"', "\\", ";", ",", " ", "\t", "a", "\x80"),
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.oneof(fc.string(), hostile), (line) => {
      const elements = parseForwarded(line);
      assert.ok(elements === null || elements.length <= line.length);
    }),
  );
  // A second would be a thousand times too long.
  const before = performance.now();
  for (const text of [" ", "a", '"', "for=", ";", ",", "a=b ", '\\"', 'a="'])
    parseForwarded(`a=b;${text.repeat(8000)}(`);
  assert.ok(performance.now() - before < 1000);
});
