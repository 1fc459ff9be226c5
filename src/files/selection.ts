/** Which response a request gets for a file that is there: conditions and ranges, in the order of RFC 9110 section 13.2.2. Pure. */
import { byteRanges, type ByteRange, contentRange } from "../http/byte-ranges.ts";
import { judge, rangeApplies } from "../http/preconditions.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { FileSegment } from "../spool/file-sender.ts";
import type { Representation } from "./representation.ts";

export type Selection =
  | { readonly type: "whole" }
  /** 304 */
  | { readonly type: "unmodified" }
  /** 412 */
  | { readonly type: "failed" }
  /** 416 */
  | { readonly type: "unsatisfiable" }
  /** 206 */
  | { readonly type: "ranges"; readonly ranges: readonly ByteRange[] };

const WHOLE: Selection = { type: "whole" };

/** The request has a field that `select` looks at. */
export function isSelecting({ headers: { names } }: RequestHead): boolean {
  for (let i = 0; i < names.length; i++) if (names[i]!.isSelecting) return true;
  return false;
}

export function select({ method, headers }: RequestHead, representation: Representation): Selection {
  const verdict = judge(headers, true, representation);
  if (verdict !== "go") return { type: verdict };
  // RFC 9110 section 14.2: Range means nothing with other methods than GET.
  const range = method === "GET" ? headers.joined("range") : undefined;
  if (range === undefined || !rangeApplies(headers, representation)) return WHOLE;
  return byteRanges(range, representation.size);
}

/** A 206: its fields, and what its body is made of. */
export interface Partial {
  readonly fields: ResponseFields;
  readonly segments: readonly FileSegment[];
}

/** @param boundary what nothing in the file can be expected to contain; for several ranges. */
export function partial(representation: Representation, ranges: readonly ByteRange[], boundary: () => string): Partial {
  const { size, contentType } = representation;
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    const fields = representation.with(
      ["Content-Range", contentRange(first, size)],
      ["Content-Length", String(first.length)],
    );
    return { fields, segments: [first] };
  }
  // RFC 9110 section 14.6. The type of the whole goes into each part.
  const mark = boundary();
  const segments: FileSegment[] = [];
  let length = 0;
  for (const range of ranges) {
    const begin = segments.length === 0 ? "--" : "\r\n--";
    const head = `${begin}${mark}\r\nContent-Type: ${contentType}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`;
    segments.push(head, range);
    length += head.length + range.length;
  }
  const end = `\r\n--${mark}--\r\n`;
  segments.push(end);
  const fields = representation.with(
    ["Content-Type", `multipart/byteranges; boundary=${mark}`],
    ["Content-Length", String(length + end.length)],
  );
  return { fields, segments };
}
