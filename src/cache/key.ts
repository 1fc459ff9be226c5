/** What tells one stored response from another: the parts of a request that make its key (RFC 9111 section 2), under a route's rules. */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import type { Exchange } from "../http/exchange.ts";
import type { RequestHead } from "../http/request-head.ts";
import { type Matcher, matcher } from "./pattern.ts";

/** A route's rules, ready to be applied. */
export interface KeyRules {
  readonly ignoresQuery: Matcher | null;
  readonly ignoresWholeQuery: boolean;
  readonly sortsQuery: boolean;
  readonly cookies: Matcher | null;
  readonly headers: readonly string[];
  /** Targets are taken as they come. */
  readonly isPlain: boolean;
}

export function keyRules(plan: CachePlan): KeyRules {
  return {
    ignoresQuery: matcher(plan.ignoreQuery),
    ignoresWholeQuery: plan.ignoreQuery.includes("*"),
    sortsQuery: plan.sortQuery,
    cookies: matcher(plan.keyCookies),
    headers: plan.keyHeaders.map((name) => name.toLowerCase()),
    isPlain: plan.ignoreQuery.length === 0 && !plan.sortQuery,
  };
}

/**
 * Fields by which some applications and middleware are led to another method, host, scheme or path than the request itself names. What they make of
 * one who invents them is kept apart from what everybody gets; a proxy before maitred says the same to all.
 */
const STEERING: ReadonlySet<string> = new Set(
  (
    "x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url x-host x-script-name x-scheme x-url-scheme front-end-https " +
    "x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto x-forwarded-scheme x-forwarded-server x-forwarded-ssl"
  ).split(" "),
);

/** The path and query under which it is kept. */
export function targetKey({ target, path, query }: RequestHead, rules: KeyRules): string {
  // In absolute form the authority is elsewhere (RFC 9112 section 3.2.2).
  const isOriginForm = target.charCodeAt(0) === 0x2f;
  if (query === "" || rules.isPlain) return isOriginForm ? target : query === "" ? path : `${path}?${query}`;
  if (rules.ignoresWholeQuery) return path;
  let parameters = query.split("&");
  const { ignoresQuery } = rules;
  if (ignoresQuery !== null)
    parameters = parameters.filter((one) => {
      // Where an application takes ";" for another "&" there are more parameters in it than this one.
      if (one.includes(";")) return true;
      const at = one.indexOf("=");
      return !ignoresQuery(decoded(at === -1 ? one : one.slice(0, at)), at === -1 ? "" : one.slice(at + 1));
    });
  // The order among equal names means something to many applications.
  if (rules.sortsQuery) parameters.sort((a, b) => compare(nameOf(a), nameOf(b)));
  return parameters.length === 0 ? path : `${path}?${parameters.join("&")}`;
}

/** The rest of the key: scheme, host, what a proxy took from the path, and the cookies and fields that the rules name. */
export function shelfName({ head, peer }: Exchange, rules: KeyRules): string {
  const { headers } = head;
  const host = headers.get("host") ?? "";
  let name = `${peer.scheme}://${host.toLowerCase()}${peer.prefix}`;
  for (let i = 0; i < headers.names.length; i++) {
    const { lower } = headers.names[i]!;
    if (STEERING.has(lower)) name += `\n${lower}: ${headers.values[i]!}`;
  }
  for (const field of rules.headers) name += `\n${field}: ${headers.joined(field) ?? ""}`;
  if (rules.cookies !== null) {
    const { cookies } = rules;
    const chosen = cookiesOf(head)
      .filter(([cookie, value]) => cookies(cookie, value))
      .map(([cookie, value]) => `${cookie}=${value}`)
      .sort();
    name += `\n${chosen.join("; ")}`;
  }
  return name;
}

/** The request's cookies, in their order (RFC 6265 section 4.2.1). */
export function cookiesOf({ headers }: RequestHead): [name: string, value: string][] {
  const cookies: [string, string][] = [];
  for (let i = 0; i < headers.names.length; i++) {
    if (headers.names[i]!.kind !== "cookie") continue;
    for (const part of headers.values[i]!.split(";")) {
      const text = part.trim();
      const at = text.indexOf("=");
      if (text !== "") cookies.push(at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]);
    }
  }
  return cookies;
}

/** The query's parameters, names decoded. */
export function parametersOf(query: string): [name: string, value: string][] {
  if (query === "") return [];
  return query.split("&").map((one) => {
    const at = one.indexOf("=");
    return at === -1 ? [decoded(one), ""] : [decoded(one.slice(0, at)), one.slice(at + 1)];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

function nameOf(parameter: string): string {
  const at = parameter.indexOf("=");
  return at === -1 ? parameter : parameter.slice(0, at);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
