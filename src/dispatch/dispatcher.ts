/**
 * One queue for all workers. Requests come in, leave for a seat as soon as one can begin them, are taken out when their client leaves, and are
 * refused when the queue is full or the wait too long. Seats come and go; what a lost seat had not begun comes back to the head of the queue.
 *
 * Two lanes: a request of a route known to be much slower than the rest waits in the slow lane, which leaves one seat free for everybody else, so that
 * fast requests do not queue behind slow ones. A slow request that has waited several times its own time may use that seat too, so nothing starves;
 * one of many that came together, only after a second and for half of its time: such a backlog becomes shorter by itself.
 *
 * A lane that is late and grows serves its newest first and refuses who has waited too long (overload.ts).
 */
import type { Clock, Timer } from "../clock.ts";
import { answerError, failureOutcome } from "../http/error-response.ts";
import type { Exchange, ServiceTimes } from "../http/exchange.ts";
import { requestName } from "../http/request-name.ts";
import type { Log } from "../telemetry/log.ts";
import { Lane } from "./lane.ts";
import { PATIENCE_FACTOR } from "./overload.ts";
import { mayTryAgain } from "./retry.ts";
import { chooseSeat, chooseSeatForWebSocket } from "./scheduler.ts";
import type { Seat } from "./seat.ts";
import { estimateMs, learn, ServiceTimesTable } from "./service-times.ts";

export interface DispatcherSettings {
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  /** A wait longer than this is too long once more requests come than can be served; 0 = only the timeout counts. */
  readonly queueTargetMs: number;
}

/** A route is slow when it takes at least this long, and this many times the average of all. */
const SLOW_MS = 5;
const SLOW_FACTOR = 4;
/** That average is of about so many requests. */
const MEAN_OF = 64;
/** It may take the last seat after waiting this many times its own time. At 1 the last seat was taken a third of the time at 70 % load. */
const SLOW_PATIENCE = 5;
/** Many slow ones are a backlog when none has come for this many times their own time, or this many wait for each seat: the last seat is not theirs before they have waited so long. */
const BACKLOG_FACTOR = 2;
const BACKLOG_LENGTH = 4;
const BACKLOG_PATIENCE_MS = 1000;
/** A seat whose current request has run this long while others wait behind it is asked to hand those back. */
const RECALL_AFTER_MS = 5;

const TICK_MS = 10;

export class Dispatcher {
  #settings: DispatcherSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #queue = new Lane();
  readonly #slowQueue = new Lane();
  readonly #seats: Seat[] = [];
  readonly #table = new ServiceTimesTable();
  #meanMs = 0;
  /** Requests that the average knows of, up to MEAN_OF. */
  #measured = 0;
  #slowInFlight = 0;
  /** Clock time at which a slow request last took the last seat. */
  #lastSeatAt = -Infinity;
  #ticker: Timer | null = null;
  #refused = 0;
  #refusalsTold = 0;
  #stopping = false;
  #longestWaitMs = 0;
  #outage: ((exchange: Exchange) => void) | null = null;

  constructor(settings: DispatcherSettings, clock: Clock, log: Log) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  /** Other bounds from now on. Returns those of before. */
  reconfigure(settings: DispatcherSettings): DispatcherSettings {
    const before = this.#settings;
    this.#settings = settings;
    return before;
  }

  /** Requests waiting for a seat. */
  get waiting(): number {
    return this.#queue.length + this.#slowQueue.length;
  }

