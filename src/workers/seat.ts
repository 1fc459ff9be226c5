/**
 * One seat of one worker: gives requests to it over its seat link and brings back the responses (PROTOCOL.md, "Seat link").
 *
 * Owns the slots: every id given is freed exactly once, by a complete response, END, ABORT, `returned`, or the loss of the worker. An exchange whose
 * client left stays in its slot until the worker has finished it; what comes for it is dropped by the exchange.
 */
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Seat } from "../dispatch/seat.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import {
  creditFrame,
  frame,
  FrameReader,
  FromWorker,
  HEADER_BYTES,
  putHeader,
  RESPONSE_CREDIT,
  ToWorker,
  WireError,
} from "../wire/frames.ts";
import { MarshalWriter } from "../wire/marshal-writer.ts";
import type { RequestEncoder } from "../wire/request-encoder.ts";
import { ResponseDecoder } from "../wire/response-decoder.ts";
import type { TurnEnd } from "./turn-end.ts";
import { Uploads } from "./uploads.ts";

/** What the seat tells whoever runs the dispatcher and the worker. */
export interface SeatOwner {
  /** A request is finished. `ms` is its service time, negative where it could not be told. */
  onFinished(seat: WorkerSeat, exchange: Exchange, ms: number): void;
  /** There is room again. */
  onRoom(seat: WorkerSeat): void;
  /** The worker broke the protocol. */
  onBroken(seat: WorkerSeat, error: WireError): void;
  /** The link is closed: the worker has ended, or is about to. */
  onClosed(seat: WorkerSeat): void;
  /** The app's answer could not be sent to any client. */
  onBadResponse(exchange: Exchange, reason: string): void;
}

const MAX_ELAPSED = 0xffffff;
const RECORD_START = HEADER_BYTES + 5;
/** A batch of this many leaves before the turn ends, so that worker and front work at the same time instead of in turns. */
const BATCH_REQUESTS = 64;
/** A batch leaves early when it has grown to this, so that frames stay far below their limit. */
const BATCH_BYTES = 262_144;
/** Credit is given back in pieces of this size. */
const CREDIT_STEP = RESPONSE_CREDIT / 4;

export class WorkerSeat implements Seat {
  readonly name: string;
  readonly workerPid: number;
  readonly index: number;
  readonly concurrent: boolean;
  readonly capacity: number;
  inFlight = 0;
  backlogMs = 0;
  busySince = 0;
  isGathering = false;
  /** Cleared while the worker drains or is lost. */
  isAccepting = true;

  readonly #socket: Socket;
  readonly #encoder: RequestEncoder;
  readonly #owner: SeatOwner;
  readonly #clock: Clock;
  readonly #turnEnd: TurnEnd;
  readonly #reader: FrameReader;
  readonly #decoder: ResponseDecoder;
  readonly #writer = new MarshalWriter();
  readonly #slots: (Exchange | null)[] = [];
  readonly #estimates: number[] = [];
  readonly #freeSlots: number[] = [];
  readonly #uploads = new Uploads((parts) => this.#sendParts(parts));
  #batchCount = 0;
  #sequence = 0;
  #isBusy = false;
  /** Responses whose HEAD has come and whose end has not. */
  #streaming = 0;
  /** Clock time at which the request now at work in a serial seat began. */
  #workSince = 0;
  #recallSent = false;
  #finishedInFrame: Exchange[] = [];

  constructor(
    socket: Socket,
    identity: { name: string; workerPid: number; index: number; concurrent: boolean; capacity: number },
    encoder: RequestEncoder,
    owner: SeatOwner,
    clock: Clock,
    turnEnd: TurnEnd,
  ) {
    this.name = identity.name;
    this.workerPid = identity.workerPid;
    this.index = identity.index;
    this.concurrent = identity.concurrent;
    this.capacity = identity.capacity;
    this.#socket = socket;
    this.#encoder = encoder;
    this.#owner = owner;
    this.#clock = clock;
    this.#turnEnd = turnEnd;
    this.#reader = new FrameReader(this);
    this.#decoder = new ResponseDecoder(this);
    this.#writer.at = RECORD_START;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => owner.onClosed(this));
  }

  /** A serial seat that streams may take any time (its client may be slow): nobody is put behind it. */
  get isOpen(): boolean {
    return this.isAccepting && !this.#isBusy && (this.concurrent || this.#streaming === 0);
  }

  /** A streamed response waits for its client, so that the worker is not to blame for the time. */
  get isHeldByClient(): boolean {
    return this.#slots.some((exchange) => exchange !== null && exchange.bufferedBytes > RESPONSE_CREDIT / 2);
  }

