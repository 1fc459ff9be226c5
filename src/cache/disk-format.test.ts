/** The files of the disk tier: what was written is read, what was damaged is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeHead, decodeRecord, encodeHead, encodeRecord, HEAD_BYTES } from "./disk-format.ts";
import { storedResponse } from "./house.test.ts";

test("a record comes back with its times moved to another clock", () => {
  const { terms } = storedResponse({ vary: ["accept"], variantKey: "=é", tags: ["a"], flat: ["X", "\xff\x80é"] });
  const record = { shelfName: "https://x\nlang=de", target: "/a?b", terms };
  const bytes = encodeRecord(record, 1_000_000);
  const read = decodeRecord(bytes, 999_000);
  assert.deepEqual(read, { ...record, terms: { ...terms, bornAt: 1000, freshUntil: 61_000 } });
});

test("a head comes back, and nothing else is one", () => {
  const head = { termsLength: 5, termsCheck: 0xffffffff, bodyLength: 0, bodyCheck: 0 };
  const bytes = encodeHead(head);
  assert.equal(bytes.length, HEAD_BYTES);
  assert.deepEqual(decodeHead(bytes), head);
  fc.assert(fc.property(fc.nat(HEAD_BYTES - 1), (length) => assert.equal(decodeHead(bytes.subarray(0, length)), null)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => assert.equal(decodeHead(Buffer.from(noise)), null)),
  );
  assert.equal(decodeHead(encodeHead({ ...head, termsLength: 0xffffffff })), null, "more than any has");
});

test("what is no record is none, whatever it is", () => {
  for (const text of ["", "null", "[]", "{}", '{"shelfName":"x","target":"/","terms":null}', '{"shelfName":1}', "{"])
    assert.equal(decodeRecord(Buffer.from(text), 0), null, text);
});
