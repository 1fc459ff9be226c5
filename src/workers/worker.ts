/**
 * One forked worker, seen from the front: its state, its link, its seats, and why it ends. It decides nothing about other workers; the generation
 * that owns it does.
 */
import type { Socket } from "node:net";
import type { Exchange } from "../http/exchange.ts";
import type { Greeting } from "./private-socket.ts";
import { JsonLines, type Message } from "./json-lines.ts";
import { type EndReason, nextState, type WorkerEvent, type WorkerState } from "./lifecycle.ts";
import type { WorkerSeat } from "./seat.ts";
import { type LoadFailure, loadFailure } from "./zygote.ts";

/** What a worker says when it can serve. */
export interface Readiness {
  readonly interface: "wsgi" | "asgi";
  readonly seats: number;
  readonly loop: string | null;
  readonly concurrent: boolean;
  /** It keeps templates of requests (PROTOCOL.md, "Templates"). */
  readonly templates: boolean;
}

export interface WorkerOwner {
  /** Everything is connected; `sockets` are the seat links in order. */
  onReady(worker: Worker, readiness: Readiness, sockets: readonly Socket[]): void;
  onReturned(worker: Worker, exchanges: Exchange[]): void;
}

export class Worker {
  readonly number: number;
  pid = 0;
  state: WorkerState = "forking";
  reason: EndReason = { type: "crashed" };
  failure: LoadFailure | null = null;
  readyAt = 0;
  /** Requests given to it. */
  served = 0;
  /** Recycled when `served` reaches this; 0 = never. */
  mostRequests = 0;
  seats: WorkerSeat[] = [];
  readonly #owner: WorkerOwner;
  #link: JsonLines | null = null;
  #readiness: Readiness | null = null;
  readonly #sockets: (Socket | undefined)[] = [];

  constructor(number: number, owner: WorkerOwner) {
    this.number = number;
    this.#owner = owner;
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
        () => {},
      );
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

  /** No more work; the worker finishes what it has and exits. Seats that still hold requests are closed when those are finished. */
  drain(reason: EndReason): void {
    if (this.state === "draining" || this.state === "ended") return;
    this.reason = reason;
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

  /** The process is gone: forget its sockets. */
  dispose(): void {
    for (const socket of this.#sockets) socket?.destroy();
    for (const seat of this.seats) seat.destroy();
  }

  #receive(message: Message): void {
    switch (message.type) {
      case "failed":
        this.failure = loadFailure(message);
        this.reason = { type: "failed-to-boot", message: this.failure.message };
        return;
      case "ready":
        this.#readiness = {
          interface: message["interface"] === "asgi" ? "asgi" : "wsgi",
          seats: Math.max(1, Math.floor(Number(message["seats"])) || 1),
          loop: typeof message["loop"] === "string" ? message["loop"] : null,
          concurrent: message["concurrent"] === true,
          templates: message["templates"] === true,
        };
        this.#checkReady();
        return;
      case "returned": {
        const seat = this.seats[Number(message["seat"])];
        const ids = message["ids"];
        if (seat !== undefined && Array.isArray(ids)) this.#owner.onReturned(this, seat.takeBack(ids.map(Number)));
        return;
      }
      default: // A newer shim may say more; what it must say is above.
    }
  }

  #checkReady(): void {
    const readiness = this.#readiness;
    if (readiness === null || this.state === "serving" || this.state === "ended") return;
    const sockets = this.#sockets.filter((socket) => socket !== undefined);
    if (sockets.length < readiness.seats) return;
    this.#owner.onReady(this, readiness, sockets);
  }
}
