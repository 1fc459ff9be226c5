/**
 * Changes to the fields of responses on their way to the client. What an app repeats is changed once: the wire gives the same ResponseFields for the
 * same header list, and codecs keep what they have made of one.
 */
import type { Dressing, Exchange } from "./exchange.ts";
import { members, valuesOf, without } from "./field-lines.ts";
import { ResponseFields, responseFields } from "./response-fields.ts";

/** Puts a dressing on an exchange, below those that it has: the stage that came first sees the fields last. */
export function dress(exchange: Exchange, dressing: Dressing): void {
  const outer = exchange.dressing;
  exchange.dressing =
    outer === null ? dressing : (of, status, fields) => outer(of, status, dressing(of, status, fields));
}

/** Fields that are known to be good; anything else is a bug of ours. */
export function ownFields(flat: readonly string[]): ResponseFields {
  const fields = responseFields(flat);
  if (fields instanceof ResponseFields) return fields;
  throw new Error(`own field ${fields.name}: ${fields.reason}`);
}

/** What was changed, where it can be sent; what it was where it cannot, which would be a bug of ours and not the client's to suffer. */
export function changedFields(flat: readonly string[], otherwise: ResponseFields): ResponseFields {
  const fields = responseFields(flat);
  return fields instanceof ResponseFields ? fields : otherwise;
}

/** Both, one after the other. `more` has neither Content-Length nor Connection. */
export function appended(fields: ResponseFields, more: ResponseFields): ResponseFields {
  return new ResponseFields(
    [...fields.flat, ...more.flat],
    fields.text + more.text,
    fields.contentLength,
    fields.hasDate || more.hasDate,
    fields.hasServer || more.hasServer,
    fields.wantsClose,
  );
}

/** A dressing that remembers what a change makes of fields for as long as these live. */
export function remembered(change: (fields: ResponseFields) => ResponseFields): Dressing {
  const known = new WeakMap<ResponseFields, ResponseFields>();
  return (_exchange, _status, fields) => {
    let changed = known.get(fields);
    if (changed === undefined) known.set(fields, (changed = change(fields)));
    return changed;
  };
}

/** Adds words to Vary (RFC 9110 section 12.5.5), each once; a Vary of `*` says all already. */
export function varied(flat: readonly string[], words: readonly string[]): string[] {
  const said = members(valuesOf(flat, "vary"));
  const rest = without(flat, (lower) => lower === "vary");
  if (said.includes("*")) return [...rest, "Vary", "*"];
  const lower = new Set(said.map((word) => word.toLowerCase()));
  return [...rest, "Vary", [...said, ...words.filter((word) => !lower.has(word.toLowerCase()))].join(", ")];
}
