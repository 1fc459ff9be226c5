/** Whether a response may be stored, and what it promises about its use (RFC 9111 sections 3 and 5.2.2). */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import { httpDate } from "../http/http-date.ts";
import { type Directives, isWhole, namedFields, parseDirectives, secondsOf } from "./cache-control.ts";
import { dateOf } from "./date-field.ts";
import { valueOf, valuesOf, without } from "../http/field-lines.ts";
import { initialAge, type Lifetime, lifetimeOf } from "./freshness.ts";
import { parseSurrogate, parseTargeted } from "./targeted.ts";
import { varyNames } from "./vary.ts";

/** Statuses that we know what to do with (section 5.2.2.3, must-understand): those whose caching RFC 9110 defines. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 410, 411, 414, 421, 451, 500, 501, 502,
  503, 504,
]);

/** Fields of one connection (RFC 9110 section 7.6.1), of the framing, and those that the cache itself writes. */
const NEVER_STORED: ReadonlySet<string> = new Set(
  "connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection te trailer transfer-encoding upgrade content-length age".split(
    " ",
  ),
);

/** What the request was, as far as storing its response asks. */
export interface StoringRequest {
  readonly hasAuthorization: boolean;
  readonly hasCookie: boolean;
  /** One of its cookies is a session's: only the application knows whether its response is for others too. */
  readonly hasSession: boolean;
  /** Its Cache-Control says no-store, and that is to be obeyed. */
  readonly saysNoStore: boolean;
}

/** When it was asked for and came. */
export interface Times {
  /** Wall time at which it came. */
  readonly wall: number;
  /** Milliseconds from the request to the response. */
  readonly delayMs: number;
}

/** A response that may be stored. */
export interface Storable {
  readonly type: "storable";
  /** The fields to store, Date among them. */
  readonly flat: string[];
  readonly lifetime: Lifetime;
  /** Its age when it came, in seconds. */
  readonly age: number;
  /** It must be validated before each use (section 5.2.2.4). */
  readonly isNoCache: boolean;
  /** Whether it may be used after its time (section 4.2.4). */
  readonly staleness: "never" | "as it says" | "as configured";
  /** Seconds after its time; null where it says nothing. */
  readonly staleWhileRevalidate: number | null;
  readonly staleIfError: number | null;
  /** The fields that it varies by, in lower case and in order. */
  readonly vary: readonly string[];
}

export interface NotStorable {
  readonly type: "not storable";
  readonly why: string;
}

export function judge(
  request: StoringRequest,
  status: number,
  flat: readonly string[],
  times: Times,
  plan: CachePlan,
): Storable | NotStorable {
  const targeted =
    parseSurrogate(valuesOf(flat, "surrogate-control")) ?? parseTargeted(valuesOf(flat, "cdn-cache-control"));
  const directives = targeted ?? parseDirectives(valuesOf(flat, "cache-control"));
  const why = objection(request, status, flat, directives, plan);
  if (why !== null) return { type: "not storable", why };
  const vary = varyNames(valuesOf(flat, "vary"));
  if (vary === null) return { type: "not storable", why: "it varies by more than the request's fields (Vary: *)" };

  const date = dateOf(flat, "date");
  const heuristicSeconds = request.hasCookie || request.hasAuthorization ? 0 : plan.heuristicMs / 1000;
  const rules = { defaultSeconds: plan.ttlMs / 1000, heuristicSeconds };
  const lifetime = lifetimeOf(status, flat, directives, targeted !== null, date ?? times.wall, rules);
  if (lifetime.source === "none" && !isExplicit(directives))
    return { type: "not storable", why: "nothing says how long it may be kept" };
  if (lifetime.source === "default" && request.hasSession)
    return { type: "not storable", why: "the application does not say how long, and the request has a session" };

  const kept = storedFields(flat, directives, plan);
  // A recipient with a clock records when it came (RFC 9110 section 6.6.1).
  if (date === null) kept.push("Date", httpDate(times.wall));
  return {
    type: "storable",
    flat: date === null ? withoutOldDate(kept) : kept,
    lifetime,
    age: initialAge(flat, date, times.wall, times.delayMs),
    isNoCache: isWhole(directives, "no-cache"),
    staleness: stalenessOf(directives),
    staleWhileRevalidate: secondsOf(directives, "stale-while-revalidate") ?? null,
    staleIfError: secondsOf(directives, "stale-if-error") ?? null,
    vary: plan.anonymous ? vary.filter((one) => one !== "cookie") : vary,
  };
}

/** Fields that tell what to purge a response by. */
export const TAG_FIELDS: ReadonlySet<string> = new Set(["surrogate-key", "cache-tag"]);

// Private

function objection(
  request: StoringRequest,
  status: number,
  flat: readonly string[],
  directives: Directives,
  plan: CachePlan,
): string | null {
  if (status < 200 || status === 206 || status === 304) return `its status is ${status}`;
  if (directives.has("must-understand") && !UNDERSTOOD.has(status)) return `its status, ${status}, is not understood`;
  if (directives.has("no-store") && !directives.has("must-understand")) return "it says no-store";
  if (request.saysNoStore) return "the request says no-store";
  if (isWhole(directives, "private")) return "it says private";
  const isShared = directives.has("public") || directives.has("s-maxage") || directives.has("must-revalidate");
  if (request.hasAuthorization && !isShared) return "the request has Authorization";
  if (plan.setCookie === "pass" && valueOf(flat, "set-cookie") !== undefined) return "it sets a cookie";
  return null;
}

/** It says something about being kept, if only that it must be validated (section 3, last list). */
function isExplicit(directives: Directives): boolean {
  return directives.has("public") || directives.has("no-cache") || directives.has("must-revalidate");
}

function stalenessOf(directives: Directives): Storable["staleness"] {
  if (directives.has("must-revalidate") || directives.has("proxy-revalidate")) return "never";
  // For shared caches s-maxage means proxy-revalidate (section 5.2.2.10); what it then allows by name is allowed.
  return directives.has("s-maxage") ? "as it says" : "as configured";
}

function storedFields(flat: readonly string[], directives: Directives, plan: CachePlan): string[] {
  const unwanted = new Set([
    ...(namedFields(directives, "private") ?? []),
    ...(namedFields(directives, "no-cache") ?? []),
    ...valuesOf(flat, "connection").flatMap((value) => value.split(",").map((one) => one.trim().toLowerCase())),
  ]);
  if (plan.setCookie === "strip") unwanted.add("set-cookie");
  return without(flat, (lower) => NEVER_STORED.has(lower) || unwanted.has(lower) || lower === "surrogate-control");
}

function withoutOldDate(flat: readonly string[]): string[] {
  const date = flat[flat.length - 1]!;
  const rest = without(flat, (lower) => lower === "date");
  rest.push("Date", date);
  return rest;
}
