/** Range fields, and what is sent for them. Whole requests: tests/server/static-files.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteRanges, contentRange } from "./byte-ranges.ts";

function told(field: string, size: number): string {
  const request = byteRanges(field, size);
  return request.type === "ranges"
    ? request.ranges.map((range) => contentRange(range, size)).join(" | ")
    : request.type;
}

for (const [field, size, expected] of [
  ["bytes=0-0", 10, "bytes 0-0/10"],
  ["bytes=9-", 10, "bytes 9-9/10"],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=-3", 10, "bytes 7-9/10"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=-3,20-", 10, "bytes 7-9/10"],
  ["bytes=0-,-0", 0, "unsatisfiable"],
  ["bytes = 0-1", 10, "bytes 0-1/10"],
  ["bytes=,0-1, ,", 10, "bytes 0-1/10"],
  ["bytes=", 10, "whole"],
  ["bytes=5-4", 10, "whole"],
  ["bytes=0-1,x", 10, "whole"],
  ["bytes=0x1-2", 10, "whole"],
  ["bytes=--1", 10, "whole"],
  ["seconds=0-1", 10, "whole"],
  ["bytes=99999999999999999999-", 10, "whole"],
  ["bytes=900-999,0-99", 2000, "bytes 900-999/2000 | bytes 0-99/2000"],
  ["bytes=900-999,0-99,50-200", 2000, "bytes 0-200/2000 | bytes 900-999/2000"],
  ["bytes=0-9,100-109", 2000, "bytes 0-109/2000"],
] as const)
  test(`${field} of ${size}: ${expected}`, () => assert.equal(told(field, size), expected));

test("any field is answered with ranges that lie in the file and do not overlap", () => {
  const item = fc.oneof(
    fc.tuple(fc.nat(2000), fc.option(fc.nat(2000))).map(([from, to]) => `${from}-${to ?? ""}`),
    fc.nat(2000).map((last) => `-${last}`),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(item, { maxLength: 50 }), fc.nat(1500), (items, size) => {
      const request = byteRanges(`bytes=${items.join(",")}`, size);
      if (request.type !== "ranges") return;
      const sorted = request.ranges.toSorted((a, b) => a.start - b.start);
      let end = 0;
      for (const { start, length } of sorted) {
        assert.ok(start >= end && length > 0 && start + length <= size);
        end = start + length;
      }
    }),
  );
});
