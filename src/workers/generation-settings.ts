/** What every generation is made from, and what it shares with the others. */
import type { Clock } from "../clock.ts";
import type { ReadyUrl } from "../config/settings/reload.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Log } from "../telemetry/log.ts";
import type { BaseListener } from "../wire/request-encoder.ts";
import type { FoundFolder } from "./found-folders.ts";
import type { Generation } from "./generation.ts";
import type { MemoryCgroup } from "./memory-cgroup.ts";
import type { EndLedger } from "./report.ts";
import type { ResponseRelays } from "./response-relay.ts";
import type { TurnEnd } from "./turn-end.ts";
import type { LoadFailure, Zygote, ZygoteHandler } from "./zygote.ts";

export interface GenerationSettings {
  /** Starts Python. */
  spawn(this: void, handler: ZygoteHandler): Zygote;
  readonly preload: boolean;
  readonly workers: number;
  readonly workerConnections: number;
  readonly base: BaseListener;
  readonly timeoutMs: number;
  readonly gracefulTimeoutMs: number;
  readonly cancelGoneMs: number | null;
  /** What a new worker must answer with 2xx before it gets requests; null = nothing. */
  readonly readyUrl: ReadyUrl | null;
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
  readonly maxWorkerAgeMs: number;
  readonly maxWorkerMemoryBytes: number;
}

export interface GenerationContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly dispatcher: Dispatcher;
  readonly turnEnd: TurnEnd;
  readonly relays: ResponseRelays;
  readonly ledger: EndLedger;
  readonly memoryCgroup: MemoryCgroup;
  /** For development: files that a worker's modules came from, and modules of the standard library that it has. */
  onModules?(this: void, files: readonly string[], standard: readonly string[]): void;
  /** Files that the app need not be asked for; each worker tells them. URLs are whole paths by now. */
  onFolders?(this: void, folders: readonly FoundFolder[]): void;
  /** Numbers workers across all generations. */
  nextWorker(): number;
}

export interface GenerationOwner {
  /** Its Python has no GIL: threads do what processes would. Nothing has been forked yet. */
  onFreeThreaded(generation: Generation): void;
  /** A worker has something to tell the operator; all workers may tell the same. */
  onWarning(warning: string): void;
  /** All workers are ready (and hold their seats back until `promote`). */
  onReady(generation: Generation): void;
  /** It could not start; it has ended. */
  onFailed(generation: Generation, failure: LoadFailure): void;
  /** The last worker and the zygote are gone. `detail` is empty where that was asked for. */
  onEnded(generation: Generation, detail: string): void;
}
