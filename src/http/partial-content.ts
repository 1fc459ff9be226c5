/**
 * A 206 made of a representation that is there as a whole: its fields, and what its body is made of (RFC 9110 section 15.3.7). Pure.
 *
 * What it costs is bounded by `byteRanges`: at most so many parts, none of them twice.
 */
import { type ByteRange, contentRange } from "./byte-ranges.ts";
import { valueOf, withoutFields } from "./field-lines.ts";
import { ownFields } from "./response-changes.ts";
import type { ResponseFields } from "./response-fields.ts";

/** A part of the representation, or text (latin-1) between parts. */
export type BodySegment = string | ByteRange;

export interface PartialContent {
  readonly fields: ResponseFields;
  readonly segments: readonly BodySegment[];
}

const OF_THE_WHOLE: ReadonlySet<string> = new Set(["content-length", "content-range"]);
const OF_ONE_PART: ReadonlySet<string> = new Set([...OF_THE_WHOLE, "content-type"]);

/**
 * @param flat fields of the whole.
 * @param ranges at least one.
 * @param boundary what nothing in the body can be expected to contain, nor anybody to guess; for several ranges.
 */
export function partialContent(
  flat: readonly string[],
  size: number,
  ranges: readonly ByteRange[],
  boundary: () => string,
): PartialContent {
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    const own = ["Content-Range", contentRange(first, size), "Content-Length", String(first.length)];
    return { fields: ownFields([...withoutFields(flat, OF_THE_WHOLE), ...own]), segments: [first] };
  }
  // RFC 9110 section 14.6. The type of the whole goes into each part, and Content-Range nowhere else.
  const type = valueOf(flat, "content-type");
  const typeLine = type === undefined ? "" : `Content-Type: ${type}\r\n`;
  const mark = boundary();
  const segments: BodySegment[] = [];
  let length = 0;
  for (const range of ranges) {
    const begin = segments.length === 0 ? "--" : "\r\n--";
    const head = `${begin}${mark}\r\n${typeLine}Content-Range: ${contentRange(range, size)}\r\n\r\n`;
    segments.push(head, range);
    length += head.length + range.length;
  }
  const end = `\r\n--${mark}--\r\n`;
  segments.push(end);
  const own = ["Content-Type", `multipart/byteranges; boundary=${mark}`, "Content-Length", String(length + end.length)];
  return { fields: ownFields([...withoutFields(flat, OF_ONE_PART), ...own]), segments };
}

/** The body of a 206 whose representation is in memory; a string is latin-1, one character per byte. */
export function gathered(body: string | Buffer, segments: readonly BodySegment[]): string | Buffer {
  const [only] = segments;
  if (segments.length === 1 && typeof only === "object") return cut(body, only);
  if (typeof body === "string")
    return segments.map((segment) => (typeof segment === "string" ? segment : cut(body, segment))).join("");
  return Buffer.concat(
    segments.map((segment) =>
      typeof segment === "string"
        ? Buffer.from(segment, "latin1")
        : body.subarray(segment.start, segment.start + segment.length),
    ),
  );
}

function cut(body: string | Buffer, { start, length }: ByteRange): string | Buffer {
  return typeof body === "string" ? body.slice(start, start + length) : body.subarray(start, start + length);
}
