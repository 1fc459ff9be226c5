/** HPACK both ways: the examples of RFC 7541, what a decoder must refuse, and the property that what we encode is decoded the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BAD_SECTION, HpackDecoder, LIST_TOO_LARGE } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { huffmanDecode } from "./huffman.ts";

const LIMIT = 65_536;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

function encode(encoder: HpackEncoder, flat: readonly string[]): Buffer {
  const bytes = Buffer.alloc(HpackEncoder.bound(flat));
  return bytes.subarray(0, encoder.encode(flat, bytes, 0));
}

test("the requests of RFC 7541 appendix C.4 are decoded, with Huffman code and a table that grows", () => {
  const decoder = new HpackDecoder(LIMIT);
  const head = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
  assert.deepEqual(decoder.decode(hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")), head);
  assert.deepEqual(decoder.decode(hex("8286 84be 5886 a8eb 1064 9cbf")), [...head, "cache-control", "no-cache"]);
  assert.deepEqual(decoder.decode(hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")), [
    ":method",
    "GET",
    ":scheme",
    "https",
    ":path",
    "/index.html",
    ":authority",
    "www.example.com",
    "custom-key",
    "custom-value",
  ]);
});

test("a section that comes again is the same list, until the table changes", () => {
  const decoder = new HpackDecoder(LIMIT);
  const first = decoder.decode(hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"));
  const second = decoder.decode(hex("8286 84be"));
  assert.deepEqual(second, first);
  assert.equal(decoder.decode(hex("8286 84be")), second);
  decoder.decode(hex("4001 6101 62")); // a: b, which moves the others
  assert.deepEqual(decoder.decode(hex("8286 84be")), [":method", "GET", ":scheme", "http", ":path", "/", "a", "b"]);
});

const MALFORMED: readonly [string, string][] = [
  ["index 0", "80"],
  ["an index beyond both tables", "be"],
  ["a literal whose name is beyond both tables", "7e0161"],
  ["an integer that never ends", "ffffffffffffffffffff"],
  ["an integer cut off", "ff"],
  ["a string longer than the section", "400561"],
  ["a string cut off before its length", "4001"],
  ["Huffman padding of more than seven bits", "0001 61 82 1fff"],
  ["Huffman padding of zeros", "0001 61 81 18"],
  ["EOS inside a Huffman string", "0001 61 84 ffffffff"],
  ["a table size above what was offered", "3fe2 1f"],
  ["a table size behind a field", "82 20"],
];
for (const [what, bytes] of MALFORMED)
  test(`refused: ${what}`, () => assert.equal(new HpackDecoder(LIMIT).decode(hex(bytes)), BAD_SECTION));

test("a list beyond the limit is told, and the table stays in step", () => {
  const decoder = new HpackDecoder(200);
  const encoder = new HpackEncoder();
  assert.equal(decoder.decode(encode(encoder, ["x-long", "v".repeat(300)])), LIST_TOO_LARGE);
  assert.deepEqual(decoder.decode(encode(encoder, ["x-short", "v"])), ["x-short", "v"]);
  assert.deepEqual(decoder.decode(encode(encoder, ["x-short", "v"])), ["x-short", "v"]);
});

test("a bomb of references costs its list, not its text", () => {
  const decoder = new HpackDecoder(LIMIT);
  decoder.decode(Buffer.concat([hex("4001 61 7f a11e"), Buffer.alloc(4000, 0x62)]));
  assert.equal(decoder.decode(Buffer.alloc(16_000, 0xbe)), LIST_TOO_LARGE);
});

test("any fields, through any table sizes, come out as they went in", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const value = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 200,
  });
  const pair = fc.oneof(
    fc.tuple(name, value),
    fc.constantFrom(
      [":status", "200"],
      [":status", "299"],
      ["content-length", "12"],
      ["set-cookie", "a=b"],
      ["vary", "x"],
    ),
  );
  const section = fc.record({
    resize: fc.option(fc.integer({ min: 0, max: 9000 })),
    pairs: fc.array(pair, { maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(section, { maxLength: 12 }), (sections) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(1_000_000);
      for (const { resize, pairs } of sections) {
        if (resize !== null) encoder.resize(resize);
        const flat = pairs.flat();
        assert.deepEqual(decoder.decode(encode(encoder, flat)), flat);
      }
    }),
    { numRuns: 300 },
  );
});

test("any bytes are decoded or refused, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder(LIMIT);
      for (const block of blocks) {
        const list = decoder.decode(Buffer.from(block));
        if (list === BAD_SECTION) return;
        if (list !== LIST_TOO_LARGE) assert.equal(list.length % 2, 0);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a Huffman string of printable text has the length it was sent with", () => {
  assert.equal(huffmanDecode(hex("f1e3 c2e5 f23a 6ba0 ab90 f4ff"), 0, 12), "www.example.com");
  assert.equal(huffmanDecode(hex("9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3"), 0, 17), "https://www.example.com");
});
