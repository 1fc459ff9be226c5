/** What every generation is made from, and what it shares with the others. */
import type { Clock } from "../clock.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Log } from "../telemetry/log.ts";
import type { BaseListener } from "../wire/request-encoder.ts";
import type { EndLedger } from "./report.ts";
import type { ResponseRelays } from "./response-relay.ts";
import type { TurnEnd } from "./turn-end.ts";
import type { ZygoteSettings } from "./zygote.ts";

export interface GenerationSettings {
  readonly zygote: ZygoteSettings;
  readonly preload: boolean;
  readonly workers: number;
  readonly workerConnections: number;
  readonly base: BaseListener;
  readonly timeoutMs: number;
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
}

export interface GenerationContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly dispatcher: Dispatcher;
  readonly turnEnd: TurnEnd;
  readonly relays: ResponseRelays;
  readonly ledger: EndLedger;
  /** Numbers workers across all generations. */
  nextWorker(): number;
}
