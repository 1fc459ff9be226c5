/** What can be said about workers to an operator: a snapshot for `maitred status`, the requests at work for the log, and how past workers ended. Pure. */
import type { Exchange } from "../http/exchange.ts";
import { requestName } from "../http/request-name.ts";
import { describeReason, type EndReason } from "./lifecycle.ts";
import type { Worker } from "./worker.ts";

export interface RequestReport {
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  readonly ageMs: number;
}

export interface WorkerReport {
  readonly number: number;
  readonly pid: number;
  readonly state: string;
  readonly generation: number;
  /** Since it became ready; 0 before. */
  readonly ageMs: number;
  /** Requests finished. */
  readonly requests: number;
  readonly inFlight: number;
  /** The one at work for the longest time. */
  readonly oldest: RequestReport | null;
}

export interface DeathReport {
  readonly worker: number;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly livedMs: number;
  readonly reason: string;
  readonly exit: string;
}

export function reportWorker(worker: Worker, generation: number, now: number): WorkerReport {
  let inFlight = 0;
  let given = 0;
  let first: Exchange | null = null;
  for (const seat of worker.seats) {
    inFlight += seat.inFlight;
    given += seat.given;
    for (const exchange of seat.unfinished()) if (first === null || exchange.givenAt < first.givenAt) first = exchange;
  }
  return {
    number: worker.number,
    pid: worker.pid,
    state: worker.state,
    generation,
    ageMs: worker.readyAt > 0 ? Math.round(now - worker.readyAt) : 0,
    requests: given - inFlight - worker.handedBack,
    inFlight,
    oldest:
      first === null
        ? null
        : { method: first.head.method, path: first.head.path, ageMs: Math.round(now - first.givenAt) },
  };
}

/** A line for each request at work in this worker, also (`withCut`) for those whose client has gone or was cut. */
export function atWork(worker: Worker, withCut: boolean): string[] {
  return worker.seats
    .flatMap((seat) => seat.unfinished())
    .filter((exchange) => withCut || exchange.state !== "done")
    .map((exchange) => `${requestName(exchange)} in ${worker.name}`);
}

/** How many workers ended for which reason since the start, and the last of those that nobody had asked to. */
export class EndLedger {
  static readonly KEPT = 10;
  readonly counts: Record<string, number> = {};
  readonly deaths: DeathReport[] = [];

  ended(worker: Worker, ending: string, wasAsked: boolean, livedMs: number, at: number): void {
    const reason: EndReason = worker.reason;
    this.counts[reason.type] = (this.counts[reason.type] ?? 0) + 1;
    if (wasAsked) return;
    this.deaths.push({
      worker: worker.number,
      pid: worker.pid,
      at,
      livedMs: Math.round(livedMs),
      reason: describeReason(reason),
      exit: ending,
    });
    if (this.deaths.length > EndLedger.KEPT) this.deaths.shift();
  }
}
