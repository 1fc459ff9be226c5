/** The answers that maitred itself makes when it cannot do what was asked: as text, as a page or as JSON (error-body.ts). */
import { type ErrorFormat, errorBody, errorFormat } from "./error-body.ts";
import type { Exchange } from "./exchange.ts";
import { reasonPhrase } from "./http1/response-head.ts";
import type { RequestHead } from "./request-head.ts";
import { ownFields } from "./response-changes.ts";
import type { ResponseFields } from "./response-fields.ts";

const FIELDS: Readonly<Record<ErrorFormat, ResponseFields>> = {
  "text/plain": errorFieldsOf("text/plain; charset=utf-8"),
  "text/html": errorFieldsOf("text/html; charset=utf-8"),
  "application/problem+json": errorFieldsOf("application/problem+json"),
  "application/json": errorFieldsOf("application/json"),
};

function errorFieldsOf(type: string): ResponseFields {
  return ownFields(["Content-Type", type, "Cache-Control", "no-store"]);
}

/**
 * Answers an exchange whose response has not begun; one that has begun is cut.
 * @param retryAfterSeconds adds Retry-After (RFC 9110 section 10.2.3).
 */
export function answerError(exchange: Exchange, status: number, retryAfterSeconds?: number): void {
  if (exchange.state === "streaming") return exchange.cut();
  const format = errorFormat(exchange.head.headers.get("accept"));
  const fields =
    retryAfterSeconds === undefined
      ? FIELDS[format]
      : ownFields([...FIELDS[format].flat, "Retry-After", String(Math.max(1, Math.ceil(retryAfterSeconds)))]);
  const reason = reasonPhrase(status);
  exchange.isOwnError = true;
  exchange.complete(status, reason, fields, errorBody(format, status, reason, exchange.requestId));
}

/** An answer that needs no exchange. `body` as a string is ASCII. */
export interface Refusal {
  readonly fields: ResponseFields;
  readonly body: string | Buffer;
}

/** The built-in form of an error in the terms of a request, of which perhaps only a glimpse is known. */
export function refusalOf({ headers }: RequestHead, status: number): Refusal {
  const format = errorFormat(headers.get("accept"));
  return { fields: FIELDS[format], body: errorBody(format, status, reasonPhrase(status), "") };
}

/** Head fields of an error about which nothing of the request is known. */
export function errorFields(): ResponseFields {
  return FIELDS["text/plain"];
}

/** What `answerError` with this status is about to do to an exchange, for the log. */
export function failureOutcome(exchange: Exchange, status: number): string {
  if (exchange.isWebSocketOpen) return "the WebSocket was closed with 1011";
  return exchange.state === "streaming" ? "the response was cut" : `answered ${status}`;
}
