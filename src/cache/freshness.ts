/** How long a response may be used (RFC 9111 section 4.2): its lifetime and its age. Pure arithmetic; spans in seconds, times in milliseconds. */
import { deltaSeconds, type Directives, isWhole, MOST_SECONDS, secondsOf } from "./cache-control.ts";
import { dateOf, readDate } from "./date-field.ts";
import { valueOf, valuesOf } from "../http/field-lines.ts";

/** Where the lifetime comes from. `none`: nothing says how long. */
export type LifetimeSource = "explicit" | "heuristic" | "default" | "none";

export interface Lifetime {
  readonly seconds: number;
  readonly source: LifetimeSource;
}

export interface LifetimeRules {
  /** For responses that say nothing; 0 = none. */
  readonly defaultSeconds: number;
  /** Most that is guessed from Last-Modified; 0 = nothing is guessed. */
  readonly heuristicSeconds: number;
}

/** Statuses that may be kept although nothing says how long (RFC 9110 section 15.1); 206 apart, which we do not store. */
const HEURISTIC: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
const HEURISTIC_SHARE = 0.1;

export function isHeuristic(status: number): boolean {
  return HEURISTIC.has(status);
}

/**
 * The freshness lifetime (section 4.2.1). What says how long in a way that cannot be read says "not at all".
 * @param isTargeted `directives` come from a field that takes the place of Expires too (RFC 9213 section 2.1).
 * @param date value of Date, or the time it was received.
 */
export function lifetimeOf(
  status: number,
  flat: readonly string[],
  directives: Directives,
  isTargeted: boolean,
  date: number,
  rules: LifetimeRules,
): Lifetime {
  const shared = secondsOf(directives, "s-maxage");
  if (shared !== undefined) return { seconds: shared ?? 0, source: "explicit" };
  const own = secondsOf(directives, "max-age");
  if (own !== undefined) return { seconds: own ?? 0, source: "explicit" };
  const expires = isTargeted ? [] : valuesOf(flat, "expires");
  if (expires.length > 0) {
    // Of several the first; one that is no date is in the past (RFC 9111 section 5.3).
    const until = readDate(expires[0]!);
    const seconds = until === null ? 0 : Math.max(0, Math.floor((until - date) / 1000));
    return { seconds: Math.min(seconds, MOST_SECONDS), source: "explicit" };
  }
  if (isWhole(directives, "no-cache")) return { seconds: 0, source: "explicit" };
  if (!HEURISTIC.has(status) && !directives.has("public")) return { seconds: 0, source: "none" };
  if (rules.defaultSeconds > 0) return { seconds: rules.defaultSeconds, source: "default" };
  const since = dateOf(flat, "last-modified");
  if (since === null || since >= date || rules.heuristicSeconds === 0) return { seconds: 0, source: "none" };
  const guess = Math.floor(((date - since) / 1000) * HEURISTIC_SHARE);
  return { seconds: Math.min(guess, rules.heuristicSeconds), source: "heuristic" };
}

/**
 * corrected_initial_age (section 4.2.3): the age at the moment it was received.
 * @param date value of Date; null where there is none.
 * @param receivedAt wall time at which it was received.
 * @param delayMs from the request to the response.
 */
export function initialAge(flat: readonly string[], date: number | null, receivedAt: number, delayMs: number): number {
  const apparent = date === null ? 0 : Math.max(0, Math.floor((receivedAt - date) / 1000));
  return Math.max(apparent, ageValue(flat) + delayMs / 1000);
}

/** What Age says: the first number of the first line; 0 where there is none or it is no number (section 5.1). */
export function ageValue(flat: readonly string[]): number {
  const first = valueOf(flat, "age")?.split(",", 1)[0]?.trim();
  return first === undefined ? 0 : (deltaSeconds(first) ?? 0);
}
