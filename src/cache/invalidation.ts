/** What a request that changes something makes untrue (RFC 9111 section 4.4). */
import { valueOf } from "../http/field-lines.ts";

/** Methods that change nothing (RFC 9110 section 9.2.1, and the registry's other safe ones); of others nobody knows. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"]);

export function isUnsafe(method: string): boolean {
  return !SAFE.has(method);
}

/** Its response says that it was done: not an error. */
export function hasTakenEffect(status: number): boolean {
  return status >= 200 && status < 400;
}

/**
 * Targets of the same origin that Location and Content-Location name; others are not this request's to judge.
 * @param origin "https://example.com", and `target` what was asked for there.
 */
export function alsoInvalid(flat: readonly string[], origin: string, target: string): string[] {
  const targets: string[] = [];
  for (const name of ["location", "content-location"]) {
    const reference = valueOf(flat, name);
    if (reference === undefined || !URL.canParse(reference, origin + target)) continue;
    const url = new URL(reference, origin + target);
    const own = new URL(origin);
    if (url.origin !== own.origin) continue;
    // What a proxy took from the path is not in targets.
    const prefix = own.pathname === "/" ? "" : own.pathname;
    const path = url.pathname.startsWith(`${prefix}/`) ? url.pathname.slice(prefix.length) : url.pathname;
    targets.push(path + url.search);
  }
  return targets;
}
