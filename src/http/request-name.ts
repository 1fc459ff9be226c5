/** A request as a line of the log names it. */
import type { Exchange } from "./exchange.ts";

/** "GET /a?b", and its id where it has one: "GET /a?b [0d5c…]". The target has no control characters: the codec refuses those. */
export function requestName(exchange: Exchange): string {
  const { method, target } = exchange.head;
  return `${method} ${target}${idText(exchange)}`;
}

/** " [0d5c…]", or nothing. */
export function idText({ requestId }: Exchange): string {
  return requestId === "" ? "" : ` [${requestId}]`;
}