  /** Clock time since which the one that has waited longest waits; null when nobody does. */
  get waitingSince(): number | null {
    const times = [this.#queue.first, this.#slowQueue.first].filter((one) => one !== null).map((one) => one.queuedAt);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** The longest that a request has waited for a seat since the last call, in milliseconds; of those that wait still, so far. */
  takeLongestWait(): number {
    const longest = this.#longestWaitMs;
    this.#longestWaitMs = 0;
    const since = this.waitingSince;
    return since === null ? longest : Math.max(longest, this.#clock.now() - since);
  }

  addSeat(seat: Seat): void {
    this.#seats.push(seat);
    this.pump();
  }

  removeSeat(seat: Seat): void {
    const at = this.#seats.indexOf(seat);
    if (at >= 0) this.#seats.splice(at, 1);
  }

  /** While set, it answers whoever would wait, those who wait already included: nothing can serve them (development, broken code). */
  setOutage(answer: ((exchange: Exchange) => void) | null): void {
    this.#outage = answer;
    if (answer === null) return;
    for (const lane of [this.#queue, this.#slowQueue]) {
      for (let next = lane.first; next !== null; next = lane.first) {
        lane.remove(next);
        answer(next);
      }
    }
  }

  /** A new request. Answers 503 at once when the queue is full. */
  submit(exchange: Exchange): void {
    const times = this.#table.of(exchange.head.method, exchange.head.path);
    exchange.times = times;
    exchange.isSlow = this.#isSlow(times);
    const lane = exchange.isSlow ? this.#slowQueue : this.#queue;
    if (lane.length === 0) {
      // The clock is read once per request: nearly always it has just arrived.
      const now =
        exchange.state === "waiting" && exchange.stream === null && exchange.head.framing === "none"
          ? exchange.receivedAt
          : this.#clock.now();
      const seat = this.#seatFor(exchange, now);
      if (seat !== null) return this.#give(seat, exchange, now);
    }
    if (this.#outage !== null) return this.#outage(exchange);
    if (this.waiting >= this.#settings.queueSize || this.#stopping) return this.#refuse(exchange);
    exchange.onGone = this.#left;
    exchange.queuedAt = this.#clock.now();
    lane.push(exchange, this.#workMs(exchange));
    this.#ticker ??= this.#clock.every(TICK_MS, this.#tick);
  }

  /** A seat has room, or news: give out what waits. */
  pump(): void {
    for (let slow = this.#overdue(); slow !== null; slow = this.#overdue()) {
      if (!this.#giveFirst(this.#slowQueue, slow, this.#clock.now())) break;
    }
    this.#drain(this.#queue);
    this.#drain(this.#slowQueue);
  }

  /** A seat has finished a request (answered or given up). `ms` is its service time, or negative where it could not be told. */
  finished(exchange: Exchange, ms: number): void {
    if (exchange.isSlow) this.#slowInFlight--;
    if (ms < 0) return;
    if (exchange.times !== null) learn(exchange.times, ms);
    // The first ones count as they come: beside a mean that begins at nothing the only route there is would be slow.
    if (this.#measured < MEAN_OF) this.#measured++;
    this.#meanMs += (ms - this.#meanMs) / this.#measured;
  }

  /** A seat handed these back before starting them, or was lost with them unstarted: they wait at the head of the queue. */
  returned(exchanges: readonly Exchange[]): void {
    // Whoever never began has not had its try.
    for (const exchange of exchanges) exchange.attempts--;
    this.#requeue(exchanges);
  }

  /** A worker died with this request started and unanswered: once more where that is safe, else an honest 502. `cause` is for the log. */
  lost(exchange: Exchange, cause: string): void {
    if (exchange.state === "done") {
      if (exchange.isSlow) this.#slowInFlight--;
      return;
    }
    const { method, target } = exchange.head;
    if (mayTryAgain(exchange)) {
      this.#log.warning(`Trying ${method} ${target} again: ${cause}`);
      return this.#requeue([exchange]);
    }
    if (exchange.isSlow) this.#slowInFlight--;
    const outcome = failureOutcome(exchange, 502);
    this.#log.error(`${method} ${target} failed (${outcome}) after ${this.#age(exchange)} ms: ${cause}`);
    answerError(exchange, 502);
  }

  /** Nothing more will be served: what waits gets 503. */
  abandon(): void {
    this.#stopping = true;
    for (const queue of [this.#queue, this.#slowQueue]) {
      for (let next = queue.first; next !== null; next = queue.first) {
        queue.remove(next);
        answerError(next, 503, 1);
      }
    }
    this.#ticker?.cancel();
    this.#ticker = null;
  }

  #requeue(exchanges: readonly Exchange[]): void {
    for (const exchange of exchanges.toReversed()) {
      if (exchange.isSlow) this.#slowInFlight--;
      if (exchange.state === "done") continue;
      exchange.onGone = this.#left;
      exchange.queuedAt = this.#clock.now();
      (exchange.isSlow ? this.#slowQueue : this.#queue).unshift(exchange);
    }
    if (this.#outage !== null) this.setOutage(this.#outage);
    if (this.waiting > 0) this.#ticker ??= this.#clock.every(TICK_MS, this.#tick);
    this.pump();
  }

  #age(exchange: Exchange): number {
    return Math.round(this.#clock.now() - exchange.receivedAt);
  }

  readonly #left = (exchange: Exchange): void => {
    (exchange.isSlow ? this.#slowQueue : this.#queue).remove(exchange);
  };

  #seatFor(exchange: Exchange, nowMs: number): Seat | null {
    if (exchange.isSlow && !this.#mayUseAnySeat(exchange, nowMs)) return null;
    return exchange.webSocket === null ? chooseSeat(this.#seats, nowMs) : chooseSeatForWebSocket(this.#seats);
  }

  #isSlow({ meanMs }: ServiceTimes): boolean {
    return meanMs >= SLOW_MS && meanMs >= SLOW_FACTOR * this.#meanMs;
  }

  /** One serial seat is kept from the slow, unless they have waited several times as long as they take. Of two seats only from a backlog. */
  #mayUseAnySeat(exchange: Exchange, nowMs: number): boolean {
    const { length } = this.#seats;
    if (length < 2 || this.#slowInFlight < length - 1 || this.#seats[0]!.concurrent) return true;
    const ownMs = exchange.times?.meanMs ?? 0;
    const waitedMs = exchange.state === "queued" ? nowMs - exchange.queuedAt : 0;
    const { last, length: waiting } = this.#slowQueue;
    const isBacklog =
      waiting > BACKLOG_LENGTH * length ||
      (waiting > length && last !== null && nowMs - last.queuedAt > BACKLOG_FACTOR * ownMs);
    if (isBacklog && (waitedMs < BACKLOG_PATIENCE_MS || nowMs < this.#lastSeatAt + 2 * ownMs)) return false;
    return length < 3 || waitedMs >= SLOW_PATIENCE * ownMs;
  }

  #give(seat: Seat, exchange: Exchange, nowMs: number): void {
    exchange.state = "given";
    if (exchange.isSlow && ++this.#slowInFlight === this.#seats.length) this.#lastSeatAt = nowMs;
    seat.give(exchange, estimateMs(exchange.times), nowMs);
    if (seat.inFlight > 1) this.#ticker ??= this.#clock.every(TICK_MS, this.#tick);
  }

  #drain(lane: Lane): void {
    if (lane.first === null) return;
    const now = this.#clock.now();
    for (let next = lane.next; next !== null; next = lane.next) {
      if (lane === this.#queue && this.#hasProvedSlow(next)) this.#moveToSlow(next);
      else if (!this.#giveFirst(lane, next, now)) return;
    }
  }

  /** Its route was not known, or not as slow, when it came. An event loop begins all it is given, so there it makes no difference. */
  #hasProvedSlow({ times }: Exchange): boolean {
    return times !== null && this.#isSlow(times) && this.#seats[0]?.concurrent === false;
  }

  #moveToSlow(exchange: Exchange): void {
    const workMs = this.#workMs(exchange);
    this.#queue.serve(exchange, workMs);
    exchange.isSlow = true;
    this.#slowQueue.push(exchange, workMs);
  }

  #giveFirst(lane: Lane, first: Exchange, nowMs: number): boolean {
    const seat = this.#seatFor(first, nowMs);
    if (seat === null) return false;
    lane.serve(first, this.#workMs(first));
    const waitedMs = nowMs - first.queuedAt;
    if (waitedMs > this.#longestWaitMs) this.#longestWaitMs = waitedMs;
    this.#give(seat, first, nowMs);
    return true;
  }

  /** A slow request that has waited its own time and longer than the fast ones goes before them: a queue that never empties would starve it. */
  #overdue(): Exchange | null {
    const slow = this.#slowQueue.first;
    const fast = this.#queue.first;
    if (slow === null || fast === null || slow.queuedAt >= fast.queuedAt) return null;
    return this.#clock.now() - slow.queuedAt >= (slow.times?.meanMs ?? 0) ? slow : null;
  }

  /** What it will take, as far as is known by now; a route that is not known takes what all do. */
  #workMs({ times }: Exchange): number {
    return times === null || times.meanMs < 0 ? this.#meanMs : times.meanMs;
  }

  #refuse(exchange: Exchange): void {
    this.#refused++;
    answerError(exchange, 503, 1);
    this.#ticker ??= this.#clock.every(TICK_MS, this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#clock.now();
    this.#expire(this.#queue, now);
    this.#expire(this.#slowQueue, now);
    this.#watchLoad(this.#queue, now);
    this.#watchLoad(this.#slowQueue, now);
    if (this.#slowQueue.length > 0) this.#drain(this.#slowQueue);
    this.#tellRefusals(now);
    let watching = this.waiting > 0 || this.#refused > 0 || this.#queue.load.isLate || this.#slowQueue.load.isLate;
    const hasFree = this.#seats.some((seat) => seat.isOpen && seat.inFlight === 0);
    for (const seat of this.#seats) {
      if (seat.concurrent || seat.inFlight < 2) continue;
      watching = true;
      if (hasFree && now - seat.busySince > RECALL_AFTER_MS) seat.recall();
    }
    if (watching) return;
    this.#ticker?.cancel();
    this.#ticker = null;
  };

  /** Tells a lane that has become late, or is no longer; refuses who has waited too long in one that is. */
  #watchLoad(lane: Lane, now: number): void {
    const { queueTargetMs } = this.#settings;
    if (queueTargetMs === 0) return;
    const { load, first } = lane;
    const oldestMs = first === null ? -1 : now - first.queuedAt;
    const changed = load.look(now, oldestMs, this.#patienceMs(first));
    if (changed === "late") {
      this.#log.error(
        `Overload: ${this.waiting} requests wait, the oldest for ${Math.round(oldestMs)} ms, and more come than are served. The newest go first; who waits longer than that gets 503 (--queue-target ${queueTargetMs / 1000})`,
      );
    } else if (changed === "punctual") {
      this.#log.warning(
        `Overload is over after ${((now - load.lateSince) / 1000).toFixed(1)} s: ${load.refused} requests got 503`,
      );
    }
    if (!load.isLate) return;
    // All of it: whoever takes longer may wait longer, and whoever came back to the head has a younger time than those behind.
    for (let one = lane.first; one !== null;) {
      const next = one;
      one = one.queueNext;
      if (now - next.queuedAt <= this.#patienceMs(next)) continue;
      lane.remove(next);
      load.refused++;
      answerError(next, 503, 1);
    }
  }

  #patienceMs(exchange: Exchange | null): number {
    const own = exchange?.times?.meanMs ?? 0;
    return Math.max(this.#settings.queueTargetMs, PATIENCE_FACTOR * Math.max(own, this.#meanMs));
  }

  #expire(queue: Lane, now: number): void {
    const { queueTimeoutMs } = this.#settings;
    if (queueTimeoutMs === 0) return;
    // All of it: whoever came back to the head has a younger time than those behind.
    for (let one = queue.first; one !== null;) {
      const next = one;
      one = one.queueNext;
      if (now - next.queuedAt < queueTimeoutMs) continue;
      queue.remove(next);
      this.#log.error(
        `${requestName(next)} answered 503: no worker was free for ${this.#age(next)} ms (--queue-timeout ${queueTimeoutMs / 1000})`,
      );
      answerError(next, 503, 1);
    }
  }

  /** One line a second however many were refused. */
  #tellRefusals(now: number): void {
    if (this.#refused === 0 || now - this.#refusalsTold < 1000) return;
    this.#refusalsTold = now;
    this.#log.error(
      `Answered 503 to ${this.#refused} requests: ${this.waiting} are waiting (--queue-size ${this.#settings.queueSize})`,
    );
    this.#refused = 0;
  }
}
