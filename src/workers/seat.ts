/**
 * One seat of one worker: gives requests to it over its seat link and brings back the responses (PROTOCOL.md, "Seat link").
 *
 * Owns the slots: every id given is freed exactly once, by a complete response, END, ABORT, `returned`, or the loss of the worker. An exchange whose
 * client left stays in its slot until the worker has finished it; what comes for it is dropped by the exchange.
 */
import type { Clock } from "../clock.ts";
import type { Seat } from "../dispatch/seat.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { CloseCode } from "../http/web-socket.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { ByteStream, StreamListener } from "../streams/byte-stream.ts";
import {
  CancelCause,
  creditFrame,
  frame,
  FrameReader,
  FromWorker,
  RESPONSE_CREDIT,
  ToWorker,
  u32,
  WireError,
} from "../wire/frames.ts";
import type { RequestEncoder } from "../wire/request-encoder.ts";
import { ResponseDecoder } from "../wire/response-decoder.ts";
import { Templates } from "../wire/templates.ts";
import { batchTimes } from "./batch-times.ts";
import { CREDIT_STEP, returnCredit } from "./response-credit.ts";
import { SeatFiles } from "./seat-files.ts";
import type { SeatIdentity, SeatOwner } from "./seat-owner.ts";
import { SeatOutflow } from "./seat-outflow.ts";
import { SeatWebSockets } from "./seat-web-sockets.ts";
import { Slots } from "./slots.ts";
import type { TurnEnd } from "./turn-end.ts";
import { Uploads } from "./uploads.ts";

export class WorkerSeat implements Seat, StreamListener {
  readonly name: string;
  readonly workerPid: number;
  readonly index: number;
  readonly concurrent: boolean;
  readonly capacity: number;
  busySince = 0;
  /** Cleared while the worker drains or is lost. */
  isAccepting = true;

  readonly #stream: ByteStream;
  readonly #outflow: SeatOutflow;
  readonly #owner: SeatOwner;
  readonly #clock: Clock;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new ResponseDecoder(this);
  readonly #slots = new Slots();
  readonly #webSockets: SeatWebSockets;
  readonly #files: SeatFiles;
  readonly #uploads = new Uploads((parts) => this.#outflow.sendParts(parts));
  #sequence = 0;
  #isBusy = false;
  /** Responses whose HEAD has come and whose end has not. */
  #streaming = 0;
  #workSince = 0; // when the request now at work in a serial seat began
  #recallSent = false;
  #isBroken = false;
  #inBatch = false;
  readonly #finishedInFrame: Exchange[] = [];

  constructor(
    open: (listener: StreamListener) => ByteStream,
    identity: SeatIdentity,
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
    const templates = identity.remembers ? new Templates(identity.workerPid + identity.index) : null;
    this.#outflow = new SeatOutflow(encoder, templates, turnEnd, identity.concurrent);
    this.#webSockets = new SeatWebSockets(this.#slots, this.#outflow);
    this.#files = new SeatFiles(this.#slots, this.#outflow);
    this.#owner = owner;
    this.#clock = clock;
    this.#stream = open(this);
    this.#outflow.open(this.#stream);
  }

  get isGathering(): boolean {
    return this.#outflow.isGathering;
  }

  get inFlight(): number {
    return this.#slots.count;
  }

  /** WebSockets that are open; they do not count as in flight. */
  get webSockets(): number {
    return this.#slots.released;
  }

  /** It holds nothing at all: its link may be closed. */
  get isEmpty(): boolean {
    return this.#slots.count === 0 && this.#slots.released === 0;
  }

  /** Requests given so far, with those handed back. */
  get given(): number {
    return this.#sequence;
  }

  get backlogMs(): number {
    return this.#slots.backlogMs;
  }

  /** A serial seat that streams may take any time (its client may be slow), a blocked event loop too: nobody is put behind it. */
  get isOpen(): boolean {
    return this.isAccepting && !this.#isBusy && (this.concurrent ? this.#outflow.hasRoom : this.#streaming === 0);
  }

  /** A streamed response waits for its client, so that the worker is not to blame for the time. */
  get isHeldByClient(): boolean {
    return this.#slots.held().some((exchange) => exchange.bufferedBytes > RESPONSE_CREDIT / 2);
  }

  /** Every exchange given and not finished, in the order given. */
  unfinished(): Exchange[] {
    return this.#slots.held().sort((a, b) => a.sequence - b.sequence);
  }

