/** Health checks on the public listeners (--health-path): a request for one of the two paths is answered here and goes no further. */
import type { Exchange } from "../http/exchange.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";
import { healthAnswer, healthCheck, type HealthFacts } from "./health.ts";

/** Wraps where requests go. */
export function answeringHealth(
  prefix: string,
  facts: () => HealthFacts,
  submit: (exchange: Exchange) => void,
): (exchange: Exchange) => void {
  return (exchange) => {
    const { path, method, headers } = exchange.head;
    const check = method === "GET" || method === "HEAD" ? healthCheck(path, prefix) : null;
    if (check === null) return submit(exchange);
    const { status, type, body } = healthAnswer(check, facts(), headers.get("accept") ?? "");
    const fields = responseFields(["Content-Type", type, "Cache-Control", "no-store"]);
    if (fields instanceof ResponseFields) exchange.complete(status, reasonPhrase(status), fields, body);
  };
}
