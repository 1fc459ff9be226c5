/** The cache's rules of one route, ready to be applied. */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import { type IpRange, isInRange, parseIp, parseRange } from "../http/ip-address.ts";
import { type KeyRules, keyRules } from "./key.ts";
import { type Matcher, matcher } from "./pattern.ts";

export interface RouteRules {
  readonly plan: CachePlan;
  readonly key: KeyRules;
  readonly bypassCookies: Matcher | null;
  readonly bypassHeaders: Matcher | null;
  readonly bypassQuery: Matcher | null;
  readonly sessionCookies: Matcher | null;
  /** Cookies of visitors whose responses are kept by the application's word alone; null where nothing else is. */
  readonly knownSessions: Matcher | null;
  readonly purgers: readonly IpRange[];
  readonly obeysUnixPurge: boolean;
}

export function routeRules(plan: CachePlan): RouteRules {
  return {
    plan,
    key: keyRules(plan),
    bypassCookies: matcher(plan.bypassCookies),
    bypassHeaders: matcher(plan.bypassHeaders, true),
    bypassQuery: matcher(plan.bypassQuery),
    sessionCookies: plan.anonymous ? matcher(plan.sessionCookies, true) : null,
    knownSessions: !plan.anonymous && plan.ttlMs > 0 ? matcher(plan.sessionCookies, true) : null,
    purgers: plan.purgeFrom.map(parseRange).filter((range) => range !== null),
    obeysUnixPurge: plan.purgeFrom.includes("unix"),
  };
}

/** @param address of the client; empty for a Unix socket. */
export function mayPurge(address: string, rules: RouteRules): boolean {
  if (address === "") return rules.obeysUnixPurge;
  const ip = parseIp(address);
  return ip !== null && rules.purgers.some((range) => isInRange(ip, range));
}
