/**
 * Time that requests at work may take (--timeout, or a limit of their own), and workers that have been told to leave (--graceful-timeout).
 *
 * A late request gets 504. On an event loop that answers to a ping its task is cancelled and its neighbours go on. A serial seat, or a loop that is
 * blocked, is stuck: its worker gets no more requests and a replacement starts; its Python stacks are logged; requests in its other
 * threads get the grace period; then it is killed. Not counted: waiting in the queue, for the client's upload, for the client to take the response.
 */
import type { Clock, Timer } from "../clock.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Log } from "../telemetry/log.ts";
import type { EndReason } from "./lifecycle.ts";
import type { WorkerSeat } from "./seat.ts";
import type { Worker } from "./worker.ts";

export const SIGKILL = 9;
const WATCH_EVERY_MS = 250;
/** The watch came so much too late: the front itself was stopped or starved, and what it sees now is old. */
const BLIND_AFTER_MS = 2000;
const MOST_BLIND_MS = 5000;
/** The end of an event loop, lifespan shutdown included, gets at most this much of the grace, and at most a quarter of it. */
const ENDING_MS = 3000;

export interface TimeLimitSettings {
  /** For requests without a limit of their own, and for event loops that are blocked; 0 = no limit. */
  readonly timeoutMs: number;
  readonly gracefulTimeoutMs: number;
  /** A request whose client has left is interrupted after this; null = never. */
  readonly cancelGoneMs: number | null;
}

export interface TimeLimitsHouse {
  workers(): Iterable<Worker>;
  /** No more requests for it; what it has not begun goes elsewhere, and a replacement starts. */
  giveUp(worker: Worker, reason: EndReason): void;
  /** What it is doing, for the log. */
  stacks(worker: Worker): Promise<string>;
  /** Signals a worker that still lives. */
  kill(worker: Worker, signal: number): void;
}

/** A worker that was given up. */
interface Stuck {
  /** Requests that will not end well. */
  readonly requests: Set<Exchange>;
  readonly since: number;
  /** Nobody in it can go on. */
  readonly isWhole: boolean;
  isTold: boolean;
  isKilled: boolean;
}

export class TimeLimits {
  readonly #settings: TimeLimitSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #house: TimeLimitsHouse;
  /** Pings without a pong, with the time they were sent. */
  readonly #pings = new Map<WorkerSeat, number>();
  readonly #stuck = new WeakMap<Worker, Stuck>();
  readonly #interrupted = new WeakSet<Exchange>();
  readonly #overstayed = new WeakSet<Worker>();
  readonly #hurried = new WeakSet<Worker>();
  readonly #timer: Timer;
  #watchedAt: number;
  #blindUntil = 0;

  constructor(settings: TimeLimitSettings, clock: Clock, log: Log, house: TimeLimitsHouse) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#house = house;
    this.#watchedAt = clock.now();
    this.#timer = clock.every(WATCH_EVERY_MS, () => this.#watch());
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** The seat gave a sign of life, or is gone. */
  alive(seat: WorkerSeat): void {
    this.#pings.delete(seat);
  }

  #watch(): void {
    const now = this.#clock.now();
    if (now - this.#watchedAt > BLIND_AFTER_MS) {
      this.#blindUntil = now + Math.min(MOST_BLIND_MS, this.#settings.timeoutMs || MOST_BLIND_MS);
      this.#pings.clear();
    }
    this.#watchedAt = now;
    for (const worker of this.#house.workers()) {
      const stuck = this.#stuck.get(worker);
      if (stuck !== undefined) {
        this.#watchStuck(worker, stuck, now);
        continue;
      }
      this.#watchLeaving(worker, now);
      for (const seat of worker.seats) {
        if (seat.inFlight === 0) continue;
        if (this.#settings.cancelGoneMs !== null && worker.canInterrupt) this.#watchGone(worker, seat, now);
        if (now < this.#blindUntil) continue;
        if (seat.concurrent) this.#watchLoop(worker, seat, now);
        else this.#watchSerial(worker, seat, now);
      }
    }
  }

  #watchSerial(worker: Worker, seat: WorkerSeat, now: number): void {
    const first = seat.unfinished()[0]!;
    const timeoutMs = this.#limitOf(first);
    if (timeoutMs === 0) return;
    if (isUploading(first)) first.dueAt = now + timeoutMs;
    if (now - seat.busySince <= timeoutMs || now < first.dueAt || seat.isHeldByClient) return;
    const isAlone = worker.seats.length === 1;
    this.#giveUp(worker, [first], isAlone, `is stuck in ${this.#describe(first, now)}`, this.#limitText(first), now);
  }

