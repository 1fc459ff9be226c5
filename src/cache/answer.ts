/** A request answered from a stored response: whole, a part of it, or only that the client has it already. */
import { boundary } from "../http/boundary.ts";
import { byteRanges } from "../http/byte-ranges.ts";
import type { Exchange } from "../http/exchange.ts";
import { onlyFields } from "../http/field-lines.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { gathered, partialContent } from "../http/partial-content.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { fieldsOf304, isNotModified, mayHaveRange } from "./conditional.ts";
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
    // Of the whole only what is about the exchange: nobody is to keep this in its place for as long.
    const own = ["Cache-Control", "no-store", "Content-Range", `bytes */${body.length}`];
    return exchange.complete(416, reasonPhrase(416), ownFields([...onlyFields(fields.flat, OF_416), ...own]), "");
  }
  if (asked.type === "whole") return exchange.complete(status, reason, fields, body);
  const partial = partialContent(fields.flat, body.length, asked.ranges, boundary);
  exchange.complete(206, reasonPhrase(206), partial.fields, gathered(body, partial.segments));
}

const OF_416: ReadonlySet<string> = new Set(["date", "vary", "age", "cache-status"]);

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
  if (fields !== stored.ready) return ownFields(fieldsOf304(fields.flat));
  stored.ready304 ??= ownFields(fieldsOf304(fields.flat));
  return stored.ready304;
}
