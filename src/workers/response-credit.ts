/** Gives a worker the credit of a streamed response back, in steps, as its client takes it (PROTOCOL.md, "Credit"). */
import type { Exchange } from "../http/exchange.ts";
import { RESPONSE_CREDIT } from "../wire/frames.ts";

/** A client that has not taken so much of a serial seat's response is slow. */
export const CREDIT_STEP: number = RESPONSE_CREDIT / 4;

/** `give` is called with each step. A client may take the last of it long after the worker has finished: `isAtWork` tells. */
export function returnCredit(exchange: Exchange, isAtWork: () => boolean, give: (bytes: number) => void): void {
  let unreturned = 0;
  exchange.onSent = (bytes) => {
    unreturned += bytes;
    exchange.bufferedBytes -= bytes;
    if (unreturned < CREDIT_STEP || !isAtWork()) return;
    give(unreturned);
    unreturned = 0;
  };
}
