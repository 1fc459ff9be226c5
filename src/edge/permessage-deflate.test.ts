import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";

import { deflateMessage, inflateMessage } from "./permessage-deflate.ts";

const SIZES = [0, 1, 511, 512, 1023, 1024, 4096, 16_320, 16_384, 16_385, 131_072, 1_000_000];

suite("a compressed message", () => {
  for (const windowBits of [9, 12, 15]) {
    test(`is the same again, whatever its size and content (window of ${windowBits} bits)`, () => {
      for (const size of SIZES) {
        for (const message of [Buffer.alloc(size, "ab"), randomBytes(size)]) {
          const inflated = inflateMessage(deflateMessage(message, windowBits), 0);
          assert.ok(inflated.type === "message" && inflated.bytes.equals(message), `${size} bytes`);
        }
      }
    });
  }

  test("may be exactly as large as is allowed, and no byte larger", () => {
    for (const size of SIZES.slice(1)) {
      const deflated = deflateMessage(Buffer.alloc(size, "a"), 15);
      assert.equal(inflateMessage(deflated, size).type, "message", `${size} bytes`);
      if (size > 1) assert.equal(inflateMessage(deflated, size - 1).type, "too big", `${size} bytes`);
    }
  });

  test("may come in several blocks, in the highest compression, or in none", () => {
    const message = Buffer.alloc(50_000, "some text, and again ");
    for (const level of [0, 9]) {
      const deflated = deflateRawSync(message, { level, finishFlush: constants.Z_SYNC_FLUSH });
      const inflated = inflateMessage(deflated.subarray(0, -4), 50_000);
      assert.ok(inflated.type === "message" && inflated.bytes.equals(message));
    }
  });

  test("that is no deflated data is corrupt", () => {
    assert.equal(inflateMessage(Buffer.from("\x07no block is of this type"), 1000).type, "corrupt");
  });
});
