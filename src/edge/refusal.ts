/** The answer to a request that is refused at the door: it could not be read, or its body is not taken. */
import { refusalOf, type Refusal } from "../http/error-response.ts";
import { completeHead, reasonPhrase } from "../http/http1/response-head.ts";
import { UNREADABLE } from "../http/glimpse.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { EdgeContext } from "./context.ts";

/** What the client is told: an own page of its site, or the built-in form that it accepts. `head` may be only a glimpse of one. Never throws. */
export function dressedRefusal(head: RequestHead, status: number, context: EdgeContext): Refusal {
  return context.refusalPage?.(head, status) ?? refusalOf(head, status);
}

/** Head and body of a refusal where nothing is known of the request; the connection closes after it. `date` and `server` are field values, empty for none. */
export function refusal(
  status: number,
  date: string,
  server: string,
): { readonly head: string; readonly body: string } {
  const { fields, body } = refusalOf(UNREADABLE, status);
  const options = { method: "GET", minor: 1, keepAlive: false, date, server } as const;
  return { head: completeHead(status, reasonPhrase(status), fields, body.length, options), body: String(body) };
}
