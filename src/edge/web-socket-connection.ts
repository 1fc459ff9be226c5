/**
 * One open WebSocket on the client's side (RFC 6455): frames to messages and back, compression, pings, the closing handshake. It stands on any
 * ByteStream that carries nothing else any more: an HTTP/1.1 connection after its 101, or a stream of HTTP/2 (RFC 8441).
 *
 *     open ──our Close──▶ closing ──client's Close, or the time is over──▶ over
 *       ├──client's Close, answered──▶ over
 *       └──a violation, answered with its code──▶ over
 *     over: our FIN is sent, what still comes is thrown away, `checkTimeouts` destroys what lingers
 *
 * Invariants: the app is told of the end once; while the app has no credit nothing is read; while the client takes nothing the app gets no credit.
 */
import { isUtf8 } from "node:buffer";
import type { Clock } from "../clock.ts";
import { CloseCode, type WebSocketApp } from "../http/web-socket.ts";
import type { DeflateTerms } from "../http/websocket/deflate-terms.ts";
import { type FrameHandler, FrameParser, mayBeSent, Opcode } from "../http/websocket/frame-parser.ts";
import { closePayload, webSocketFrame } from "../http/websocket/frame-writer.ts";
import type { ByteStream, StreamListener } from "../streams/byte-stream.ts";
import { DEFLATE_FROM_BYTES, deflateMessage, inflateMessage } from "./permessage-deflate.ts";

export interface WebSocketSettings {
  /** Most bytes of a message; 0 = no limit. */
  readonly maxSize: number;
  /** 0 = no pings. */
  readonly pingIntervalMs: number;
  /** A client that has been silent this long after a ping is lost; 0 = never. */
  readonly pingTimeoutMs: number;
  /** Offer permessage-deflate. */
  readonly deflate: boolean;
}

export interface WebSocketOwner {
  /** The closing handshake is done, or the client is lost. Said once. */
  onOver(webSocket: WebSocketConnection): void;
  /** Why we ended it, for the log. */
  onStruck(detail: string): void;
}

/** The client gets this long to answer our Close, and then to end the connection. */
const CLOSE_MS = 5000;
/** An app that has just got a message gets this long to answer it before what the client did wrong afterwards ends the WebSocket. */
const LAST_WORD_MS = 50;
/** A message that was inflated is passed on in pieces of this size. */
const PIECE_BYTES = 131_072;

const NOTHING: Buffer = Buffer.alloc(0);

export class WebSocketConnection implements StreamListener, FrameHandler {
  /** Bytes written, for the access log. */
  sentBytes = 0;
  readonly #stream: ByteStream;
  readonly #app: WebSocketApp;
  readonly #terms: DeflateTerms | null;
  readonly #settings: WebSocketSettings;
  readonly #clock: Clock;
  readonly #owner: WebSocketOwner;
  readonly #parser: FrameParser;
  #state: "open" | "closing" | "over" = "open";
  #hasClientEnded = false;
  /** Our FIN has left: with the client's, nothing is left to wait for. */
  #hasEnded = false;
  /** When the state became what it is. */
  #since: number;
  #isAppTold = false;

  /** Frames of this turn, which leave in one write; and what the messages in them cost. */
  #outbox: Buffer[] = [];
  #outboxCredit = 0;
  /** Writes that the kernel has not taken yet, and a pong that waits for them. */
  #pendingWrites = 0;
  #pong: Buffer | null = null;
  /** The app's message under way is sent in parts. */
  #isInMessage = false;

  /** What is left of an inflated message, which waits for the app's credit. */
  #inflated: Buffer = NOTHING;
  #isInflatedText = false;

  /** Clock time of the last message passed on. */
  #passedAt = Number.NEGATIVE_INFINITY;
  /** Clock time of the last ping, and whether nothing has been heard since. */
  #pingedAt: number;
  #awaitsPong = false;

