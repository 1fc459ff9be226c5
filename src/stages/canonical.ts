/**
 * One scheme and one host name for a site (`canonical` in the configuration): requests for another are redirected there. A request that already has both
 * is never redirected, so following it ends here; behind a proxy that ends TLS this needs the proxy to be trusted (--forwarded-allow-ips).
 */
import type { CanonicalPlan } from "../config/sites/canonical.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Stage } from "../http/handler.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";

export function canonical(plan: CanonicalPlan): Stage {
  return (next) => (exchange) => {
    const target = canonicalLocation(plan, exchange);
    if (target === null) next(exchange);
    else if (target === undefined) answerError(exchange, 400);
    else {
      const fields = responseFields(["Location", target]);
      if (!(fields instanceof ResponseFields)) return answerError(exchange, 400);
      exchange.complete(
        plan.status,
        reasonPhrase(plan.status),
        fields,
        `${plan.status} ${reasonPhrase(plan.status)}: ${target}\n`,
      );
    }
  };
}

/** Where to; null where it is already there, undefined where the request does not say what it is for. */
export function canonicalLocation(plan: CanonicalPlan, { head, peer }: Exchange): string | null | undefined {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d*))?$/.exec((head.headers.get("host") ?? "").toLowerCase());
  if (match === null) return undefined;
  const name = match[1]!.replace(/\.$/, "");
  const wanted = plan.host ?? withWww(name, plan.www);
  const mustChangeScheme = plan.isHttps && peer.scheme === "http";
  if (!mustChangeScheme && wanted === name) return null;
  const scheme = plan.isHttps ? "https" : peer.scheme;
  const port = mustChangeScheme ? (plan.port === 443 ? "" : String(plan.port)) : (match[2] ?? "");
  const path = head.path === "*" ? "/" : head.path;
  return `${scheme}://${wanted}${port === "" ? "" : `:${port}`}${path}${head.query === "" ? "" : `?${head.query}`}`;
}

/** An address has no www., and neither has a name of one label (localhost). */
function withWww(name: string, www: CanonicalPlan["www"]): string {
  if (www === "remove") return name.startsWith("www.") && name.includes(".", 4) ? name.slice(4) : name;
  if (www !== "add" || name.startsWith("www.") || !name.includes(".") || /^\[|^[\d.]+$/.test(name)) return name;
  return `www.${name}`;
}
