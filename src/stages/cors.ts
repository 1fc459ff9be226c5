/**
 * Pages of other origins (`cors` in the configuration; Fetch standard, "HTTP CORS protocol"). Preflights are answered here and go no further. What the
 * app says itself about origins is replaced: two voices would contradict each other.
 */
import type { CorsPlan, OriginPattern } from "../config/sites/cors.ts";
import type { Dressing, Exchange } from "../http/exchange.ts";
import { withoutFields } from "../http/field-lines.ts";
import type { Stage } from "../http/handler.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { changedFields, dress, ownFields, remembered, varied } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";

/** Request field names that a preflight may ask for: RFC 9110 tokens in a list. */
const NAME_LIST = /^[\w!#$%&'*+.^`|~\-, \t]{0,2048}$/;
/** Changes that are kept by origin; more origins than that are worked out each time. */
const KEPT_ORIGINS = 256;

const OWN: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
]);

export function sharing(plan: CorsPlan): Stage {
  const plain = plan.origins === "any" && !plan.credentials;
  const changes = new Map<string, Dressing>();
  const changeFor = (origin: string | null): Dressing => {
    const key = origin ?? "";
    const known = changes.get(key);
    if (known !== undefined) return known;
    const change = remembered((fields) => shared(plan, fields, origin, plain));
    if (changes.size < KEPT_ORIGINS) changes.set(key, change);
    return change;
  };
  return (next) => (exchange) => {
    const { head } = exchange;
    const origin = head.headers.get("origin");
    const allowed = origin !== undefined && isAllowedOrigin(plan, origin) ? (plain ? "*" : origin) : null;
    if (head.method === "OPTIONS" && origin !== undefined) {
      const method = head.headers.get("access-control-request-method");
      if (method !== undefined)
        return preflight(plan, exchange, allowed, head.headers.get("access-control-request-headers"));
    }
    // An origin that is the same for all needs no question.
    dress(exchange, changeFor(plain ? "*" : allowed));
    next(exchange);
  };
}

export function isAllowedOrigin(plan: CorsPlan, origin: string): boolean {
  if (plan.origins === "any") return true;
  if (origin === "null") return plan.allowsNull;
  const match = /^([a-z][a-z\d+.-]*):\/\/([\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/.exec(origin);
  if (match === null) return false;
  const [, scheme = "", host = "", port = ""] = match;
  return plan.origins.some((pattern) => isLike(pattern, scheme, host, port));
}

// Private

function isLike(pattern: OriginPattern, scheme: string, host: string, port: string): boolean {
  if (pattern.scheme !== scheme || pattern.port !== port) return false;
  return pattern.isBelow ? host.endsWith(pattern.host) && host.length > pattern.host.length : host === pattern.host;
}

function shared(plan: CorsPlan, fields: ResponseFields, origin: string | null, plain: boolean): ResponseFields {
  const flat = withoutFields(fields.flat, OWN);
  if (origin !== null) {
    flat.push("Access-Control-Allow-Origin", origin);
    if (plan.credentials) flat.push("Access-Control-Allow-Credentials", "true");
    if (plan.expose.length > 0) flat.push("Access-Control-Expose-Headers", plan.expose.join(", "));
  }
  // Said to every request, or a cache would give an answer for one origin to another.
  return changedFields(plain ? flat : varied(flat, ["Origin"]), fields);
}

function preflight(plan: CorsPlan, exchange: Exchange, origin: string | null, asked: string | undefined): void {
  const flat = [
    "Vary",
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    "Cache-Control",
    "no-store",
  ];
  if (origin === null) {
    const body = "This origin may not read responses of this site.\n";
    return exchange.complete(
      403,
      reasonPhrase(403),
      ownFields([...flat, "Content-Type", "text/plain; charset=utf-8"]),
      body,
    );
  }
  flat.push("Access-Control-Allow-Origin", origin);
  if (plan.credentials) flat.push("Access-Control-Allow-Credentials", "true");
  flat.push("Access-Control-Allow-Methods", plan.methods.join(", "));
  const headers =
    plan.headers === "any" ? (asked !== undefined && NAME_LIST.test(asked) ? asked : "") : plan.headers.join(", ");
  if (headers !== "") flat.push("Access-Control-Allow-Headers", headers);
  flat.push("Access-Control-Max-Age", String(plan.maxAgeSeconds));
  exchange.complete(204, reasonPhrase(204), ownFields(flat), "");
}
