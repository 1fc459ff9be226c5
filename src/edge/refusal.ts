/** The answer to a request that could not be read, and what stands for it in the access log. */
import { errorFields } from "../http/error-response.ts";
import { NO_HEADERS } from "../http/header-block.ts";
import { completeHead, reasonPhrase } from "../http/http1/response-head.ts";
import type { RequestHead } from "../http/request-head.ts";

/** Stands in the access log for a request that could not be read. */
export const UNREADABLE: RequestHead = {
  method: "-",
  target: "-",
  path: "-",
  query: "",
  version: "1.1",
  headers: NO_HEADERS,
  framing: "none",
  contentLength: 0,
  keepAlive: false,
  expectsContinue: false,
};

/** Head and body of the refusal; the connection closes after it. `date` and `server` are field values, empty for none. */
export function refusal(
  status: number,
  date: string,
  server: string,
): { readonly head: string; readonly body: string } {
  const reason = reasonPhrase(status);
  const body = `${status} ${reason}\n`;
  const options = { method: "GET", minor: 1, keepAlive: false, date, server } as const;
  return { head: completeHead(status, reason, errorFields(), body.length, options), body };
}
