/**
 * Paths that mean one thing here and perhaps another to whoever answers, where routes decide who may ask what. Pure.
 *
 * Dot segments: `/public/../admin` is below `/public` as it stands and is `/admin` to a server that resolves it (RFC 3986 section 5.2.4). Clients resolve
 * them before they ask, so such a path is refused.
 *
 * Empty segments: `//admin` is `/admin` to Flask and to servers that merge slashes, `/` of the host "admin" to who reads a target as a URL. They occur
 * in honest paths too (`/proxy/https://example.com/`), so such a path is refused only where its other readings have another route.
 */
import { decodePathUtf8 } from "../http/target.ts";

/** Nearly no path is: what follows need not be asked then. */
export function isSuspect(path: string): boolean {
  return SUSPECT.test(path);
}

export function hasDotSegment(path: string): boolean {
  return DOT_SEGMENT.test(path);
}

/** What else the path is to somebody, decoded; of a path that all read alike, nothing. Backslashes are slashes to some. */
export function otherReadings(path: string): readonly string[] {
  const decoded = decodePathUtf8(path);
  if (!EMPTY_SEGMENT.test(decoded)) return [];
  const merged = decoded.replace(SLASHES, "/");
  const afterAuthority = /^[/\\]{2,}[^/\\]*(.*)$/s.exec(decoded);
  return afterAuthority === null ? [merged] : [merged, afterAuthority[1]!.replace(SLASHES, "/") || "/"];
}

// Private

const SUSPECT = /\/[./]|[%\\]/;

/** Slashes and dots in every spelling that some server takes for one, parameters (`/..;/`) included. */
const DOT_SEGMENT = /(?:\/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:\/|\\|%2f|%5c|;|%3b|$)/i;

const EMPTY_SEGMENT = /[/\\]{2}|\\/;
const SLASHES = /[/\\]+/g;
