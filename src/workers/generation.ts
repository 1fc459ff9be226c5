/**
 * One generation: a zygote and the workers forked from it, all running the same code. Keeps its number of workers alive, replaces those that die or have
 * served enough (the replacement is ready before the old one goes), and settles what a lost worker had.
 *
 *     starting ──all ready──▶ serving ──retire──▶ retiring ──last worker gone──▶ ended
 *         └──one fails to boot──▶ ended
 */
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { failureOutcome } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Log } from "../telemetry/log.ts";
import type { WireError } from "../wire/frames.ts";
import { type BaseListener, EnvironEncoder, type RequestEncoder, ScopeEncoder } from "../wire/request-encoder.ts";
import { describeExit, describeReason, type EndReason } from "./lifecycle.ts";
import { directStream } from "../streams/direct-stream.ts";
import type { Greeting } from "./private-socket.ts";
import { RestartPolicy } from "./restart-policy.ts";
import type { ResponseRelays } from "./response-relay.ts";
import { WorkerSeat } from "./seat.ts";
import type { SeatOwner } from "./seat-owner.ts";
import { ABORT_GRACE_MS, SIGKILL, TimeLimits } from "./time-limits.ts";
import type { TurnEnd } from "./turn-end.ts";
import { type Readiness, Worker, type WorkerOwner } from "./worker.ts";
import { type LoadFailure, type WorkerExit, Zygote, type ZygoteHandler, type ZygoteSettings } from "./zygote.ts";

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
  /** Numbers workers across all generations. */
  nextWorker(): number;
}

export interface GenerationOwner {
  /** All workers are ready (and hold their seats back until `promote`). */
  onReady(generation: Generation): void;
  /** It could not start; it has ended. */
  onFailed(generation: Generation, failure: LoadFailure): void;
  /** The last worker and the zygote are gone. `detail` is empty where that was asked for. */
  onEnded(generation: Generation, detail: string): void;
}

export class Generation implements ZygoteHandler, WorkerOwner, SeatOwner {
  readonly number: number;
  state: "starting" | "serving" | "retiring" | "ended" = "starting";
  interface: "wsgi" | "asgi" | null = null;
  python = "";
  readonly #settings: GenerationSettings;
  readonly #context: GenerationContext;
  readonly #owner: GenerationOwner;
  readonly #workers = new Map<number, Worker>();
  readonly #policy = new RestartPolicy();
  readonly #zygote: Zygote;
  readonly #limits: TimeLimits;
  readonly #seatWorkers = new Map<WorkerSeat, Worker>();
  #encoder: RequestEncoder | null = null;
  #isPromoted = false;
  /** The worker that a replacement is being started for, and that replacement. */
  #recycling: { readonly old: Worker; readonly replacement: Worker } | null = null;
  readonly #startedAt: number;

