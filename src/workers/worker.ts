/**
 * One forked worker, seen from the front: its state, its link, its seats, and why it ends. It decides nothing about other workers; the generation
 * that owns it does.
 */
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Exchange } from "../http/exchange.ts";
import { isFaultSignal } from "./death.ts";
import { type FoundFolder, foundFolders } from "./found-folders.ts";
import type { Greeting } from "./private-socket.ts";
import { JsonLines, type Message } from "./json-lines.ts";
import { type EndReason, nextState, type WorkerEvent, type WorkerState } from "./lifecycle.ts";
import type { WorkerSeat } from "./seat.ts";
import { StackReader } from "./stack-reader.ts";
import type { Vitals } from "./vitals.ts";
import { type LoadFailure, loadFailure, type WorkerExit } from "./zygote.ts";

/** What a worker says when it can serve. */
export interface Readiness {
  readonly interface: "wsgi" | "asgi";
  readonly seats: number;
  readonly loop: string | null;
  readonly concurrent: boolean;
  /** It keeps templates of requests (PROTOCOL.md, "Templates"). */
  readonly templates: boolean;
  /** What the operator should know. */
  readonly warnings: readonly string[];
  readonly folders: readonly FoundFolder[];
}

/** For the log. */
export function describeReadiness({ concurrent, interface: spoken, loop, seats }: Readiness): string {
  return concurrent ? `${spoken} on ${loop}` : `${spoken}, ${seats} thread${seats === 1 ? "" : "s"}`;
}

export interface WorkerOwner {
  /** Everything is connected; `sockets` are the seat links in order. */
  onReady(worker: Worker, readiness: Readiness, sockets: readonly Socket[]): void;
  onReturned(worker: Worker, exchanges: Exchange[]): void;
  /** Files that its modules came from, and modules of the standard library that it has, as far as not told before. */
  onModules(files: readonly string[], standard: readonly string[]): void;
}

/** The thread that tells the stacks needs the GIL. */
const STACKS_PATIENCE_MS = 1500;
/** A process that the app has forked may hold the link open. */
const REASON_PATIENCE_MS = 500;

export class Worker {
  readonly number: number;
  pid = 0;
  state: WorkerState = "forking";
  reason: EndReason = { type: "crashed" };
  failure: LoadFailure | null = null;
  readyAt = 0;
  /** Its last sample of memory and CPU. */
  vitals: Vitals | null = null;
  /** Clock time at which it was told to leave. */
  drainingSince = 0;
  /** Requests given to it. */
  served = 0;
  /** Requests it was given and gave back unstarted. */
  handedBack = 0;
  /** Recycled when `served` reaches this; 0 = never. */
  mostRequests = 0;
  seats: WorkerSeat[] = [];
  /** What it was asked before it may serve (--ready-url). */
  probe: Exchange | null = null;
  readonly #owner: WorkerOwner;
  #link: JsonLines | null = null;
  #stacks: StackReader | null = null;
  #onStacks: ((text: string | null) => void) | null = null;
  #askedStacks: Promise<string | null> | null = null;
  #isReasonOwed = false;
  #onReason: (() => void) | null = null;
  readonly #clock: Clock;
  #readiness: Readiness | null = null;
  readonly #sockets: (Socket | undefined)[] = [];

  constructor(number: number, owner: WorkerOwner, clock: Clock) {
    this.number = number;
    this.#owner = owner;
    this.#clock = clock;
  }

  get name(): string {
    return `worker ${this.number} (pid ${this.pid})`;
  }

  become(event: WorkerEvent): void {
    this.state = nextState(this.state, event);
  }

