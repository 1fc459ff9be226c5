/**
 * What a request's fields mean to the cache, worked out once per header section: clients repeat themselves, and the codec gives the same section
 * again (header-block.ts).
 */
import type { Exchange } from "../http/exchange.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import { type Directives, parseDirectives, secondsOf } from "./cache-control.ts";
import { cookiesOf, shelfName } from "./key.ts";
import type { RouteRules } from "./route-rules.ts";
import type { Shelf } from "./shelf.ts";

export class RequestFacts {
  readonly rules: RouteRules;
  readonly scheme: string;
  readonly prefix: string;
  readonly shelfName: string;
  /** Where its responses stand, once that has been looked for. */
  shelf: Shelf | null = null;
  /** A fresh response can be given without a further look at the request. */
  readonly isPlain: boolean;
  /** Why it passes by the cache; null where it does not. */
  readonly bypass: string | null;
  /** Or the front knows who it is from: the same is true of its response (RFC 9111 section 3.5). */
  readonly hasAuthorization: boolean;
  readonly hasUser: boolean;
  readonly hasCookie: boolean;
  /** A cookie looks like a session's, where that counts. */
  readonly hasSession: boolean;
  /** It asks whether what the client has is still good. */
  readonly isConditional: boolean;
  readonly range: string | null;
  readonly wants: Wants | null;

  constructor(exchange: Exchange, rules: RouteRules) {
    const { headers } = exchange.head;
    this.rules = rules;
    this.scheme = exchange.peer.scheme;
    this.prefix = exchange.peer.prefix;
    this.shelfName = shelfName(exchange, rules.key);
    this.hasUser = isKnown(exchange);
    this.hasAuthorization = this.hasUser || headers.get("authorization") !== undefined;
    this.hasCookie = headers.get("cookie") !== undefined;
    const { knownSessions } = rules;
    this.hasSession =
      knownSessions !== null &&
      this.hasCookie &&
      cookiesOf(exchange.head).some(([name, value]) => knownSessions(name, value));
    this.isConditional = headers.get("if-none-match") !== undefined || headers.get("if-modified-since") !== undefined;
    this.range = headers.get("range") ?? null;
    this.wants = rules.plan.requestDirectives ? wantsOf(headers) : null;
    this.bypass = bypassOf(exchange, rules);
    this.isPlain =
      this.bypass === null &&
      this.range === null &&
      this.wants === null &&
      !this.isConditional &&
      rules.bypassQuery === null;
  }

  isFor(exchange: Exchange, rules: RouteRules): boolean {
    const { scheme, prefix } = exchange.peer;
    return (
      this.rules === rules && this.scheme === scheme && this.prefix === prefix && this.hasUser === isKnown(exchange)
    );
  }
}

/** The front knows who it is: by a password, by another route's word, or by a certificate. */
function isKnown({ user, peer }: Exchange): boolean {
  return user !== null || (peer.tls !== null && peer.tls.clientChain.length > 0);
}

/** What Cache-Control of a request asks for (RFC 9111 section 5.2.1); spans in seconds. */
export interface Wants {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAge: number | null;
  readonly minFresh: number | null;
  /** null: nothing stale. */
  readonly maxStale: number | null;
}

function wantsOf(headers: HeaderBlock): Wants | null {
  const lines: string[] = [];
  for (let i = 0; i < headers.names.length; i++)
    if (headers.names[i]!.lower === "cache-control") lines.push(headers.values[i]!);
  if (lines.length === 0) return null;
  const directives: Directives = parseDirectives(lines);
  const wants: Wants = {
    noCache: directives.has("no-cache"),
    noStore: directives.has("no-store"),
    onlyIfCached: directives.has("only-if-cached"),
    maxAge: secondsOf(directives, "max-age") ?? null,
    minFresh: secondsOf(directives, "min-fresh") ?? null,
    // Without a number: however stale it is.
    maxStale: directives.get("max-stale") === "" ? Infinity : (secondsOf(directives, "max-stale") ?? null),
  };
  const isNothing = !wants.noCache && !wants.noStore && !wants.onlyIfCached;
  return isNothing && wants.maxAge === null && wants.minFresh === null && wants.maxStale === null ? null : wants;
}

function bypassOf(exchange: Exchange, rules: RouteRules): string | null {
  const { head } = exchange;
  const { names, values } = head.headers;
  if (rules.plan.anonymous && isKnown(exchange)) return "authorization";
  for (let i = 0; i < names.length; i++) {
    const { lower } = names[i]!;
    if (rules.bypassHeaders?.(lower, values[i]!) === true) return "header";
    // Whether these hold only the app can tell (RFC 9110 section 13.1).
    if (lower === "if-match" || lower === "if-unmodified-since") return "precondition";
    if (lower === "authorization" && rules.plan.anonymous) return "authorization";
  }
  const { bypassCookies, sessionCookies } = rules;
  if (bypassCookies === null && sessionCookies === null) return null;
  const cookies = cookiesOf(head);
  if (sessionCookies !== null && cookies.some(([name, value]) => sessionCookies(name, value))) return "session";
  return bypassCookies !== null && cookies.some(([name, value]) => bypassCookies(name, value)) ? "cookie" : null;
}