  /** Every exchange given and not finished, in the order given. */
  unfinished(): Exchange[] {
    return this.#slots.filter((exchange) => exchange !== null).sort((a, b) => a.sequence - b.sequence);
  }

  give(exchange: Exchange, estimateMs: number, nowMs: number): void {
    const id = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[id] = exchange;
    this.#estimates[id] = estimateMs;
    exchange.seat = this;
    exchange.slot = id;
    exchange.sequence = ++this.#sequence;
    exchange.attempts++;
    exchange.givenAt = nowMs;
    exchange.workerPid = this.workerPid;
    exchange.onGone = this.#left;
    if (this.inFlight++ === 0) this.busySince = this.#workSince = exchange.givenAt;
    this.backlogMs += estimateMs;
    this.#encoder.encode(this.#writer, id, exchange);
    this.#batchCount++;
    if (!this.isGathering) {
      this.isGathering = true;
      this.#turnEnd.add(this);
    }
    if (exchange.stream !== null) this.#uploads.open(id, exchange.stream, exchange.head.expectsContinue);
    else if (this.#batchCount >= BATCH_REQUESTS || this.#writer.at > BATCH_BYTES) this.#sendBatch();
  }

  /** Writes the requests gathered in this turn. */
  flush(): void {
    this.isGathering = false;
    this.#sendBatch();
  }

  recall(): void {
    if (this.#recallSent) return;
    this.#recallSent = true;
    this.onRecall?.();
  }

  /** Set by the worker: sends `recall` for this seat over the worker link. */
  onRecall: (() => void) | null = null;

  /** The worker handed these back unstarted. Returns the exchanges, in the order given. */
  takeBack(ids: readonly number[]): Exchange[] {
    this.#recallSent = false;
    const back: Exchange[] = [];
    for (const id of ids) {
      const exchange = this.#slots[id];
      if (exchange === null || exchange === undefined) continue; // finished meanwhile: the two links have no common order
      this.#free(id);
      back.push(exchange);
    }
    return back.sort((a, b) => a.sequence - b.sequence);
  }

  /** Asks the event loop of a concurrent seat for a sign of life. */
  ping(arg: number): void {
    this.#send(frame(ToWorker.ping, arg));
  }

  /** Set by the worker: a PONG came. */
  onPong: ((arg: number) => void) | null = null;

  /** No more work: the worker sees the end of the stream and leaves. */
  close(): void {
    this.isAccepting = false;
    this.#sendBatch();
    this.#socket.end();
  }

  destroy(): void {
    this.isAccepting = false;
    this.#socket.destroy();
  }

  // --- from the worker

  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#owner.onBroken(this, error);
      return;
    }
    this.#owner.onRoom(this);
  }

  onFrame(type: number, arg: number, payload: Buffer): void {
    switch (type) {
      case FromWorker.responsesBusy:
        this.#isBusy = true;
        this.#batch(arg, payload);
        return;
      case FromWorker.responses:
        this.#batch(arg, payload);
        return;
      case FromWorker.head:
        this.#decoder.head(arg, payload);
        this.#streaming++;
        return;
      case FromWorker.end:
        this.#exchange(arg).end();
        this.#streaming--;
        this.#finishOne(arg);
        return;
      case FromWorker.idle:
        this.#isBusy = false;
        return;
      case FromWorker.credit:
        this.#uploads.grant(arg, payload);
        return;
      case FromWorker.abort:
        this.#abort(arg, payload.toString("utf8"));
        return;
      case FromWorker.pong:
        this.onPong?.(arg);
        return;
      default:
        throw new WireError(`frame type 0x${type.toString(16)}`);
    }
  }

  onBody(id: number, piece: Buffer): void {
    const exchange = this.#exchange(id);
    this.busySince = this.#clock.now();
    if (exchange.state === "done") return this.#sent(id, piece.length);
    exchange.bufferedBytes += piece.length;
    exchange.write(piece);
  }

  onResponse(id: number, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    const exchange = this.#exchange(id);
    this.#free(id);
    this.#finishedInFrame.push(exchange);
    exchange.complete(status, reason, fields, body);
  }

  onHead(id: number, status: number, reason: string, fields: ResponseFields): void {
    const exchange = this.#exchange(id);
    exchange.hasHead = true;
    let unreturned = 0;
    this.busySince = this.#clock.now();
    exchange.onSent = (bytes) => {
      unreturned += bytes;
      exchange.bufferedBytes -= bytes;
      if (unreturned < CREDIT_STEP) return;
      this.busySince = this.#clock.now();
      this.#sent(id, unreturned);
      unreturned = 0;
    };
    exchange.start(status, reason, fields);
  }

