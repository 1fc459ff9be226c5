import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodePathLatin1, decodePathUtf8 } from "./target.ts";

describe("decoding a path", () => {
  const table: readonly (readonly [path: string, latin1: string, utf8: string])[] = [
    ["/plain", "/plain", "/plain"],
    ["/a%20b%2Fc", "/a b/c", "/a b/c"],
    ["/%E2%82%ac", "/\xe2\x82\xac", "/€"],
    ["/%ff", "/\xff", "/\ufffd"],
    ["/%00%0d%0a", "/\0\r\n", "/\0\r\n"],
    ["/+", "/+", "/+"],
    ["/%", "/%", "/%"],
    ["/%4", "/%4", "/%4"],
    ["/%zz%41", "/%zzA", "/%zzA"],
    ["/%%41", "/%A", "/%A"],
    ["/%+1% 1%-1", "/%+1% 1%-1", "/%+1% 1%-1"],
    ["/%2541", "/%41", "/%41"],
    ["*", "*", "*"],
  ];
  for (const [path, latin1, utf8] of table) {
    test(JSON.stringify(path), () => assert.deepEqual([decodePathLatin1(path), decodePathUtf8(path)], [latin1, utf8]));
  }

  test("any text comes back from encodeURIComponent", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const path = encodeURIComponent(text);
        assert.equal(decodePathUtf8(path), text);
        assert.equal(decodePathLatin1(path), Buffer.from(text).toString("latin1"));
      }),
    );
  });

  test("any text is decoded without throwing", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."%0aFg+ /") }), (path) => {
        assert.ok(decodePathLatin1(path).length <= path.length);
        decodePathUtf8(path);
      }),
    );
  });
});