  #watchLoop(worker: Worker, seat: WorkerSeat, now: number): void {
    const { timeoutMs } = this.#settings;
    const silentMs = now - (this.#pings.get(seat) ?? now);
    const late: Exchange[] = [];
    for (const exchange of seat.unfinished()) {
      const limitMs = this.#limitOf(exchange);
      if (exchange.state !== "given" || limitMs === 0) continue;
      if (isUploading(exchange)) exchange.dueAt = now + limitMs;
      if (now - exchange.givenAt >= limitMs && now >= exchange.dueAt) late.push(exchange);
    }
    // Whose fault it is nobody knows: the pool's limit counts, whatever its requests have.
    if (timeoutMs > 0 && (silentMs > timeoutMs || (silentMs > timeoutMs / 2 && late.length > 0))) {
      const [first] = late.length > 0 ? late : seat.unfinished();
      const what = `does not answer: its event loop has been blocked for ${Math.round(silentMs)} ms, with ${seat.inFlight} requests at work, among them ${this.#describe(first!, now)}`;
      return this.#giveUp(worker, late, true, what, `--timeout ${timeoutMs / 1000}`, now);
    }
    for (const exchange of late) {
      this.#log.error(
        `${this.#describe(exchange, now)} answered 504 and cancelled in ${worker.name} (${this.#limitText(exchange)})`,
      );
      answerError(exchange, 504);
      seat.expire(exchange);
    }
    if (timeoutMs > 0 && !this.#pings.has(seat)) {
      this.#pings.set(seat, now);
      seat.ping(0);
    }
  }

  #giveUp(worker: Worker, late: readonly Exchange[], isWhole: boolean, what: string, limit: string, now: number): void {
    const stuck: Stuck = { requests: new Set(late), since: now, isWhole, isTold: false, isKilled: false };
    this.#stuck.set(worker, stuck);
    const outcome = late[0]?.state === "streaming" ? "the response is cut" : "answered 504";
    this.#log.critical(
      `WORKER TIMEOUT: ${worker.name} ${what} (${limit}); ${outcome}, its stacks follow, then it is replaced`,
    );
    for (const exchange of late) answerError(exchange, 504);
    this.#house.giveUp(worker, {
      type: "timeout",
      request: late[0] === undefined ? what : this.#describe(late[0], now),
    });
    void this.#house.stacks(worker).then((text) => {
      this.#log.critical(`What ${worker.name} was doing:\n${text.trimEnd()}`);
      stuck.isTold = true;
      if (isWhole) this.#end(worker, stuck);
    });
  }

  /** Waits for the neighbours of a stuck thread, as long as the grace period lasts. */
  #watchStuck(worker: Worker, stuck: Stuck, now: number): void {
    if (stuck.isKilled || !stuck.isTold) return;
    const neighbours = worker.seats.flatMap((seat) => seat.unfinished()).filter((one) => !stuck.requests.has(one));
    const mayStay = now - stuck.since < this.#settings.gracefulTimeoutMs;
    if (neighbours.length > 0 && mayStay && !stuck.isWhole) return;
    for (const one of neighbours)
      if (!stuck.isWhole && one.state !== "done")
        this.#log.error(`Killed with ${worker.name}: ${this.#describe(one, now)}`);
    this.#end(worker, stuck);
  }

  #end(worker: Worker, stuck: Stuck): void {
    stuck.isKilled = true;
    this.#house.kill(worker, SIGKILL);
  }

  /** A worker that was told to leave gets the grace period; a stop of the server counts its own. */
  #watchLeaving(worker: Worker, now: number): void {
    const { gracefulTimeoutMs } = this.#settings;
    if (worker.state !== "draining" || worker.reason.type === "stopping" || this.#overstayed.has(worker)) return;
    const stayedMs = now - worker.drainingSince;
    const isEventLoop = worker.seats.some(({ concurrent }) => concurrent);
    if (isEventLoop && stayedMs >= gracefulTimeoutMs - Math.min(ENDING_MS, gracefulTimeoutMs / 4))
      this.#hurry(worker, now);
    if (stayedMs < gracefulTimeoutMs) return;
    this.#overstayed.add(worker);
    const left = worker.seats.flatMap((seat) => seat.unfinished());
    const what = left.map((one) => this.#describe(one, now)).join(", ") || "no request";
    this.#log.error(
      `Killed after ${gracefulTimeoutMs / 1000} s (--graceful-timeout): ${worker.name}, at work on ${what}`,
    );
    this.#house.kill(worker, SIGKILL);
  }

  /** What still runs on its event loop is cancelled, so that lifespan shutdown has the rest of the time. */
  #hurry(worker: Worker, now: number): void {
    if (this.#hurried.has(worker)) return;
    this.#hurried.add(worker);
    for (const one of worker.seats.flatMap((seat) => seat.unfinished()))
      this.#log.warning(
        `Cancelled in ${worker.name}, which must leave (--graceful-timeout): ${this.#describe(one, now)}`,
      );
    worker.hurry();
  }

  #watchGone(worker: Worker, seat: WorkerSeat, now: number): void {
    // A serial seat has begun the first only.
    for (const exchange of seat.concurrent ? seat.unfinished() : [seat.unfinished()[0]!]) {
      if (exchange.leftAt === 0 || now - exchange.leftAt < this.#settings.cancelGoneMs!) continue;
      if (this.#interrupted.has(exchange)) continue;
      this.#interrupted.add(exchange);
      this.#log.warning(
        `Interrupting ${this.#describe(exchange, now)} in ${worker.name}: its client left ${Math.round(now - exchange.leftAt)} ms ago (--cancel-gone)`,
      );
      worker.interrupt(seat.index, exchange.sequence);
    }
  }

  #limitOf({ timeoutMs }: Exchange): number {
    return timeoutMs < 0 ? this.#settings.timeoutMs : timeoutMs;
  }

  #limitText({ timeoutMs }: Exchange): string {
    return timeoutMs < 0 ? `--timeout ${this.#settings.timeoutMs / 1000}` : `its own limit of ${timeoutMs / 1000} s`;
  }

  #describe(exchange: Exchange, now: number): string {
    const { method, target, headers } = exchange.head;
    const id = headers.get("x-request-id");
    const age = Math.round(now - exchange.givenAt);
    const received = exchange.body?.length ?? Math.max(0, exchange.head.contentLength);
    const named = id === undefined ? "" : `, X-Request-Id ${JSON.stringify(id)}`;
    return `${method} ${target} (${age} ms, ${received} bytes in, ${exchange.sentBytes} bytes out${named})`;
  }
}

/** The app may have read all there is, and its client sends slowly. */
function isUploading({ stream, head }: Exchange): boolean {
  return stream !== null && !stream.isEnded && stream.size === 0 && (!head.expectsContinue || stream.isWanted);
}
