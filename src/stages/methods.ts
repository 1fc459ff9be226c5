/**
 * The methods that a route takes (`allow-methods`): 405 for the others, with Allow (RFC 9110 section 15.5.6). What is no method that anyone knows never
 * gets here: the codec answers it with 501.
 */
import type { MethodsPlan } from "../config/sites/methods.ts";
import { answerError } from "../http/error-response.ts";
import type { Stage } from "../http/handler.ts";
import { appended, dress, ownFields } from "../http/response-changes.ts";

export function allowingMethods(plan: MethodsPlan): Stage {
  const methods = new Set(plan);
  const allow = ownFields(["Allow", plan.join(", ")]);
  return (next) => (exchange) => {
    // A WebSocket over HTTP/2 asks by CONNECT for what HTTP/1.1 asks by GET (RFC 8441 section 4).
    const method = exchange.webSocket === null ? exchange.head.method : "GET";
    if (methods.has(method)) return next(exchange);
    dress(exchange, (_exchange, _status, fields) => appended(fields, allow));
    answerError(exchange, 405);
  };
}