  constructor(
    stream: ByteStream,
    app: WebSocketApp,
    terms: DeflateTerms | null,
    settings: WebSocketSettings,
    clock: Clock,
    owner: WebSocketOwner,
  ) {
    this.#stream = stream;
    this.#app = app;
    this.#terms = terms;
    this.#settings = settings;
    this.#clock = clock;
    this.#owner = owner;
    this.#since = this.#pingedAt = clock.now();
    this.#parser = new FrameParser(this, settings.maxSize, terms !== null);
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** Called now and then with the time: pings, and ends what has waited too long. */
  checkTimeouts(now: number): void {
    if (this.#state !== "open") {
      if (now - this.#since > CLOSE_MS) this.#stream.destroy();
      return;
    }
    const { pingIntervalMs, pingTimeoutMs } = this.#settings;
    if (this.#awaitsPong) {
      // While we do not read, the pong cannot be heard.
      if (this.#stream.isPaused) this.#pingedAt = now;
      else if (pingTimeoutMs > 0 && now - this.#pingedAt > pingTimeoutMs) this.#lose(pingTimeoutMs);
    } else if (pingIntervalMs > 0 && now - this.#pingedAt >= pingIntervalMs) {
      this.#pingedAt = now;
      this.#awaitsPong = true;
      this.#write(webSocketFrame(Opcode.ping, true, false, NOTHING));
    }
  }

  #lose(timeoutMs: number): void {
    this.#owner.onStruck(`WebSocket closed: no pong within ${timeoutMs / 1000} s (--ws-ping-timeout)`);
    this.#tellApp(CloseCode.lost, "");
    this.#sendClose(CloseCode.internalError, "keepalive ping timeout");
    this.#end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  // --- from the app

  send(isText: boolean, isLast: boolean, payload: Buffer, cost: number): void {
    if (this.#state !== "open") return;
    const opcode = this.#isInMessage ? Opcode.continuation : isText ? Opcode.text : Opcode.binary;
    const windowBits = this.#terms?.windowBits;
    let frame: Buffer | null = null;
    if (windowBits !== undefined && isLast && !this.#isInMessage && payload.length >= DEFLATE_FROM_BYTES) {
      const deflated = deflateMessage(payload, windowBits);
      if (deflated.length < payload.length) frame = webSocketFrame(opcode, true, true, deflated);
    }
    this.#isInMessage = !isLast;
    this.#outboxCredit += cost;
    this.#write(frame ?? webSocketFrame(opcode, isLast, false, payload));
  }

  /** The app, or the house, closes it. */
  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#sendClose(code, reason);
    this.#enter("closing");
    // What the client still sends is only read for its Close.
    if (this.#stream.isPaused) this.#stream.resume();
    this.#inflated = NOTHING;
    this.#parser.go();
  }

  /** Ends it in the app's stead: the app is told, then the client. */
  dismiss(code: number, reason: string): void {
    this.#tellApp(code, reason);
    this.close(code, reason);
  }

  /** The app takes more. */
  resume(): void {
    if (this.#app.credit <= 0 || !this.#passInflated() || this.#app.credit <= 0) return;
    this.#parser.go();
    if (this.#app.credit > 0 && this.#stream.isPaused) this.#stream.resume();
  }

  // --- from the client

  onBytes(chunk: Buffer): void {
    if (this.#state === "over") return;
    this.#awaitsPong = false;
    this.#parser.push(chunk);
  }

  onFin(): void {
    this.#hasClientEnded = true;
    if (this.#hasEnded) return this.#stream.destroy();
    this.#lost();
    this.#end();
  }

  onClosed(): void {
    this.#lost();
    if (this.#state !== "over") {
      this.#enter("over");
      this.#owner.onOver(this);
    }
  }

  #lost(): void {
    this.#tellApp(CloseCode.lost, "");
  }

  onMessage(isText: boolean, piece: Buffer, isLast: boolean): void {
    if (this.#state !== "open") return;
    this.#passedAt = this.#clock.now();
    this.#app.message(isText, isLast, piece);
    if (this.#app.credit <= 0) this.#hold();
  }

  onCompressed(isText: boolean, deflated: Buffer): void {
    if (this.#state !== "open") return;
    const inflated = inflateMessage(deflated, this.#settings.maxSize);
    if (inflated.type !== "message") {
      this.#parser.end();
      return inflated.type === "too big"
        ? this.onViolation(CloseCode.tooBig, `a message that inflates to more than ${this.#settings.maxSize} bytes`)
        : this.onViolation(CloseCode.invalidPayload, "a message that cannot be inflated");
    }
    if (isText && !isUtf8(inflated.bytes)) {
      this.#parser.end();
      return this.onViolation(CloseCode.invalidPayload, "a text that is not UTF-8");
    }
    if (inflated.bytes.length <= PIECE_BYTES) return this.onMessage(isText, inflated.bytes, true);
    this.#inflated = inflated.bytes;
    this.#isInflatedText = isText;
    if (!this.#passInflated()) this.#hold();
  }

  /** Passes on what was inflated, as far as the app's credit goes; true where nothing is left. */
  #passInflated(): boolean {
    while (this.#inflated.length > 0 && this.#app.credit > 0 && this.#state === "open") {
      const piece = this.#inflated.subarray(0, PIECE_BYTES);
      this.#inflated = this.#inflated.subarray(piece.length);
      this.onMessage(this.#isInflatedText, piece, this.#inflated.length === 0);
    }
    return this.#inflated.length === 0;
  }

  #hold(): void {
    this.#parser.stop();
    this.#stream.pause();
  }

  onPing(payload: Buffer): void {
    if (this.#state !== "open") return;
    // RFC 6455 section 5.5.3: of pings that wait only the last needs its pong. A client that reads none of them fills no memory.
    if (this.#pendingWrites > 0) this.#pong = Buffer.from(payload);
    else this.#write(webSocketFrame(Opcode.pong, true, false, payload));
  }

  onPong(): void {
    this.#awaitsPong = false;
  }

  onClose(code: number, reason: string): void {
    this.#tellApp(code, reason);
    if (this.#state === "open") this.#sendClose(code, "");
    this.#end();
  }

  onViolation(code: number, detail: string): void {
    if (this.#state === "open" && this.#clock.now() - this.#passedAt < LAST_WORD_MS)
      this.#clock.after(LAST_WORD_MS, () => this.#fail(code, detail));
    else this.#fail(code, detail);
  }

  #fail(code: number, detail: string): void {
    if (this.#state === "open") {
      const setting = code === CloseCode.tooBig ? " (--ws-max-size)" : "";
      this.#owner.onStruck(`WebSocket closed with ${code}: ${detail}${setting}`);
      this.#sendClose(code, "");
    }
    this.#tellApp(code, detail);
    this.#end();
  }

  #tellApp(code: number, reason: string): void {
    if (this.#isAppTold) return;
    this.#isAppTold = true;
    this.#app.closed(code, reason);
  }

  // --- to the client

  #sendClose(code: number, reason: string): void {
    const sent = code === CloseCode.noStatus || mayBeSent(code) ? code : CloseCode.internalError;
    this.#write(webSocketFrame(Opcode.close, true, false, closePayload(sent, reason)));
  }

  /** Our FIN; the client gets a while to read what we said. */
  #end(): void {
    if (this.#state === "over") return;
    this.#flush();
    this.#enter("over");
    this.#parser.end();
    this.#inflated = NOTHING;
    this.#owner.onOver(this);
    this.#stream.end(() => {
      this.#hasEnded = true;
      if (this.#hasClientEnded) this.#stream.destroy();
    });
    if (this.#stream.isPaused) this.#stream.resume();
  }

  #enter(state: "closing" | "over"): void {
    this.#state = state;
    this.#since = this.#clock.now();
  }

  /** Frames of one turn leave in one write: what the worker sent together, the client reads together. */
  #write(frame: Buffer): void {
    if (this.#outbox.push(frame) === 1) process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    const outbox = this.#outbox;
    if (outbox.length === 0) return;
    const credit = this.#outboxCredit;
    this.#outbox = [];
    this.#outboxCredit = 0;
    const bytes = outbox.length === 1 ? outbox[0]! : Buffer.concat(outbox);
    this.sentBytes += bytes.length;
    this.#pendingWrites++;
    this.#stream.writeBytes(bytes, () => this.#flushed(credit));
  };

  #flushed(credit: number): void {
    this.#pendingWrites--;
    if (this.#state === "over") return;
    if (credit > 0) this.#app.taken(credit);
    if (this.#pong === null || this.#pendingWrites > 0 || this.#state !== "open") return;
    const pong = this.#pong;
    this.#pong = null;
    this.#write(webSocketFrame(Opcode.pong, true, false, pong));
  }
}
