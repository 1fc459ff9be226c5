import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesKey, internedKey, MarshalWriter, plainKey } from "./marshal-writer.ts";
import { loadedByPython } from "./python.test.ts";

const DICT = 0x7b;
const DICT_END = 0x30;

/** As Python's `ascii()` writes a str. */
function pythonStr(text: string): string {
  const inner = Array.from(text)
    .map((char) => {
      const code = char.codePointAt(0)!;
      const short = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" }[char];
      if (short !== undefined) return short;
      if (code >= 0x20 && code < 0x7f) return char;
      if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
      return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
    })
    .join("");
  return text.includes("'") && !text.includes('"') ? `"${inner}"` : `'${inner.replaceAll("'", "\\'")}'`;
}

/** As Python writes bytes. */
const pythonBytes = (text: string): string => `b${pythonStr(text)}`;

function written(write: (writer: MarshalWriter) => void): Buffer {
  // The smallest buffer there is, so that every reserve has to grow it.
  const writer = new MarshalWriter(0);
  write(writer);
  return writer.since(0);
}

test("CPython reads each kind of value", () => {
  const long = "x".repeat(300);
  const table: readonly [(writer: MarshalWriter) => void, string][] = [
    [(writer) => writer.ascii(""), "''"],
    [(writer) => writer.ascii("a".repeat(255)), `'${"a".repeat(255)}'`],
    [(writer) => writer.ascii("a".repeat(256)), `'${"a".repeat(256)}'`],
    [(writer) => writer.text("caf\u00e9"), "'caf\\xe9'"],
    [(writer) => writer.text("\u20ac\u{1f600}"), "'\\u20ac\\U0001f600'"],
    [(writer) => writer.text(`\u00ff${long}`), `'\\xff${long}'`],
    [(writer) => writer.latin1Bytes("\0\u00ff"), "b'\\x00\\xff'"],
    [(writer) => writer.latin1Bytes(long), `b'${long}'`],
    [(writer) => writer.bytesOf(Buffer.from(long)), `b'${long}'`],
    [(writer) => writer.int(0), "0"],
    [(writer) => writer.int(0xffffff), "16777215"],
    [(writer) => writer.int(0x7fffffff), "2147483647"],
    [(writer) => writer.raw(internedKey("PATH_INFO")), "'PATH_INFO'"],
    [(writer) => writer.raw(plainKey(long)), `'${long}'`],
    [(writer) => writer.raw(bytesKey("host")), "b'host'"],
    [
      (writer) => {
        writer.list(2);
        writer.tuple(3);
        for (const code of "NTF") writer.code(code.charCodeAt(0));
        writer.code(DICT);
        writer.raw(internedKey("k"));
        writer.int(7);
        writer.code(DICT_END);
      },
      "[(None, True, False), {'k': 7}]",
    ],
  ];
  assert.deepEqual(
    loadedByPython(table.map(([write]) => written(write))),
    table.map(([, expected]) => expected),
  );
});

test("CPython reads any string as what it was, as str and as bytes", () => {
  const latin1 = fc.string({ unit: fc.nat(0xff).map((code) => String.fromCharCode(code)), maxLength: 60 });
  const strings = fc.sample(fc.oneof(latin1, fc.string({ unit: "grapheme", maxLength: 40 })), {
    numRuns: 400,
    seed: 1,
  });
  const texts = loadedByPython(strings.map((text) => written((writer) => writer.text(text))));
  assert.deepEqual(texts, strings.map(pythonStr));
  const bytes = fc.sample(latin1, { numRuns: 200, seed: 2 });
  const expected = bytes.map(pythonBytes);
  assert.deepEqual(loadedByPython(bytes.map((text) => written((writer) => writer.latin1Bytes(text)))), expected);
});

test("a copy of what was written is not touched by what is written next", () => {
  const writer = new MarshalWriter(64);
  writer.ascii("first");
  const copy = writer.since(0);
  writer.at = 0;
  writer.ascii("other");
  assert.equal(copy.toString("latin1"), "z\u0005first");
});
