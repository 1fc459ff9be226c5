/**
 * A path pattern as an operator writes it, and what it matches. Pure.
 *
 *     /reports         that path and everything below it: /reports, /reports/, /reports/2024; not /reportsfoo
 *     /reports$        exactly that path
 *     /files/*.pdf$    an asterisk stands for one or more characters within one segment, never for a slash
 *
 * Paths are compared as the application sees them: percent-decoded, with case, and with nothing tidied up: what others might read as another path,
 * routes/readings.ts tells.
 */

export interface PathPattern {
  /** As written. */
  readonly text: string;
  /** The path that is matched, for a pattern without asterisks; null with them. */
  readonly literal: string | null;
  /** Only the path itself, and nothing below it. */
  readonly isExact: boolean;
  /** For patterns with asterisks. */
  readonly expression: RegExp | null;
}

/** The pattern, or what is wrong with its text, as the end of a sentence. */
export function parsePattern(text: string): PathPattern | { readonly why: string } {
  if (!text.startsWith("/")) return { why: `is no path pattern: "${text}" does not begin with a slash` };
  if (/[?#\s%]/.test(text)) return { why: `is no path pattern: "${text}" has a character that no decoded path has` };
  const isExact = text.endsWith("$");
  const path = isExact ? text.slice(0, -1) : text;
  if (path.includes("$")) return { why: `is no path pattern: in "${text}" only the end may be marked by $` };
  // One asterisk per segment: with more, what a hostile path costs would grow with a power of its length.
  if (/\*[^/]*\*/.test(path)) return { why: `is no path pattern: "${text}" has two asterisks in one segment` };
  // "/reports/" means "/reports" and below as well, unless it is to be exact; "/" is everything.
  const trimmed = isExact ? path : path.replace(/\/+$/, "");
  if (!path.includes("*")) return { text, literal: trimmed, isExact, expression: null };
  const source = trimmed
    .split("*")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    .join("[^/]+");
  return { text, literal: null, isExact, expression: new RegExp(`^${source}${isExact ? "$" : "(?:/|$)"}`, "s") };
}

export function matches(pattern: PathPattern, path: string): boolean {
  const { literal, isExact, expression } = pattern;
  if (literal === null) return expression!.test(path);
  if (isExact) return path === literal;
  if (!path.startsWith(literal)) return false;
  return path.length === literal.length || path.charCodeAt(literal.length) === 0x2f;
}

/** For sorting, the more specific first: exact before below, more segments before fewer, literal before asterisks, longer before shorter. */
export function bySpecificity(a: PathPattern, b: PathPattern): number {
  const segments = segmentCount(b) - segmentCount(a);
  if (segments !== 0) return segments;
  if (a.isExact !== b.isExact) return a.isExact ? -1 : 1;
  if ((a.literal === null) !== (b.literal === null)) return a.literal === null ? 1 : -1;
  return b.text.length - a.text.length;
}

// Private

function segmentCount({ text }: PathPattern): number {
  let count = 0;
  for (const segment of text.replace(/\$$/, "").split("/")) if (segment !== "") count++;
  return count;
}
