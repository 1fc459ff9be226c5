/** Every request gets a name (`request-id` in the configuration): the app and the client are told it in a field, the logs say it. */
import { randomUUID } from "node:crypto";
import type { RequestIdPlan } from "../config/sites/request-id.ts";
import type { Peer } from "../http/exchange.ts";
import { valueOf, withoutFields } from "../http/field-lines.ts";
import type { Stage } from "../http/handler.ts";
import { appended, changedFields, dress } from "../http/response-changes.ts";
import { ResponseFields } from "../http/response-fields.ts";
import { giveHeaders, withRequestFields } from "./request-headers.ts";

/** What an id may look like that is taken over: it goes into logs and fields of others. */
const WELL_FORMED = /^[\w.:/+=@-]{1,128}$/;

/** `trusts` tells whether a peer is a trusted proxy, or is spoken for by one. */
export function namingRequests(plan: RequestIdPlan, trusts: (peer: Peer) => boolean): Stage {
  const lower = plan.header.toLowerCase();
  const own = new Set([lower]);
  return (next) => (exchange) => {
    const { headers, isSubrequest } = exchange.head;
    // It has the name of the request that it is about.
    if (isSubrequest === true) return next(exchange);
    const told = headers.get(lower);
    const believes =
      plan.trusts === "all" || (plan.trusts === "proxies" && told !== undefined && trusts(exchange.peer));
    const id = told !== undefined && believes && WELL_FORMED.test(told) ? told : randomUUID();
    exchange.requestId = id;
    if (id !== told) giveHeaders(exchange, withRequestFields(headers, own, [plan.header, id]));
    const field = new ResponseFields([plan.header, id], `${plan.header}: ${id}\r\n`, -1, false, false, false);
    dress(exchange, (_exchange, _status, fields) =>
      valueOf(fields.flat, lower) === undefined
        ? appended(fields, field)
        : changedFields([...withoutFields(fields.flat, own), plan.header, id], fields),
    );
    next(exchange);
  };
}
