/**
 * The Range field, read against the size of what it is asked of (RFC 9110 section 14). Pure.
 *
 * What it costs is bounded: more ranges than `MOST` are not obeyed, and ranges that overlap or nearly touch become one, so no byte is sent twice
 * (section 14.2 allows both, section 17.15 asks for it).
 */

/** From `start`, `length` bytes; never empty. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

export type RangeRequest =
  /** The field is not understood, or not worth obeying: the whole is sent. */
  | { readonly type: "whole" }
  /** Nothing of what is asked is there: 416. */
  | { readonly type: "unsatisfiable" }
  | { readonly type: "ranges"; readonly ranges: readonly ByteRange[] };

const MOST = 32;
/** A gap smaller than what a part's own head costs is sent with its neighbours. */
const GAP_BYTES = 128;

const SPEC = /^bytes[ \t]*=(.*)$/is;
const ONE = /^[ \t]*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))[ \t]*$/;
const WHOLE: RangeRequest = { type: "whole" };

export function byteRanges(field: string, size: number): RangeRequest {
  const spec = SPEC.exec(field)?.[1];
  if (spec === undefined) return WHOLE;
  const items = spec.split(",", MOST + 1);
  if (items.length > MOST) return WHOLE;
  const ranges: ByteRange[] = [];
  let isAny = false;
  for (const item of items) {
    // Empty elements of a list are allowed (section 5.6.1.2).
    if (item.trim() === "") continue;
    const match = ONE.exec(item);
    if (match === null) return WHOLE;
    isAny = true;
    const [, from, to, last] = match;
    if (last !== undefined) {
      const length = Math.min(Number(last), size);
      if (length > 0) ranges.push({ start: size - length, length });
      continue;
    }
    const start = Number(from);
    const end = to === "" ? size - 1 : Math.min(Number(to), size - 1);
    if (to !== "" && Number(to) < start) return WHOLE;
    if (start < size) ranges.push({ start, length: end - start + 1 });
  }
  if (!isAny) return WHOLE;
  if (ranges.length === 0) return { type: "unsatisfiable" };
  return { type: "ranges", ranges: ranges.length === 1 ? ranges : coalesced(ranges) };
}

/** `bytes 0-4/10`, the value of Content-Range. */
export function contentRange({ start, length }: ByteRange, size: number): string {
  return `bytes ${start}-${start + length - 1}/${size}`;
}

// Private

/** In the order asked, unless some overlap or nearly touch: then in the order of the file, those as one. */
function coalesced(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const joined: ByteRange[] = [sorted[0]!];
  for (const range of sorted.slice(1)) {
    const last = joined.at(-1)!;
    const end = last.start + last.length;
    if (range.start > end + GAP_BYTES) joined.push(range);
    else
      joined[joined.length - 1] = { start: last.start, length: Math.max(end, range.start + range.length) - last.start };
  }
  return joined.length === ranges.length ? ranges : joined;
}
