/**
 * Header fields that every response of a route gets, whoever makes it (`headers` in the configuration): removed, set, added, or given where there are
 * none of the name. The preset `secure` never says what the response says itself.
 */
import type { HeadersPlan } from "../config/sites/headers.ts";
import { valueOf, withoutFields } from "../http/field-lines.ts";
import type { Stage } from "../http/handler.ts";
import { changedFields, dress, remembered } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { securityFields } from "./security-headers.ts";

export function settingHeaders(plan: HeadersPlan): Stage {
  const overHttp = remembered((fields) => changed(plan, fields, false));
  const overHttps = remembered((fields) => changed(plan, fields, true));
  return (next) => (exchange) => {
    dress(exchange, exchange.peer.scheme === "https" ? overHttps : overHttp);
    next(exchange);
  };
}

// Private

function changed(plan: HeadersPlan, fields: ResponseFields, isHttps: boolean): ResponseFields {
  const gone = new Set([...plan.remove, ...namesOf(plan.set)]);
  const flat = withoutFields(fields.flat, gone);
  flat.push(...plan.set, ...plan.add);
  const said = new Set(namesOf(flat));
  for (let i = 0; i < plan.default.length; i += 2)
    if (!said.has(plan.default[i]!.toLowerCase())) flat.push(plan.default[i]!, plan.default[i + 1]!);
  const dressed = changedFields(flat, fields);
  if (!plan.isSecure) return dressed;
  // What the configuration takes away is not to come back by the preset.
  const more = securityFields((name) => valueOf(dressed.flat, name), isHttps);
  return changedFields([...flat, ...withoutFields(more, new Set(plan.remove))], dressed);
}

function namesOf(flat: readonly string[]): string[] {
  return flat.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase());
}
