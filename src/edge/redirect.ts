/** What a plain address answers whose only purpose is to send clients to https. */
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { reasonPhrase } from "../http/http1/response-head.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";
import type { EdgeContext } from "./context.ts";

/** The house as a redirecting connection sees it: every request is answered at the door. `port` is asked for each time. */
export function redirecting(context: EdgeContext, port: () => number): EdgeContext {
  return {
    ...context,
    get date() {
      return context.date;
    },
    get isDraining() {
      return context.isDraining;
    },
    bodyRule: null,
    refusalPage: null,
    // Nobody reads the bodies, so nothing waits for them.
    streamsBodies: () => true,
    submit: (exchange) => redirect(exchange, port()),
  };
}

function redirect(exchange: Exchange, port: number): void {
  const { head } = exchange;
  exchange.state = "given";
  const location = httpsLocation(head.headers.get("host") ?? "", port, head.path, head.query);
  const fields = location === null ? null : responseFields(["Location", location]);
  if (!(fields instanceof ResponseFields)) return answerError(exchange, 400);
  // 301 lets a client turn POST into GET (RFC 9110 section 15.4.2), 308 does not.
  const status = head.method === "GET" || head.method === "HEAD" ? 301 : 308;
  exchange.complete(status, "", fields, `${status} ${reasonPhrase(status)}: ${location}\n`);
}

/** `host` is the Host field, with its own port or without; null where it says no host (HTTP/1.0). `port` 443 goes without saying. */
export function httpsLocation(host: string, port: number, path: string, query: string): string | null {
  const name = /^(\[[^\]]+\]|[^:]+)(?::\d*)?$/.exec(host)?.[1];
  if (name === undefined) return null;
  const where = path === "*" ? "/" : path;
  return `https://${name}${port === 443 ? "" : `:${port}`}${where}${query === "" ? "" : `?${query}`}`;
}
