/**
 * One generation: a zygote and the workers forked from it, all running the same code. Keeps its number of workers alive, replaces those that die or have
 * served enough (the replacement is ready before the old one goes), and settles what a lost worker had.
 *
 *     starting ──all ready──▶ serving ──retire──▶ retiring ──last worker gone──▶ ended
 *         └──one fails to boot──▶ ended
 */
import type { Socket } from "node:net";
import type { Timer } from "../clock.ts";
import { failureOutcome } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { WireError } from "../wire/frames.ts";
import { EnvironEncoder, type RequestEncoder, ScopeEncoder } from "../wire/request-encoder.ts";
import { describeExit, type EndReason } from "./lifecycle.ts";
import type { GenerationContext, GenerationOwner, GenerationSettings } from "./generation-settings.ts";
import { pssBytesLater } from "./memory-figures.ts";
import type { Greeting } from "./private-socket.ts";
import { readyProbe } from "./ready-probe.ts";
import { Recycling } from "./recycling.ts";
import { atWork } from "./report.ts";
import { HEALTHY_AFTER_MS, RestartPolicy } from "./restart-policy.ts";
import type { WorkerSeat } from "./seat.ts";
import type { SeatOwner } from "./seat-owner.ts";
import { tellExit, tellRestart } from "./tell-exit.ts";
import { SIGKILL, TimeLimits, type TimeLimitsHouse } from "./time-limits.ts";
import { type Unfinished, unfinishedOf } from "./unfinished.ts";
import { sampleVitals } from "./vitals.ts";
import { workerSeats } from "./worker-seats.ts";
import { describeReadiness, type Readiness, Worker, type WorkerOwner } from "./worker.ts";
import type { LoadFailure, WorkerExit, Zygote, ZygoteHandler } from "./zygote.ts";

