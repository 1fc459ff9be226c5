/** A place where requests can be at work, as the dispatcher sees it. workers/ implements it. */
import type { Exchange } from "../http/exchange.ts";

export interface Seat {
  /** For the log: "worker 3 (pid 1234)". */
  readonly name: string;
  /** Runs many requests at once (asyncio), so that nobody waits behind anybody. */
  readonly concurrent: boolean;
  /** Requests it may hold at most. */
  readonly capacity: number;
  /** May be given requests: alive, not draining, not known to be busy with something else. */
  readonly isOpen: boolean;
  /** Requests given and not finished. */
  readonly inFlight: number;
  /** WebSockets that are open in it; they are not in flight. */
  readonly webSockets: number;
  /** Estimated work of those, in milliseconds. */
  readonly backlogMs: number;
  /** Clock time at which the oldest unfinished request began or the last answer came. */
  readonly busySince: number;
  /** It has been given something in this turn of the event loop that has not left yet: one more costs no wake-up. */
  readonly isGathering: boolean;
  give(exchange: Exchange, estimateMs: number, nowMs: number): void;
  /** Asks back what it has not started. */
  recall(): void;
}
