/**
 * What goes to the worker over one seat's link. Requests and frames of WebSockets gather until the end of the turn and leave in one write; whatever
 * else is sent goes behind them, so that the worker reads all in the order in which it was said.
 */
import type { Exchange } from "../http/exchange.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import { frame, ToWorker } from "../wire/frames.ts";
import { LinkOutbox } from "./link-outbox.ts";
import { LoopWindow } from "./loop-window.ts";
import { RequestBatch } from "./request-batch.ts";
import type { RequestEncoder } from "../wire/request-encoder.ts";
import type { Templates } from "../wire/templates.ts";
import type { Flushable, TurnEnd } from "./turn-end.ts";

/** Tells the PONG that the window waits for from others. */
const WINDOW_PING = frame(ToWorker.ping, 1);

export class SeatOutflow implements Flushable {
  /** Something waits for the end of the turn. */
  isGathering = false;
  /** Frames of WebSockets that wait; who adds one calls `frameAdded`. */
  readonly outbox: LinkOutbox = new LinkOutbox();
  readonly #batch: RequestBatch;
  readonly #turnEnd: TurnEnd;
  /** Of an event loop; null for a serial seat. */
  readonly #window: LoopWindow | null;
  #isPingDue = false;
  /** null before the link is open, and once it is closed. */
  #stream: ByteStream | null = null;

  constructor(encoder: RequestEncoder, templates: Templates | null, turnEnd: TurnEnd, concurrent: boolean) {
    this.#window = concurrent ? new LoopWindow() : null;
    this.#batch = new RequestBatch(encoder, templates);
    this.#turnEnd = turnEnd;
  }

  /** What it has been given, it has taken. */
  get hasRoom(): boolean {
    return this.#window === null || this.#window.isOpen;
  }

  open(stream: ByteStream): void {
    this.#stream = stream;
  }

  /** The link is gone: nothing is sent any more. */
  closed(): void {
    this.#stream = null;
  }

  /** A request, without its body where that is streamed. A full batch goes at once. */
  request(id: number, exchange: Exchange, inFlight: number): void {
    this.#batch.add(id, exchange);
    if (this.#window !== null && this.#window.gave(exchange.givenAt, inFlight)) this.#isPingDue = true;
    this.#gather();
    if (this.#batch.isFull && exchange.stream === null) this.write();
  }

  /** A PONG; others than the window's say nothing about the requests. */
  answered(arg: number, nowMs: number): void {
    if (arg === 1) this.#window?.answered(nowMs);
  }

  /** Something is in the outbox. */
  frameAdded(): void {
    if (this.outbox.isFull) this.write();
    else this.#gather();
  }

  /** The end of the turn. */
  flush(): void {
    this.isGathering = false;
    this.write();
  }

  /** Writes what has gathered. */
  write(): void {
    const requests = this.#batch.take();
    if (requests !== null) this.#stream?.writeBytes(requests, null);
    if (this.#isPingDue) {
      this.#isPingDue = false;
      this.#stream?.writeBytes(WINDOW_PING, null);
    }
    if (this.outbox.isEmpty) return;
    // Taken also where nobody reads it any more.
    const frames = this.outbox.take();
    this.#stream?.writeBytes(frames, null);
  }

  send(bytes: Buffer): void {
    this.write();
    this.#stream?.writeBytes(bytes, null);
  }

  sendParts(parts: readonly Buffer[]): void {
    this.write();
    const stream = this.#stream;
    if (stream === null) return;
    stream.cork();
    for (const part of parts) stream.writeBytes(part, null);
    stream.uncork();
  }

  #gather(): void {
    if (this.isGathering) return;
    this.isGathering = true;
    this.#turnEnd.add(this);
  }
}
