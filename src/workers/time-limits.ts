/**
 * Requests that have been at work for too long (--timeout). A serial seat that makes no progress is stuck: its client gets 504 and its worker is
 * aborted, which prints the Python stacks. On an event loop the late request gets 504 and is cancelled, its neighbours go on; only a loop that does not
 * even answer a ping is stuck. Time in which a response waits for its client does not count.
 */
import type { Clock, Timer } from "../clock.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Log } from "../telemetry/log.ts";
import type { WorkerSeat } from "./seat.ts";
import type { Worker } from "./worker.ts";

/** faulthandler prints all Python stacks and dies of it, even where the GIL is held. */
const SIGABRT = 6;
export const SIGKILL = 9;
/** After SIGABRT the worker has this long to print and die. */
export const ABORT_GRACE_MS = 1000;
const WATCH_EVERY_MS = 250;

export interface TimeLimitsContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly dispatcher: Dispatcher;
}

export class TimeLimits {
  readonly #timeoutMs: number;
  readonly #context: TimeLimitsContext;
  readonly #workers: () => Iterable<Worker>;
  readonly #kill: (worker: Worker, signal: number) => void;
  /** Pings without a pong, with the time they were sent. */
  readonly #pings = new Map<WorkerSeat, number>();
  readonly #timer: Timer | null;

  /** `timeoutMs` 0 = no limit. `kill` signals a worker that still lives. */
  constructor(
    timeoutMs: number,
    context: TimeLimitsContext,
    workers: () => Iterable<Worker>,
    kill: (worker: Worker, signal: number) => void,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#context = context;
    this.#workers = workers;
    this.#kill = kill;
    this.#timer = timeoutMs === 0 ? null : context.clock.every(WATCH_EVERY_MS, () => this.#watch());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The seat gave a sign of life, or is gone. */
  alive(seat: WorkerSeat): void {
    this.#pings.delete(seat);
  }

  #watch(): void {
    const now = this.#context.clock.now();
    for (const worker of this.#workers()) {
      for (const seat of worker.seats) {
        if (seat.inFlight === 0) continue;
        if (seat.concurrent) this.#watchLoop(worker, seat, now);
        else if (now - seat.busySince > this.#timeoutMs && !seat.isHeldByClient)
          this.#abort(worker, seat.unfinished()[0]!, now);
      }
    }
  }

  #watchLoop(worker: Worker, seat: WorkerSeat, now: number): void {
    for (const exchange of seat.unfinished()) {
      if (exchange.state !== "given" || now - exchange.givenAt < this.#timeoutMs) continue;
      this.#context.log.error(
        `${exchange.head.method} ${exchange.head.target} answered 504 after ${Math.round(now - exchange.givenAt)} ms in ${worker.name} (--timeout ${this.#timeoutMs / 1000})`,
      );
      answerError(exchange, 504);
      seat.cancel(exchange);
    }
    const pinged = this.#pings.get(seat);
    if (pinged === undefined) {
      this.#pings.set(seat, now);
      seat.ping(0);
    } else if (now - pinged > this.#timeoutMs) {
      const first = seat.unfinished()[0];
      if (first !== undefined) this.#abort(worker, first, now);
    }
  }

  #abort(worker: Worker, exchange: Exchange, now: number): void {
    if (worker.reason.type === "timeout") return;
    const request = `${exchange.head.method} ${exchange.head.target} for ${Math.round(now - exchange.givenAt)} ms`;
    worker.reason = { type: "timeout", request };
    this.#context.log.critical(
      `WORKER TIMEOUT: ${worker.name} is stuck in ${request} (--timeout ${this.#timeoutMs / 1000}); its Python stacks follow on stderr`,
    );
    for (const seat of worker.seats) {
      seat.isAccepting = false;
      this.#context.dispatcher.removeSeat(seat);
    }
    answerError(exchange, 504);
    this.#kill(worker, SIGABRT);
    this.#context.clock.after(ABORT_GRACE_MS, () => this.#kill(worker, SIGKILL));
  }
}
