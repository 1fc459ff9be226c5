/**
 * Paths that mean one thing here and perhaps another to whoever answers: `/public/../admin` is below `/public` as it stands and is `/admin` to a server
 * that resolves it (RFC 3986 section 5.2.4). Clients resolve dot segments before they ask, so where routes decide who may ask what, such a path is
 * refused. Pure.
 */

export function hasDotSegment(path: string): boolean {
  return SUSPECT.test(path) && DOT_SEGMENT.test(path);
}

/** Nearly no path has any of these. */
const SUSPECT = /\/\.|[%\\]/;

/** Slashes and dots in every spelling that some server takes for one, parameters (`/..;/`) included. */
const DOT_SEGMENT = /(?:\/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:\/|\\|%2f|%5c|;|%3b|$)/i;
