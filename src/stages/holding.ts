/** A request that a stage passes on later: nobody else does anything with it meanwhile, and its client may leave. */
import type { Exchange } from "../http/exchange.ts";

/** `onLeft` is called where the client leaves first; the request is over then. */
export function hold(exchange: Exchange, onLeft: () => void): void {
  exchange.state = "queued";
  exchange.onGone = onLeft;
}

/** On it goes: the caller passes it on, or answers it, next. */
export function letGo(exchange: Exchange): void {
  exchange.onGone = null;
}