/** Ends that say nothing about the worker's health. */
const PLANNED: ReadonlySet<EndReason["type"]> = new Set(["max-requests", "max-age", "max-memory", "scaled-down"]);
/** Memory and CPU of each worker are read this often. */
const SAMPLE_EVERY_MS = 2000;
/** A worker that has closed its sockets gets this long to end. */
const CLOSED_GRACE_MS = 1000;
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
  readonly #recycling: Recycling;
  readonly #sampling: Timer;
  readonly #startedAt: number;
  #wanted: number;

  constructor(number: number, settings: GenerationSettings, context: GenerationContext, owner: GenerationOwner) {
    this.number = number;
    this.#settings = settings;
    this.#context = context;
    this.#owner = owner;
    this.#startedAt = context.clock.now();
    this.#wanted = settings.workers;
    this.#zygote = settings.spawn(this);
    this.#recycling = new Recycling(
      settings,
      () => this.#fork(),
      (worker, reason) => this.#drain(worker, reason),
      pssBytesLater,
    );
    this.#sampling = context.clock.every(SAMPLE_EVERY_MS, () => this.#sample());
    this.#limits = new TimeLimits(settings, context.clock, context.log, this.#limitsHouse());
  }

  get serving(): number {
    let count = 0;
    for (const worker of this.#workers.values()) if (worker.state === "serving") count++;
    return count;
  }

  get zygotePid(): number {
    return this.#zygote.pid;
  }

  get workers(): Iterable<Worker> {
    return this.#workers.values();
  }

  /** Workers die one after the other, and none has lived long enough to be called well. */
  get isCrashLooping(): boolean {
    if (!this.#policy.isLooping) return false;
    const now = this.#context.clock.now();
    for (const { state, readyAt } of this.#workers.values())
      if (state === "serving" && now - readyAt >= HEALTHY_AFTER_MS) return false;
    return true;
  }

  /** Has this many workers from now on: new ones start at once, the oldest of those too many finish what they have and go. */
  scale(workers: number): void {
    this.#wanted = workers;
    if (this.state !== "serving") return;
    while (this.#active().length < workers) this.#fork();
    for (const worker of this.#active().slice(0, this.#active().length - workers))
      this.#drain(worker, { type: "scaled-down" });
  }

  /** Makes the worker write its stacks to its stacks link. */
  askStacks(worker: Worker): void {
    this.#zygote.stacks(worker.number);
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
    const left: string[] = [];
    for (const worker of this.#workers.values()) {
      const requests = atWork(worker, true);
      left.push(...(requests.length > 0 ? requests : [`${worker.name} (${worker.state}, no request)`]));
    }
    this.#zygote.destroy();
    return left;
  }

  /** A connection through the private door; false where the worker is not of this generation. */
  connected(greeting: Greeting, socket: Socket): boolean {
    const worker = this.#workers.get(greeting.worker);
    if (worker === undefined) return false;
    worker.connected(greeting, socket);
    return true;
  }

  // --- the zygote speaks

  onHello(python: string, isFreeThreaded: boolean): void {
    this.python = python;
    if (isFreeThreaded) this.#owner.onFreeThreaded(this);
    if (!this.#settings.preload) this.#forkAll();
  }

  onLoaded(warnings: readonly string[]): void {
    for (const warning of warnings) this.#context.log.warning(`Preload: ${warning}`);
    this.#context.log.info(`App preloaded in ${this.#age()} ms (zygote pid ${this.#zygote.pid})`);
    this.#forkAll();
  }

  onFailed(failure: LoadFailure): void {
    this.fail(failure);
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
    if (worker === undefined || worker.owesReason(exit, () => this.onExit(exit))) return;
    this.#workers.delete(exit.worker);
    const livedMs = worker.readyAt > 0 ? this.#context.clock.now() - worker.readyAt : 0;
    const asked = worker.state === "draining" && exit.signal === null;
    worker.become("exit");
    worker.probe?.leave();
    const unfinished = unfinishedOf(worker, exit);
    const why = tellExit(this.#context, worker, exit, unfinished.begun, asked || this.state === "retiring", livedMs);
    this.#settle(worker, unfinished, why);
    worker.dispose();
    if (this.state === "starting") {
      this.fail(worker.failure ?? { exitCode: 3, message: describeExit(exit.code, exit.signal), traceback: "" });
      return;
    }
    if (this.state === "serving") this.#replace(worker, livedMs, why);
    else if (this.#workers.size === 0) this.#zygote.close();
  }

  onGone(detail: string): void {
    const before = this.state;
    if (before === "ended") return;
    // All seats first: what one worker had must not be given to the next, which is as dead.
    for (const seat of this.#seatWorkers.keys()) this.#context.dispatcher.removeSeat(seat);
    for (const worker of this.#workers.values()) {
      worker.reason = { type: "crashed" };
      const exit = { worker: worker.number, code: null, signal: SIGKILL, started: null };
      this.#settle(worker, unfinishedOf(worker, exit), `lost with the zygote (${detail || "stopped"})`);
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
    this.interface = readiness.interface;
    this.#encoder ??= new (readiness.interface === "wsgi" ? EnvironEncoder : ScopeEncoder)(this.#settings.base);
    worker.seats = workerSeats(worker, readiness, sockets, this.#encoder, this, this.#settings, this.#context);
    for (const seat of worker.seats) {
      seat.onPong = () => this.#limits.alive(seat);
      this.#seatWorkers.set(seat, worker);
    }
    if (this.state === "retiring") return this.#drain(worker, { type: "stopping" });
    const { readyUrl } = this.#settings;
    if (readyUrl === null) return this.#admit(worker, readiness);
    const { clock } = this.#context;
    worker.probe = readyProbe(readyUrl, clock.now(), (problem) => {
      if (worker.state === "draining" || worker.state === "ended") return;
      if (problem === null) return this.#admit(worker, readiness);
      worker.refuse({ exitCode: 3, message: problem, traceback: "" });
      this.#kill(worker, SIGKILL);
    });
    worker.seats[0]!.give(worker.probe, 0, clock.now());
  }

  onModules(files: readonly string[], standard: readonly string[]): void {
    this.#context.onModules?.(files, standard);
  }

  /** It is ready: it may have requests. */
  #admit(worker: Worker, readiness: Readiness): void {
    worker.become("ready");
    worker.readyAt = this.#context.clock.now();
    this.#context.log.info(
      `Worker ${worker.number} (pid ${worker.pid}) is ready: ${describeReadiness(readiness)}, ${this.python}`,
    );
    for (const warning of readiness.warnings) this.#owner.onWarning(warning);
    this.#context.onFolders?.(readiness.folders);
    if (this.#isPromoted) for (const seat of worker.seats) this.#context.dispatcher.addSeat(seat);
    this.#recycling.ready(worker, Math.random());
    if (this.state === "starting" && this.serving >= this.#wanted) {
      this.state = "serving";
      this.#owner.onReady(this);
      this.scale(this.#wanted);
    }
  }

  onReturned(_worker: Worker, exchanges: Exchange[]): void {
    this.#context.dispatcher.returned(exchanges);
  }

  onFinished(seat: WorkerSeat, exchange: Exchange, ms: number): void {
    this.#context.dispatcher.finished(exchange, ms);
    if (this.#recycling.countsRequests && this.state === "serving")
      this.#recycling.served(this.#seatWorkers.get(seat)!, this.#context.clock.now());
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
    this.#context.clock.after(CLOSED_GRACE_MS, () => this.#kill(worker, SIGKILL));
  }

  readonly onSlowClient = (exchange: Exchange): void => this.#context.relays.begin(exchange);

  onBadResponse(exchange: Exchange, reason: string): void {
    const { method, target } = exchange.head;
    this.#context.log.error(`${method} ${target} failed (${failureOutcome(exchange, 500)}): ${reason}`);
  }

  // --- Private

  #sample(): void {
    const now = this.#context.clock.now();
    for (const worker of this.#workers.values()) {
      worker.vitals = sampleVitals(worker.pid, now, worker.vitals) ?? worker.vitals;
      if (this.state === "serving" && worker.state === "serving") this.#recycling.look(worker, now);
    }
  }

  /** What the time limits may do. */
  #limitsHouse(): TimeLimitsHouse {
    return {
      workers: () => this.#workers.values(),
      giveUp: (worker, reason) => {
        for (const seat of worker.seats) if (!seat.concurrent && seat.inFlight > 1) seat.recall();
        this.#drain(worker, reason);
        worker.reason = reason;
        if (this.state === "serving" && this.#active().length < this.#wanted) this.#fork();
      },
      stacks: (worker) => worker.stacks(() => this.#zygote.stacks(worker.number)),
      kill: (worker, signal) => this.#kill(worker, signal),
    };
  }

  /** Signals a worker that still lives. */
  #kill(worker: Worker, signal: number): void {
    if (this.#workers.get(worker.number) === worker) this.#zygote.kill(worker.number, signal);
  }

  #age(): number {
    return Math.round(this.#context.clock.now() - this.#startedAt);
  }

  #forkAll(): void {
    for (let i = 0; i < this.#wanted; i++) this.#fork();
  }

  #fork(): Worker {
    const worker = new Worker(this.#context.nextWorker(), this, this.#context.clock);
    this.#workers.set(worker.number, worker);
    this.#zygote.fork(worker.number);
    return worker;
  }

  /** All that have not been told to leave, the oldest first. */
  #active(): Worker[] {
    return [...this.#workers.values()].filter(({ state }) => state !== "draining");
  }

  #drain(worker: Worker, reason: EndReason): void {
    for (const seat of worker.seats) this.#context.dispatcher.removeSeat(seat);
    worker.drain(reason);
    // A worker that is not ready yet has no seats to close; the kernel's word is all it hears.
    if (worker.seats.length === 0) this.#zygote.kill(worker.number, SIGKILL);
  }

  /** Gives up the start. */
  fail(failure: LoadFailure): void {
    if (this.state !== "starting") return;
    this.#end();
    this.#zygote.destroy();
    this.#owner.onFailed(this, failure);
  }

  #end(): void {
    this.state = "ended";
    this.#limits.stop();
    this.#sampling.cancel();
  }

  /** What a lost worker had: not begun goes to another, begun is tried again where that is safe, else answered 502. */
  #settle(worker: Worker, { unstarted, begun }: Unfinished, why: string): void {
    for (const seat of worker.seats) {
      this.#context.dispatcher.removeSeat(seat);
      this.#limits.alive(seat);
      this.#seatWorkers.delete(seat);
    }
    for (const exchange of begun) this.#context.dispatcher.lost(exchange, `${worker.name} ${why}`);
    for (const seat of worker.seats) seat.destroy();
    if (unstarted.length > 0) this.#context.dispatcher.returned(unstarted);
  }

  #replace(worker: Worker, livedMs: number, why: string): void {
    if (this.#recycling.ended(worker, this.#context.clock.now())) return;
    if (this.#active().length >= this.#wanted) return;
    if (PLANNED.has(worker.reason.type)) {
      this.#fork();
      return;
    }
    const restart = this.#policy.died(livedMs);
    tellRestart(this.#context.log, restart, worker.failure, why);
    const { delayMs } = restart;
    if (delayMs === 0) return void this.#fork();
    this.#context.clock.after(delayMs, () => {
      if (this.state === "serving" && this.#active().length < this.#wanted) this.#fork();
    });
  }
}
