/** Conditions of a request against a stored response (RFC 9110 section 13.2, RFC 9111 section 4.3.2). */
import type { HeaderBlock } from "../http/header-block.ts";
import { judge, rangeApplies, type Validators } from "../http/preconditions.ts";
import { dateOf } from "./date-field.ts";
import { onlyFields, valueOf } from "../http/field-lines.ts";

/** A date as a validator is strong where the response was made a minute later (RFC 9110 section 8.8.2.2). */
const STRONG_AFTER_MS = 60_000;

/** The client has it already: 304. */
export function isNotModified(headers: HeaderBlock, flat: readonly string[]): boolean {
  const { etag, modifiedAt } = validatorsOf(flat);
  // Where the response does not say when it was last modified, it was not after it was made.
  const since = modifiedAt === -1 ? (dateOf(flat, "date") ?? -1) : modifiedAt;
  return judge(headers, true, { etag, modifiedAt: since, isDateStrong: false }) === "unmodified";
}

/** If-Range, if there is one, holds: the range is of what the client has the rest of. */
export function mayHaveRange(headers: HeaderBlock, flat: readonly string[]): boolean {
  return rangeApplies(headers, validatorsOf(flat));
}

const OF_304: ReadonlySet<string> = new Set(
  "cache-control cdn-cache-control content-location date etag expires last-modified set-cookie vary age cache-status".split(
    " ",
  ),
);

/** The fields of a 304 (RFC 9110 section 15.4.5). */
export function fieldsOf304(flat: readonly string[]): string[] {
  return onlyFields(flat, OF_304);
}

function validatorsOf(flat: readonly string[]): Validators {
  const modifiedAt = dateOf(flat, "last-modified") ?? -1;
  const date = dateOf(flat, "date");
  const isDateStrong = modifiedAt !== -1 && date !== null && date - modifiedAt >= STRONG_AFTER_MS;
  return { etag: valueOf(flat, "etag") ?? "", modifiedAt, isDateStrong };
}