  onBadResponse(id: number, reason: string): void {
    const exchange = this.#exchange(id);
    this.#owner.onBadResponse(exchange, reason);
    answerError(exchange, 500);
    // A complete response is over with this; a streamed one still sends its body and END, into the void.
    if (this.#inBatch) {
      this.#free(id);
      this.#finishedInFrame.push(exchange);
    } else exchange.hasHead = true;
  }

  #inBatch = false;

  #batch(elapsedUs: number, payload: Buffer): void {
    this.#inBatch = true;
    this.#decoder.responses(payload);
    this.#inBatch = false;
    const finished = this.#finishedInFrame;
    this.#finishedInFrame = [];
    const now = this.#clock.now();
    this.busySince = this.#workSince = now;
    const count = finished.length;
    // The worker flushes after half a millisecond of work, so a batch that took longer owes it to its last request.
    const elapsedMs = elapsedUs < MAX_ELAPSED ? elapsedUs / 1000 : now - (finished[0]?.givenAt ?? now);
    const lastIsLong = count > 1 && elapsedMs > 1;
    const share = lastIsLong ? 0.5 / (count - 1) : elapsedMs / count;
    for (let i = 0; i < count; i++) {
      this.#owner.onFinished(this, finished[i]!, lastIsLong && i === count - 1 ? elapsedMs - 0.5 : share);
    }
  }

  #finishOne(id: number): void {
    const exchange = this.#exchange(id);
    this.#free(id);
    const now = this.#clock.now();
    const since = Math.max(exchange.givenAt, this.#workSince);
    this.busySince = this.#workSince = now;
    // A streamed response keeps a serial seat as long as it lasts; on an event loop it costs next to nothing.
    this.#owner.onFinished(this, exchange, this.concurrent ? -1 : now - since);
  }

  #abort(id: number, reason: string): void {
    const exchange = this.#exchange(id);
    if (exchange.hasHead) this.#streaming--;
    if (exchange.state !== "done") {
      this.#owner.onBadResponse(exchange, reason);
      answerError(exchange, 500);
    }
    this.#finishOne(id);
  }

  #exchange(id: number): Exchange {
    const exchange = this.#slots[id];
    if (exchange === null || exchange === undefined)
      throw new WireError(`answer for request ${id}, which it does not have`);
    return exchange;
  }

  #free(id: number): void {
    this.#slots[id] = null;
    this.#freeSlots.push(id);
    this.inFlight--;
    // Sums of unknown (infinite) estimates cannot be subtracted from: start again when empty, else add up what is left.
    if (this.inFlight === 0) this.backlogMs = 0;
    else if (Number.isFinite(this.backlogMs)) this.backlogMs = Math.max(0, this.backlogMs - this.#estimates[id]!);
    else
      this.backlogMs = this.#slots.reduce((sum, held, slot) => (held === null ? sum : sum + this.#estimates[slot]!), 0);
    if (!this.#uploads.isEmpty) this.#uploads.close(id);
  }

  // --- to the worker

  #send(bytes: Buffer): void {
    this.#sendBatch();
    this.#socket.write(bytes);
  }

  #sendParts(parts: readonly Buffer[]): void {
    this.#sendBatch();
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  #sendBatch(): void {
    if (this.#batchCount === 0) return;
    const writer = this.#writer;
    const { bytes, at } = writer;
    putHeader(bytes, 0, ToWorker.requests, 0, at - HEADER_BYTES);
    bytes[HEADER_BYTES] = 0x5b; // list
    bytes.writeUInt32LE(this.#batchCount, HEADER_BYTES + 1);
    this.#batchCount = 0;
    writer.at = RECORD_START;
    // A copy, because the writer goes on in its own buffer while the kernel may still owe us this write.
    if (!this.#socket.destroyed) this.#socket.write(Buffer.from(bytes.subarray(0, at)));
  }

  #sent(id: number, bytes: number): void {
    if (this.#slots[id] !== null && this.#slots[id] !== undefined) this.#send(creditFrame(ToWorker.credit, id, bytes));
  }

  readonly #left = (exchange: Exchange): void => {
    this.#uploads.close(exchange.slot);
    this.#send(frame(ToWorker.cancel, exchange.slot));
  };

  /** Tells the worker that an answer has been given in its stead, or that nobody waits any more. */
  cancel(exchange: Exchange): void {
    this.#left(exchange);
  }
}
