/** Which response a request gets for a file that is there: conditions and ranges, in the order of RFC 9110 section 13.2.2. Pure. */
import { byteRanges, type ByteRange } from "../http/byte-ranges.ts";
import { judge, rangeApplies } from "../http/preconditions.ts";
import type { RequestHead } from "../http/request-head.ts";
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
