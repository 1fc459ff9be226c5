/**
 * What a conditional request asks, judged against the representation that would be sent (RFC 9110 section 13). Pure.
 *
 * Only for a response that would be 2xx without the conditions (section 13.2.1).
 */
import type { HeaderBlock } from "./header-block.ts";
import { parseHttpDate } from "./http-date.ts";

/** What tells one version of a representation from another. */
export interface Validators {
  /** With its quotation marks, and `W/` before them where it is weak; empty: none. */
  readonly etag: string;
  /** Last-Modified in milliseconds, whole seconds; -1: none. */
  readonly modifiedAt: number;
  /** The date tells any two versions apart (section 8.8.2.2): nothing can have changed since within the second that it names. */
  readonly isDateStrong: boolean;
}

/** Go on, "not modified" (304), or "precondition failed" (412). */
export type Verdict = "go" | "unmodified" | "failed";

/** The order is that of section 13.2.2. `isSafe`: GET or HEAD. */
export function judge(headers: HeaderBlock, isSafe: boolean, { etag, modifiedAt }: Validators): Verdict {
  const ifMatch = headers.joined("if-match");
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag, strongly)) return "failed";
  } else {
    const since = dateOf(headers, "if-unmodified-since");
    if (since !== null && modifiedAt !== -1 && modifiedAt > since) return "failed";
  }
  const ifNoneMatch = headers.joined("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (!names(ifNoneMatch, etag, weakly)) return "go";
    return isSafe ? "unmodified" : "failed";
  }
  if (!isSafe || modifiedAt === -1) return "go";
  const since = dateOf(headers, "if-modified-since");
  return since !== null && modifiedAt <= since ? "unmodified" : "go";
}

/** Range may be obeyed: there is no If-Range, or it names this very version (section 13.1.5). */
export function rangeApplies(headers: HeaderBlock, { etag, modifiedAt, isDateStrong }: Validators): boolean {
  const wanted = headers.joined("if-range");
  if (wanted === undefined) return true;
  if (wanted.startsWith('"') || wanted.startsWith("W/")) return strongly(wanted, etag);
  const date = parseHttpDate(wanted);
  return date !== null && isDateStrong && date === modifiedAt;
}

// Private

/** Section 8.8.3.2. */
function strongly(a: string, b: string): boolean {
  return a === b && a !== "" && !a.startsWith("W/");
}

function weakly(a: string, b: string): boolean {
  return b !== "" && bare(a) === bare(b);
}

function bare(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}

const ETAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** The list has the tag, or is an asterisk, which any representation matches. Commas may stand within a tag. */
function names(list: string, etag: string, equal: (a: string, b: string) => boolean): boolean {
  if (list.trim() === "*") return true;
  for (const [one] of list.matchAll(ETAG)) if (equal(one, etag)) return true;
  return false;
}

/** A date that is none, or stands twice, is as if it were not there (sections 13.1.3 and 13.1.4). */
function dateOf(headers: HeaderBlock, lower: string): number | null {
  const text = headers.joined(lower);
  return text === undefined ? null : parseHttpDate(text);
}