  /** A connection of this worker came through the private door. */
  connected(greeting: Greeting, socket: Socket): void {
    if (greeting.type === "worker") {
      this.pid = greeting.pid;
      this.#link = new JsonLines(
        socket,
        (message) => this.#receive(message),
        () => this.#onReason?.(),
      );
      return;
    }
    if (greeting.type === "stacks") {
      this.#stacks ??= new StackReader(socket, this.#clock, () => this.#onReason?.());
      return;
    }
    if (greeting.seat < 0 || greeting.seat > 4096 || this.#sockets[greeting.seat] !== undefined) {
      socket.destroy();
      return;
    }
    socket.pause();
    this.#sockets[greeting.seat] = socket;
    this.#checkReady();
  }

  recall(seat: number): void {
    this.#link?.send({ type: "recall", seat });
  }

  /** Makes it tell of modules that it has not told of. */
  askModules(): void {
    this.#link?.send({ type: "modules" });
  }

  /** A WSGI request is interrupted from outside; an ASGI application is told and decides itself. */
  get canInterrupt(): boolean {
    return this.#readiness?.interface === "wsgi";
  }

  /** Raises in the thread or greenlet that serves this request, if it still does. */
  interrupt(seat: number, sequence: number): void {
    this.#link?.send({ type: "interrupt", seat, sequence });
  }

  /** Time is up: an event loop cancels what still runs. */
  hurry(): void {
    this.#link?.send({ type: "hurry" });
  }

  /** What it is doing: the Python stacks of its threads and the tasks of its event loop. `signal` asks where the interpreter is held. */
  async stacks(signal: () => void): Promise<string> {
    if (this.#stacks === null) return "It has not connected yet.\n";
    const told = await this.#askStacks();
    if (told !== null) return told;
    const threads = await this.#stacks.read(signal);
    if (threads === null) return "It does not answer to a signal: stopped (SIGSTOP), or waiting in the kernel.\n";
    if (this.#readiness?.concurrent !== true) return threads;
    return `${threads}The tasks of its event loop cannot be read while the interpreter is held.\n`;
  }

  /** null where it does not answer in time. */
  async #askStacks(): Promise<string | null> {
    if (this.#link === null) return null;
    // Who asks while another does gets the same.
    this.#askedStacks ??= new Promise<string | null>((resolve) => {
      const timer = this.#clock.after(STACKS_PATIENCE_MS, () => resolve(null));
      this.#onStacks = (text) => {
        timer.cancel();
        resolve(text);
      };
      this.#link?.send({ type: "stacks" });
    }).finally(() => (this.#askedStacks = null));
    return await this.#askedStacks;
  }

  /** No more work; the worker finishes what it has and exits. Seats that still hold requests are closed when those are finished. */
  drain(reason: EndReason): void {
    if (this.state === "draining" || this.state === "ended") return;
    this.reason = reason;
    this.drainingSince = this.#clock.now();
    this.become("drain");
    for (const seat of this.seats) {
      seat.isAccepting = false;
      seat.dismissWebSockets();
    }
    this.closeIdleSeats();
  }

  closeIdleSeats(): void {
    for (const seat of this.seats) if (seat.isEmpty) seat.close();
  }

  /** It cannot serve; whoever says so ends it. */
  refuse(failure: LoadFailure): void {
    this.failure = failure;
    this.reason = { type: "failed-to-boot", message: failure.message };
    this.#onReason?.();
  }

  /** The Python stacks that a fault has left; empty where there was none. */
  get lastWords(): string {
    return this.#stacks?.lastWords ?? "";
  }

  /**
   * It has ended with the code of a failed start or by a fault, and why is still on its way: two sockets, no order between them. True where that is
   * so; calls back once when it has come, or will not.
   */
  owesReason({ code, signal }: WorkerExit, onReason: () => void): boolean {
    if (this.#isReasonOwed) return false;
    const isFailedStart = this.failure === null && this.readyAt === 0 && (code === 3 || code === 4);
    const isFault = isFaultSignal(signal) && this.#stacks?.isClosed === false;
    if (!isFailedStart && !isFault) return false;
    this.#isReasonOwed = true;
    const timer = this.#clock.after(REASON_PATIENCE_MS, () => this.#onReason?.());
    this.#onReason = () => {
      this.#onReason = null;
      timer.cancel();
      onReason();
    };
    return true;
  }

  /** The process is gone: forget its sockets. */
  dispose(): void {
    for (const socket of this.#sockets) socket?.destroy();
    for (const seat of this.seats) seat.destroy();
  }

  #receive(message: Message): void {
    switch (message.type) {
      case "failed":
        this.refuse(loadFailure(message));
        return;
      case "ready":
        this.#readiness = {
          interface: message["interface"] === "asgi" ? "asgi" : "wsgi",
          seats: Math.max(1, Math.floor(Number(message["seats"])) || 1),
          loop: typeof message["loop"] === "string" ? message["loop"] : null,
          concurrent: message["concurrent"] === true,
          templates: message["templates"] === true,
          warnings: Array.isArray(message["warnings"]) ? message["warnings"].map(String) : [],
          folders: foundFolders(message["folders"]),
        };
        this.#checkReady();
        return;
      case "modules":
        this.#owner.onModules(texts(message["files"]), texts(message["standard"]));
        return;
      case "stacks":
        this.#onStacks?.(typeof message["text"] === "string" ? message["text"] : null);
        return;
      case "returned": {
        const seat = this.seats[Number(message["seat"])];
        const ids = message["ids"];
        if (seat !== undefined && Array.isArray(ids)) {
          const exchanges = seat.takeBack(ids.map(Number));
          this.handedBack += exchanges.length;
          this.#owner.onReturned(this, exchanges);
        }
        return;
      }
      default: // A newer shim may say more; what it must say is above.
    }
  }

  #checkReady(): void {
    const readiness = this.#readiness;
    if (readiness === null || this.seats.length > 0 || this.state === "ended") return;
    const sockets = this.#sockets.filter((socket) => socket !== undefined);
    if (sockets.length < readiness.seats) return;
    this.#owner.onReady(this, readiness, sockets);
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
