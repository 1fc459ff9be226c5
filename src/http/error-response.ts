/** The answers that maitred itself makes: short plain text, no internals. Why it was made is for the log. */
import type { Exchange } from "./exchange.ts";
import { reasonPhrase } from "./http1/response-head.ts";
import { ResponseFields, responseFields } from "./response-fields.ts";

function fieldsOf(flat: readonly string[]): ResponseFields {
  const fields = responseFields(flat);
  if (fields instanceof ResponseFields) return fields;
  throw new Error(`own header ${fields.name}: ${fields.reason}`);
}

const PLAIN = fieldsOf(["Content-Type", "text/plain; charset=utf-8", "Cache-Control", "no-store"]);

/**
 * Answers an exchange whose response has not begun; one that has begun is cut.
 * @param retryAfterSeconds adds Retry-After (RFC 9110 section 10.2.3).
 */
export function answerError(exchange: Exchange, status: number, retryAfterSeconds?: number): void {
  if (exchange.state === "streaming") return exchange.cut();
  const fields =
    retryAfterSeconds === undefined
      ? PLAIN
      : fieldsOf([...PLAIN.flat, "Retry-After", String(Math.max(1, Math.ceil(retryAfterSeconds)))]);
  if (fields !== PLAIN) own.add(fields);
  const reason = reasonPhrase(status);
  exchange.complete(status, reason, fields, `${status} ${reason}\n`);
}

/** Fields of other answers of ours than those with PLAIN. */
const own = new WeakSet<ResponseFields>();

/** These are fields of an answer that `answerError` made: whoever should have answered could not. */
export function isOwnAnswer(fields: ResponseFields): boolean {
  return fields === PLAIN || own.has(fields);
}

/** Head fields and body of an error that has no exchange (the request could not be read). */
export function errorFields(): ResponseFields {
  return PLAIN;
}

/** What `answerError` with this status is about to do to an exchange, for the log. */
export function failureOutcome(exchange: Exchange, status: number): string {
  if (exchange.isWebSocketOpen) return "the WebSocket was closed with 1011";
  return exchange.state === "streaming" ? "the response was cut" : `answered ${status}`;
}
