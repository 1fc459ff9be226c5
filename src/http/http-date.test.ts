/** Dates as header fields spell them, compared with what Date makes of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { httpDate, parseHttpDate } from "./http-date.ts";

test("any second is written as Date writes it, and read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_000_000_000, max: 250_000_000_000 }), (seconds) => {
      const text = httpDate(seconds * 1000);
      assert.equal(text, new Date(seconds * 1000).toUTCString());
      assert.equal(parseHttpDate(text), seconds * 1000);
    }),
  );
  assert.equal(httpDate(784_111_777_999.5), "Sun, 06 Nov 1994 08:49:37 GMT");
});

test("the three formats of RFC 9110 mean the same", () => {
  for (const text of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    assert.equal(parseHttpDate(text), 784_111_777_000, text);
  assert.equal(parseHttpDate("Tuesday, 01-Jan-30 00:00:00 GMT"), Date.UTC(2030, 0, 1));
});

for (const text of [
  "",
  "0",
  "yesterday",
  "1994-11-06T08:49:37Z",
  "Sun, 06 Nov 1994 08:49:37 +0100",
  "Sun, 06 Nov 1994 24:49:37 GMT",
  "Sun, 30 Feb 1994 08:49:37 GMT",
  "Sun, 06 Foo 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
])
  test(`"${text}" is no date`, () => assert.equal(parseHttpDate(text), null));
