import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BadField, ResponseFields, responseFields } from "./response-fields.ts";

function valid(...flat: string[]): ResponseFields {
  const fields = responseFields(flat);
  assert.ok(fields instanceof ResponseFields, JSON.stringify(fields));
  return fields;
}

describe("an app's response fields", () => {
  test("become lines in their order, spelled as given", () => {
    assert.equal(
      valid("Content-Type", "text/plain", "x-a", "", "X-A", "\xe9 \t").text,
      "Content-Type: text/plain\r\nx-a: \r\nX-A: \xe9 \t\r\n",
    );
  });

  test("of framing and connection are taken out of the text, not out of `flat`", () => {
    const flat = [
      ["Content-Length", "5"],
      ["Transfer-Encoding", "chunked"],
      ["Connection", "x"],
      ["Keep-Alive", "timeout=5"],
      ["Proxy-Connection", "close"],
      ["Proxy-Authenticate", "Basic"],
      ["Upgrade", "h2c"],
      ["TE", "trailers"],
      ["Trailer", "X"],
      ["X", "y"],
    ].flat();
    const fields = valid(...flat);
    assert.equal(fields.text, "X: y\r\n");
    assert.equal(fields.contentLength, 5);
    assert.equal(fields.wantsClose, false);
    assert.deepEqual(fields.flat, flat);
  });

  test("tell what the server must know", () => {
    const none = valid();
    assert.deepEqual(
      [none.text, none.contentLength, none.hasDate, none.hasServer, none.wantsClose],
      ["", -1, false, false, false],
    );
    const all = valid("date", "now", "SERVER", "me", "connection", "keep-alive, Close");
    assert.deepEqual([all.hasDate, all.hasServer, all.wantsClose], [true, true, true]);
    assert.equal(all.text, "date: now\r\nSERVER: me\r\n");
    assert.equal(valid("Connection", "not-close").wantsClose, false);
  });

  test("may repeat a length, but not contradict it", () => {
    assert.equal(valid("Content-Length", "5", "content-length", "05").contentLength, 5);
  });

  const refused: readonly (readonly string[])[] = [
    ["X", "a\r\nSet-Cookie: b"],
    ["X", "a\nb"],
    ["X", "a\rb"],
    ["X", "a\0"],
    ["X", "\x1b"],
    ["X", "\x7f"],
    ["X", "€"],
    ["Connection", "close\r\n"],
    ["X\r\nY", "a"],
    ["X:", "a"],
    ["X ", "a"],
    ["", "a"],
    ["é", "a"],
    ["Content-Length", ""],
    ["Content-Length", "-1"],
    ["Content-Length", "5, 5"],
    ["Content-Length", "9007199254740992"],
    ["Content-Length", "5", "Content-Length", "6"],
    ["X"],
  ];
  for (const flat of refused) {
    test(`${JSON.stringify(flat)} cannot be sent`, () =>
      assert.ok(responseFields(["A", "b", ...flat]) instanceof BadField));
  }

  test("never let a line through that they did not write", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string({ unit: "binary" }))), (pairs) => {
        const fields = responseFields(pairs.flat());
        if (fields instanceof ResponseFields) assert.ok(fields.text.split("\r\n").length <= pairs.length + 1);
      }),
    );
  });
});
