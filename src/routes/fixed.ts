/** Routes that need nobody to answer them: redirects and fixed responses. */
import type { RedirectPlan } from "../config/sites/redirect.ts";
import type { RespondPlan } from "../config/sites/respond.ts";
import { answerError } from "../http/error-response.ts";
import type { Handler } from "../http/handler.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { locationOf } from "../http/redirect-template.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";

export function redirecting({ template, status }: RedirectPlan): Handler {
  const reason = reasonPhrase(status);
  return (exchange) => {
    const { path, query, headers } = exchange.head;
    const location = locationOf(template, { path, query, host: headers.get("host") ?? "" });
    const fields =
      location === null ? null : responseFields(["Location", location, "Content-Type", "text/plain; charset=utf-8"]);
    exchange.state = "given";
    if (!(fields instanceof ResponseFields)) return answerError(exchange, 400);
    exchange.complete(status, reason, fields, `${status} ${reason}: ${location}\n`);
  };
}

export function responding({ status, fields: flat, body: text }: RespondPlan): Handler {
  const fields = responseFields(flat);
  if (!(fields instanceof ResponseFields)) throw new Error(`a fixed response has a bad field ${fields.name}`);
  const reason = reasonPhrase(status);
  const body = Buffer.from(text, "utf8");
  return (exchange) => {
    exchange.state = "given";
    exchange.complete(status, reason, fields, body);
  };
}
