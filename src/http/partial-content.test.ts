/** Parts of a whole: what they say about themselves, and that they cost no more than the whole and their heads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { byteRanges } from "./byte-ranges.ts";
import { gathered, partialContent } from "./partial-content.ts";

const FLAT = ["Content-Type", "text/plain", "ETag", '"1"', "Content-Length", "1000"];
const WHOLE = Array.from({ length: 1000 }, (_, at) => String(at % 10)).join("");

function parts(field: string, flat: readonly string[] = FLAT, body: string | Buffer = WHOLE): [string, string] {
  const asked = byteRanges(field, body.length);
  assert.ok(asked.type === "ranges");
  const { fields, segments } = partialContent(flat, body.length, asked.ranges, () => "XX");
  return [`${fields.text}${fields.contentLength}`, gathered(body, segments).toString("latin1")];
}

test("one part says where it is from, several say it each for themselves; the length is theirs", () => {
  assert.deepEqual(parts("bytes=1-3"), [
    'Content-Type: text/plain\r\nETag: "1"\r\nContent-Range: bytes 1-3/1000\r\n3',
    "123",
  ]);
  const body =
    "--XX\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/1000\r\n\r\n01\r\n" +
    "--XX\r\nContent-Type: text/plain\r\nContent-Range: bytes 998-999/1000\r\n\r\n89\r\n--XX--\r\n";
  assert.deepEqual(parts("bytes=0-1,-2"), [
    `ETag: "1"\r\nContent-Type: multipart/byteranges; boundary=XX\r\n${body.length}`,
    body,
  ]);
  assert.deepEqual(parts("bytes=0-1,-2", FLAT, Buffer.from(WHOLE)), parts("bytes=0-1,-2"));
});

test("what has no type has none in its parts", () => {
  assert.match(parts("bytes=0-1,-2", [])[1], /^--XX\r\nContent-Range: bytes 0-1\/1000\r\n\r\n01\r\n--XX/);
});
