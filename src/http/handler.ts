/** How a request travels from the edge to whoever answers it. */
import type { Exchange } from "./exchange.ts";

/** Takes a request: answers it, or gives it to another handler. Never throws. */
export type Handler = (exchange: Exchange) => void;

/**
 * Stands before a handler. It may answer the request itself, pass it on as it is (`next(exchange)`), or pass on another in its place and see
 * that one's response (`passing.ts`). Folded once, when the server starts or reads its configuration: what was not asked for is not there.
 */
export type Stage = (next: Handler) => Handler;

/** The first stage is the outermost: it sees the request first and the response last. */
export function fold(stages: readonly Stage[], handler: Handler): Handler {
  return stages.reduceRight((next, stage) => stage(next), handler);
}
