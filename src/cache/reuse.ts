/** Whether a stored response may be given for a request (RFC 9111 sections 4 and 5.2.1). */
import type { Wants } from "./request-facts.ts";

/** What is known of the stored response. */
export interface Reusable {
  readonly freshUntil: number;
  readonly isNoCache: boolean;
  readonly isStrict: boolean;
  ageSeconds(now: number): number;
  mayServeWhileRevalidating(now: number): boolean;
}

/** `use`: give it. `use and renew`: give it, and ask the app anew meanwhile. `ask`: not without asking the app. */
export type Reuse = "use" | "use and renew" | "ask";

export function reuseOf(stored: Reusable, wants: Wants | null, now: number): Reuse {
  if (stored.isNoCache) return "ask";
  const lateMs = now - stored.freshUntil;
  if (wants !== null) {
    if (wants.noCache) return "ask";
    if (wants.maxAge !== null && stored.ageSeconds(now) > wants.maxAge) return "ask";
    // What is asked to be young is asked to be younger than it is now.
    if (wants.maxAge === 0) return "ask";
    if (wants.minFresh !== null && -lateMs < wants.minFresh * 1000) return "ask";
    if (lateMs >= 0 && wants.maxStale !== null && !stored.isStrict && lateMs <= wants.maxStale * 1000) return "use";
    // Who says how old it may be wants nothing stale (section 5.2.1.1).
    if (lateMs >= 0 && wants.maxAge !== null) return "ask";
  }
  if (lateMs < 0) return "use";
  return stored.mayServeWhileRevalidating(now) ? "use and renew" : "ask";
}