  give(exchange: Exchange, estimateMs: number, nowMs: number): void {
    const id = this.#slots.take(exchange, estimateMs);
    exchange.seat = this;
    exchange.slot = id;
    exchange.sequence = ++this.#sequence;
    exchange.attempts++;
    exchange.givenAt = nowMs;
    exchange.workerPid = this.workerPid;
    exchange.onGone = this.#left;
    if (this.inFlight === 1) this.busySince = this.#workSince = exchange.givenAt;
    this.#outflow.request(id, exchange, this.inFlight);
    if (exchange.stream !== null) this.#uploads.open(id, exchange.stream, exchange.head.expectsContinue);
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
      const exchange = this.#slots.get(id);
      if (exchange === null) continue; // finished meanwhile: the two links have no common order
      try {
        if (exchange.state === "streaming") throw new WireError(`request ${id} handed back after its answer began`);
        this.#uploads.takeBack(id);
      } catch (error) {
        this.#broken(error);
        break;
      }
      this.#free(id);
      back.push(exchange);
    }
    return back.sort((a, b) => a.sequence - b.sequence);
  }

  /** Asks the event loop of a concurrent seat for a sign of life. */
  ping(arg: number): void {
    this.#outflow.send(frame(ToWorker.ping, arg));
  }

  /** Set by the worker: a PONG came. */
  onPong: ((arg: number) => void) | null = null;

  /** Closes the WebSockets, because the worker goes. */
  dismissWebSockets(): void {
    this.#webSockets.dismiss();
  }

  /** No more work: the worker sees the end of the stream and leaves. */
  close(): void {
    this.isAccepting = false;
    this.#outflow.write();
    this.#stream.end(() => {});
  }

  destroy(): void {
    this.isAccepting = false;
    this.#stream.destroy();
  }

  // --- from the worker

  onBytes(chunk: Buffer): void {
    if (this.#isBroken) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#broken(error);
      return;
    }
    this.#owner.onRoom(this);
  }

  /** The worker has ended, or is about to. */
  onFin(): void {
    this.#stream.destroy();
  }

  onClosed(): void {
    this.#outflow.closed();
    this.#owner.onClosed(this);
  }

  /** Nothing that follows a violation means anything. */
  #broken(error: unknown): void {
    if (!(error instanceof WireError)) throw error;
    this.#isBroken = true;
    this.#owner.onBroken(this, error);
  }

  onFrame(type: number, arg: number, payload: Buffer): void {
    switch (type) {
      case FromWorker.responses:
      case FromWorker.responsesBusy:
        this.#isBusy ||= type === FromWorker.responsesBusy;
        return this.#answers(arg, payload);
      case FromWorker.head:
        this.#decoder.head(arg, payload);
        this.#streaming++;
        return;
      case FromWorker.end:
        return this.#end(this.#slots.begun(arg), payload);
      case FromWorker.idle:
        this.#isBusy = false;
        return;
      case FromWorker.credit:
        if (this.#slots.released > 0 && this.#webSockets.onFrame(this.#slots.owner(arg), type, payload)) return;
        return this.#uploads.grant(arg, payload);
      case FromWorker.wsText:
      case FromWorker.wsBinary:
      case FromWorker.wsPart:
      case FromWorker.wsBinaryPart:
      case FromWorker.wsClose:
        if (this.#webSockets.onFrame(this.#slots.owner(arg), type, payload)) return;
        throw new WireError(`a frame of WebSocket ${arg}, which is not open`);
      case FromWorker.wsAccept:
        return this.#webSockets.accept(this.#slots.unbegun(arg), this.#decoder.accept(payload), this.isAccepting);
      case FromWorker.abort:
        return this.#abort(arg, payload.toString("utf8"));
      case FromWorker.extend:
        this.#slots.owner(arg).dueAt = this.#clock.now() + u32(payload, "EXTEND");
        return;
      case FromWorker.pong:
        this.#outflow.answered(arg, this.#clock.now());
        return this.onPong?.(arg);
      case FromWorker.inform: {
        const { status, fields } = this.#decoder.inform(payload);
        return this.#slots.unbegun(arg).inform(status, fields);
      }
      case FromWorker.file:
        return this.#file(arg, payload);
      default:
        throw new WireError(`frame type 0x${type.toString(16)}`);
    }
  }

  onBody(id: number, lent: Buffer): void {
    const exchange = this.#slots.begun(id);
    this.busySince = this.#clock.now();
    if (exchange.state === "done") return this.#sent(id, lent.length);
    const buffered = exchange.bufferedBytes + lent.length;
    if (buffered > RESPONSE_CREDIT) throw new WireError(`more of response ${id} than its credit`);
    // Before this piece is counted: a relay that begins now takes what is buffered for the sink's, and the piece for its own.
    if (!this.concurrent && buffered > CREDIT_STEP && exchange.relay === null) this.#owner.onSlowClient(exchange);
    exchange.bufferedBytes = buffered;
    exchange.writeLent(lent);
  }

  onResponse(id: number, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    const exchange = this.#slots.unbegun(id);
    this.#free(id);
    this.#finishedInFrame.push(exchange);
    if (fields.isWordless) answerError(exchange, 500);
    else exchange.complete(status, reason, fields, body);
  }

  onHead(id: number, status: number, reason: string, fields: ResponseFields): void {
    const exchange = this.#slots.unbegun(id);
    exchange.hasHead = true;
    this.busySince = this.#clock.now();
    const isAtWork = (): boolean => this.#slots.get(id) === exchange;
    returnCredit(exchange, isAtWork, (bytes) => {
      this.busySince = this.#clock.now();
      this.#sent(id, bytes);
    });
    exchange.start(status, reason, fields);
  }

  onBadResponse(id: number, reason: string): void {
    const exchange = this.#slots.unbegun(id);
    if (exchange.state !== "done") this.#owner.onBadResponse(exchange, reason);
    answerError(exchange, 500);
    // A complete response is over with this; a streamed one still sends its body and END, into the void.
    if (this.#inBatch) {
      this.#free(id);
      this.#finishedInFrame.push(exchange);
    } else exchange.hasHead = true;
  }

  #end(exchange: Exchange, payload: Buffer): void {
    if (!this.#webSockets.finish(exchange, CloseCode.normal)) {
      exchange.end(payload.length === 0 ? null : this.#decoder.trailers(payload));
      this.#streaming--;
    }
    this.#finishOne(exchange.slot);
  }

  #answers(elapsedUs: number, payload: Buffer): void {
    this.#inBatch = true;
    try {
      this.#decoder.responses(payload);
    } finally {
      // What a batch answered before it broke is finished all the same.
      this.#inBatch = false;
      this.#tellFinished(elapsedUs);
    }
  }

  #tellFinished(elapsedUs: number): void {
    const finished = this.#finishedInFrame.splice(0);
    this.busySince = this.#workSince = this.#clock.now();
    const times = batchTimes(finished.length, elapsedUs, this.busySince - (finished[0]?.givenAt ?? 0));
    for (let i = 0; i < finished.length; i++) this.#owner.onFinished(this, finished[i]!, times[i]!);
  }

  #finishOne(id: number): void {
    const exchange = this.#slots.owner(id);
    const now = this.#clock.now();
    this.#free(id);
    const since = Math.max(exchange.givenAt, this.#workSince);
    this.busySince = this.#workSince = now;
    // A streamed response keeps a serial seat as long as it lasts; on an event loop it costs next to nothing.
    this.#owner.onFinished(this, exchange, this.concurrent ? -1 : now - since);
  }

  #abort(id: number, reason: string): void {
    const exchange = this.#slots.owner(id);
    if (exchange.hasHead) this.#streaming--;
    if (exchange.state !== "done") this.#owner.onBadResponse(exchange, reason);
    if (!this.#webSockets.finish(exchange, CloseCode.internalError)) answerError(exchange, 500);
    this.#finishOne(id);
  }

  #file(id: number, payload: Buffer): void {
    const finished = (): void => {
      this.#streaming--;
      this.#finishOne(id);
      this.#owner.onRoom(this);
    };
    this.#files.begin(this.#slots.begun(id), payload, finished, this.#owner);
  }

  #free(id: number): void {
    this.#slots.get(id)?.release();
    this.#slots.free(id);
    if (!this.#uploads.isEmpty) this.#uploads.close(id);
  }

  // --- to the worker

  #sent(id: number, bytes: number): void {
    if (this.#slots.get(id) !== null) this.#outflow.send(creditFrame(ToWorker.credit, id, bytes));
  }

  readonly #left = (exchange: Exchange): void => {
    if (exchange.slot < 0) return; // the worker has finished it; the client had only not taken all of it
    if (exchange.state !== "done")
      return this.#outflow.send(frame(ToWorker.cancel, exchange.slot, CancelCause.halfClosed));
    exchange.leftAt = this.#clock.now();
    this.#uploads.close(exchange.slot);
    this.#outflow.send(frame(ToWorker.cancel, exchange.slot));
  };

  /** Its time is up; the answer has been given in the app's stead. */
  expire(exchange: Exchange): void {
    this.#uploads.close(exchange.slot);
    this.#outflow.send(frame(ToWorker.cancel, exchange.slot, CancelCause.timeIsUp));
  }
}
