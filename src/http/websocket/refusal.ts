/** The answer to a handshake that is none (RFC 6455 section 4.2.2 and 4.4). */
import type { Exchange } from "../exchange.ts";
import { errorFields } from "../error-response.ts";
import { reasonPhrase } from "../http1/response-head.ts";
import { ResponseFields, responseFields } from "../response-fields.ts";

/** Answers 400, or 426 with the version that is spoken here. The reason is the client's to know: it is about its own request. */
export function refuseHandshake(exchange: Exchange, status: 400 | 426, detail: string): void {
  const own = status === 426 ? ["Sec-WebSocket-Version", "13"] : [];
  const fields = responseFields([...errorFields().flat, ...own]);
  const reason = reasonPhrase(status);
  exchange.complete(
    status,
    reason,
    fields instanceof ResponseFields ? fields : errorFields(),
    `${status} ${reason}: ${detail}\n`,
  );
}
