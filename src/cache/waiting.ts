/** A request that waits for a response which another one has asked for. */
import type { Exchange } from "../http/exchange.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { StoredResponse } from "./stored-response.ts";
import { variantKey } from "./vary.ts";

export interface Waiting {
  readonly exchange: Exchange;
  readonly facts: RequestFacts;
}

/** Its fields are like those of the request that the response was for, in all that the response varies by. */
export function isVariantOf({ exchange }: Waiting, stored: StoredResponse): boolean {
  return stored.vary.length === 0 || variantKey(stored.vary, exchange.head.headers) === stored.variantKey;
}

/** It waits for nothing any more. */
export function free(waiting: Waiting): Waiting {
  const { exchange } = waiting;
  if (exchange.state !== "done") exchange.state = "waiting";
  exchange.inner = null;
  exchange.onGone = null;
  exchange.onSent = null;
  return waiting;
}

/** Who served it, or that nobody could. */
export function adopt(outer: Exchange, inner: Exchange): void {
  outer.workerPid = inner.workerPid;
  outer.isOwnError = inner.isOwnError;
  outer.queuedAt = inner.queuedAt;
  outer.givenAt = inner.givenAt;
}
