/** A request answered from a stored response: whole, a part of it, or only that the client has it already. */
import { byteRanges, contentRange } from "../http/byte-ranges.ts";
import type { Exchange } from "../http/exchange.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { fieldsOf304, isNotModified, mayHaveRange } from "./conditional.ts";
import { made } from "./made-fields.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { StoredResponse } from "./stored-response.ts";

/** @param fields of the whole response, as they are to be sent. */
export function answerFrom(
  exchange: Exchange,
  facts: RequestFacts,
  stored: StoredResponse,
  fields: ResponseFields,
): void {
  const { status, reason, body } = stored;
  if (body === null) throw new Error("its body is on the disk");
  if (answersCondition(exchange, facts, stored, fields)) return;
  const { method, headers } = exchange.head;
  if (status !== 200 || facts.range === null || method !== "GET" || !mayHaveRange(headers, stored.flat))
    return exchange.complete(status, reason, fields, body);
  const asked = byteRanges(facts.range, body.length);
  if (asked.type === "unsatisfiable") {
    const unsatisfied = made([...fields.flat, "Content-Range", `bytes */${body.length}`]);
    return exchange.complete(416, reasonPhrase(416), unsatisfied, "");
  }
  // The whole is a valid answer where several parts are asked for (RFC 9110 section 14.2).
  if (asked.type === "whole" || asked.ranges.length > 1) return exchange.complete(status, reason, fields, body);
  const range = asked.ranges[0]!;
  const end = range.start + range.length;
  const part = typeof body === "string" ? body.slice(range.start, end) : body.subarray(range.start, end);
  const partial = made([...fields.flat, "Content-Range", contentRange(range, body.length)]);
  exchange.complete(206, reasonPhrase(206), partial, part);
}

/** Answers 304 where the client has it already. */
export function answersCondition(
  exchange: Exchange,
  facts: RequestFacts,
  stored: StoredResponse,
  fields: ResponseFields,
): boolean {
  if (!facts.isConditional || stored.status !== 200 || !isNotModified(exchange.head.headers, stored.flat)) return false;
  exchange.complete(304, reasonPhrase(304), fieldsFor304(stored, fields), "");
  return true;
}

/** A browser asks whether what it has is still good more often than for anything else. */
function fieldsFor304(stored: StoredResponse, fields: ResponseFields): ResponseFields {
  if (fields !== stored.ready) return made(fieldsOf304(fields.flat));
  stored.ready304 ??= made(fieldsOf304(fields.flat));
  return stored.ready304;
}