  constructor(number: number, settings: GenerationSettings, context: GenerationContext, owner: GenerationOwner) {
    this.number = number;
    this.#settings = settings;
    this.#context = context;
    this.#owner = owner;
    this.#startedAt = context.clock.now();
    this.#zygote = new Zygote(settings.zygote, this);
    this.#limits = new TimeLimits(
      settings.timeoutMs,
      context,
      () => this.#workers.values(),
      (worker, signal) => this.#kill(worker, signal),
    );
  }

  get serving(): number {
    let count = 0;
    for (const worker of this.#workers.values()) if (worker.state === "serving") count++;
    return count;
  }

  /** From now on its seats take requests. */
  promote(): void {
    this.#isPromoted = true;
    for (const worker of this.#workers.values()) {
      if (worker.state === "serving") for (const seat of worker.seats) this.#context.dispatcher.addSeat(seat);
    }
  }

  /** No more requests; ends when the workers have finished theirs. */
  retire(reason: EndReason): void {
    if (this.state === "retiring" || this.state === "ended") return;
    this.state = "retiring";
    for (const worker of this.#workers.values()) this.#drain(worker, reason);
    if (this.#workers.size === 0) this.#zygote.close();
  }

  /** Ends everything now; returns what was still at work, for the log. */
  kill(): string[] {
    this.state = "retiring";
    const atWork: string[] = [];
    for (const worker of this.#workers.values()) {
      const unfinished = worker.seats.flatMap((seat) => seat.unfinished());
      for (const exchange of unfinished) {
        if (exchange.state !== "done") atWork.push(`${exchange.head.method} ${exchange.head.target} in ${worker.name}`);
      }
      if (unfinished.length === 0) atWork.push(`${worker.name} (${worker.state}, no request)`);
    }
    this.#zygote.destroy();
    return atWork;
  }

  /** A connection through the private door; false where the worker is not of this generation. */
  connected(greeting: Greeting, socket: Socket): boolean {
    const worker = this.#workers.get(greeting.worker);
    if (worker === undefined) return false;
    worker.connected(greeting, socket);
    return true;
  }

  // --- the zygote speaks

  onHello(python: string): void {
    this.python = python;
    if (!this.#settings.preload) this.#forkAll();
  }

  onLoaded(warnings: readonly string[]): void {
    for (const warning of warnings) this.#context.log.warning(`Preload: ${warning}`);
    this.#context.log.info(`App preloaded in ${this.#age()} ms (zygote pid ${this.#zygote.pid})`);
    this.#forkAll();
  }

  onFailed(failure: LoadFailure): void {
    this.#fail(failure);
  }

  onForked(number: number, pid: number): void {
    const worker = this.#workers.get(number);
    if (worker === undefined) return;
    worker.pid = pid;
    if (worker.state !== "ended") worker.become("forked");
    this.#context.log.info(`Booting worker ${number} (pid ${pid})`);
  }

  onExit(exit: WorkerExit): void {
    const worker = this.#workers.get(exit.worker);
    if (worker === undefined) return;
    this.#workers.delete(exit.worker);
    const wasReady = worker.readyAt > 0;
    const livedMs = wasReady ? this.#context.clock.now() - worker.readyAt : 0;
    const asked = worker.state === "draining" && exit.signal === null;
    if (worker.state === "serving" && worker.reason.type === "crashed" && exit.code === 0) {
      worker.reason = { type: "broken", detail: "the app ended the process (exit code 0)" };
    }
    worker.become("exit");
    this.#tellExit(worker, exit, asked, livedMs);
    this.#settle(worker, exit);
    worker.dispose();
    if (this.state === "starting") {
      this.#fail(worker.failure ?? { exitCode: 3, message: describeExit(exit.code, exit.signal), traceback: "" });
      return;
    }
    if (this.state === "serving") this.#replace(worker, livedMs);
    else if (this.#workers.size === 0) this.#zygote.close();
  }

  onGone(detail: string): void {
    const before = this.state;
    if (before === "ended") return;
    for (const worker of this.#workers.values()) {
      worker.reason = { type: "crashed" };
      this.#settle(worker, { worker: worker.number, code: null, signal: SIGKILL, started: null });
      worker.dispose();
    }
    this.#workers.clear();
    this.#end();
    if (before === "starting")
      this.#owner.onFailed(this, { exitCode: 3, message: `Python ended: ${detail}`, traceback: "" });
    else this.#owner.onEnded(this, detail);
  }

  // --- workers and seats speak

  onReady(worker: Worker, readiness: Readiness, sockets: readonly Socket[]): void {
    worker.become("ready");
    worker.readyAt = this.#context.clock.now();
    this.interface = readiness.interface;
    this.#encoder ??= new (readiness.interface === "wsgi" ? EnvironEncoder : ScopeEncoder)(this.#settings.base);
    const encoder = this.#encoder;
    worker.seats = sockets.map((socket, index) => {
      const identity = {
        name: worker.name,
        workerPid: worker.pid,
        index,
        concurrent: readiness.concurrent,
        remembers: readiness.templates,
        capacity: readiness.concurrent ? this.#settings.workerConnections : 64,
      };
      const seat = new WorkerSeat(
        (listener) => directStream(socket, listener),
        identity,
        encoder,
        this,
        this.#context.clock,
        this.#context.turnEnd,
      );
      seat.onRecall = () => worker.recall(index);
      seat.onPong = () => this.#limits.alive(seat);
      this.#seatWorkers.set(seat, worker);
      return seat;
    });
    const { maxRequests, maxRequestsJitter } = this.#settings;
    worker.mostRequests = maxRequests === 0 ? 0 : maxRequests + Math.floor(Math.random() * (maxRequestsJitter + 1));
    const how = readiness.concurrent
      ? `asgi on ${readiness.loop}`
      : `${readiness.interface}, ${readiness.seats} thread${readiness.seats === 1 ? "" : "s"}`;
    this.#context.log.info(`Worker ${worker.number} (pid ${worker.pid}) is ready: ${how}, ${this.python}`);
    if (this.state === "retiring") return this.#drain(worker, { type: "stopping" });
    if (this.#isPromoted) for (const seat of worker.seats) this.#context.dispatcher.addSeat(seat);
    if (this.#recycling?.replacement === worker) {
      const { old } = this.#recycling;
      this.#recycling = null;
      this.#drain(old, { type: "max-requests", requests: old.served });
    }
    if (this.state === "starting" && this.serving === this.#settings.workers) {
      this.state = "serving";
      this.#owner.onReady(this);
    }
  }

  onReturned(_worker: Worker, exchanges: Exchange[]): void {
    this.#context.dispatcher.returned(exchanges);
  }

  onFinished(seat: WorkerSeat, exchange: Exchange, ms: number): void {
    this.#context.dispatcher.finished(exchange, ms);
    if (this.#settings.maxRequests > 0) this.#countServed(this.#seatWorkers.get(seat)!);
  }

  onRoom(seat: WorkerSeat): void {
    if (!seat.isAccepting) {
      if (seat.isEmpty && this.#seatWorkers.get(seat)?.state === "draining") seat.close();
      return;
    }
    this.#context.dispatcher.pump();
  }

  onBroken(seat: WorkerSeat, error: WireError): void {
    const worker = this.#seatWorkers.get(seat);
    seat.isAccepting = false;
    if (worker === undefined || worker.state === "ended") return;
    worker.reason = { type: "broken", detail: error.message };
    this.#context.log.error(`${worker.name} broke the wire protocol and is killed: ${error.message}`);
    this.#zygote.kill(worker.number, SIGKILL);
  }

  onClosed(seat: WorkerSeat): void {
    const worker = this.#seatWorkers.get(seat);
    seat.isAccepting = false;
    this.#context.dispatcher.removeSeat(seat);
    this.#limits.alive(seat);
    if (worker === undefined || worker.state !== "serving") return;
    // Normally the exit is on its way. A process that only closed its sockets serves nobody: end it.
    this.#context.clock.after(ABORT_GRACE_MS, () => this.#kill(worker, SIGKILL));
  }

  readonly onSlowClient = (exchange: Exchange): void => this.#context.relays.begin(exchange);

  onBadResponse(exchange: Exchange, reason: string): void {
    const { method, target } = exchange.head;
    this.#context.log.error(`${method} ${target} failed (${failureOutcome(exchange, 500)}): ${reason}`);
  }

  // --- Private

  /** Signals a worker that still lives. */
  #kill(worker: Worker, signal: number): void {
    if (this.#workers.get(worker.number) === worker) this.#zygote.kill(worker.number, signal);
  }

  #age(): number {
    return Math.round(this.#context.clock.now() - this.#startedAt);
  }

  #forkAll(): void {
    for (let i = 0; i < this.#settings.workers; i++) this.#fork();
  }

  #fork(): Worker {
    const worker = new Worker(this.#context.nextWorker(), this);
    this.#workers.set(worker.number, worker);
    this.#zygote.fork(worker.number);
    return worker;
  }

  #drain(worker: Worker, reason: EndReason): void {
    for (const seat of worker.seats) this.#context.dispatcher.removeSeat(seat);
    worker.drain(reason);
    // A worker that is not ready yet has no seats to close; the kernel's word is all it hears.
    if (worker.seats.length === 0) this.#zygote.kill(worker.number, SIGKILL);
  }

  #fail(failure: LoadFailure): void {
    if (this.state !== "starting") return;
    this.#end();
    this.#zygote.destroy();
    this.#owner.onFailed(this, failure);
  }

  #end(): void {
    this.state = "ended";
    this.#limits.stop();
  }

  #tellExit(worker: Worker, exit: WorkerExit, asked: boolean, livedMs: number): void {
    const line = `Worker ${worker.number} (pid ${worker.pid}) ended after ${(livedMs / 1000).toFixed(1)} s: ${describeReason(worker.reason)}, ${describeExit(exit.code, exit.signal)}`;
    if (asked || this.state === "retiring") this.#context.log.info(line);
    else this.#context.log.error(line);
  }

  /** What a lost worker had: not begun goes to another, begun is tried again where that is safe, else answered 502. */
  #settle(worker: Worker, exit: WorkerExit): void {
    const unstarted: Exchange[] = [];
    const cause = `${worker.name} ${describeReason(worker.reason)}, ${describeExit(exit.code, exit.signal)}`;
    for (const seat of worker.seats) {
      this.#context.dispatcher.removeSeat(seat);
      this.#limits.alive(seat);
      this.#seatWorkers.delete(seat);
      const started = exit.started?.[seat.index] ?? Number.POSITIVE_INFINITY;
      for (const exchange of seat.unfinished()) {
        exchange.release();
        // A streamed body may already be in the dead worker's socket: it cannot be given again.
        if (isAfter(exchange.sequence, started) && exchange.stream === null) unstarted.push(exchange);
        else this.#context.dispatcher.lost(exchange, cause);
      }
      seat.destroy();
    }
    if (unstarted.length > 0) this.#context.dispatcher.returned(unstarted);
  }

  #replace(worker: Worker, livedMs: number): void {
    if (this.#recycling !== null && (this.#recycling.old === worker || this.#recycling.replacement === worker)) {
      const { old } = this.#recycling;
      this.#recycling = null;
      // The old one died first: its replacement is already under way. The replacement died: the old one goes on serving.
      if (old === worker) return;
    }
    const missing = this.#settings.workers - this.#workers.size;
    if (missing <= 0) return;
    if (worker.reason.type === "max-requests") {
      this.#fork();
      return;
    }
    const { delayMs, deaths, isLoopBegun } = this.#policy.died(livedMs);
    const { log } = this.#context;
    if (worker.failure !== null) log.error(worker.failure.traceback || worker.failure.message);
    if (isLoopBegun) {
      log.critical(
        `Workers keep dying: ${deaths} in a row, each within 10 s of its start. Restarts are now delayed, up to 30 s each; the last reason: ${describeReason(worker.reason)}`,
      );
    }
    if (delayMs === 0) {
      this.#fork();
      return;
    }
    log.warning(`Next worker starts in ${delayMs / 1000} s (${deaths} died in a row)`);
    this.#context.clock.after(delayMs, () => {
      if (this.state === "serving" && this.#workers.size < this.#settings.workers) this.#fork();
    });
  }

  #countServed(worker: Worker): void {
    worker.served++;
    if (worker.served < worker.mostRequests || this.#recycling !== null) return;
    if (this.state !== "serving" || worker.state !== "serving") return;
    this.#recycling = { old: worker, replacement: this.#fork() };
  }
}

/** Whether a request came after the one that the progress board names, which knows the number modulo 2^30. */
function isAfter(sequence: number, started: number): boolean {
  const distance = (sequence - started) & 0x3fffffff;
  return distance > 0 && distance < 0x20000000;
}
