/**
 * The upstream's end of one open WebSocket: we are its client (RFC 6455 section 5.1, all frames masked). The edge speaks with the real client, in
 * whatever HTTP version and with whatever extensions; what passes here are messages, or parts of them.
 *
 *     open ──the client has closed: our Close──▶ closing ──its Close, or the end of the connection, or CLOSE_MS──▶ over
 *       ├──its Close, answered──▶ over
 *       └──a violation, or the end of the connection──▶ over; the client hears 1011
 *
 * Flow control: what the upstream's socket has not taken is withheld from the client's credit; while the client has not taken HIGH_WATER bytes of
 * messages the socket is not read.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../clock.ts";
import { CloseCode, type WebSocketApp, type WebSocketClient } from "../http/web-socket.ts";
import { type FrameHandler, FrameParser, mayBeSent, Opcode } from "../http/websocket/frame-parser.ts";
import { closePayload, maskedFrame } from "../http/websocket/frame-writer.ts";
import { type ByteStream, SocketStream, type StreamListener } from "../streams/byte-stream.ts";

/** Bytes of messages that may wait in each direction. */
const HIGH_WATER = 262_144;
const LOW_WATER = 131_072;
/** The upstream gets this long to answer our Close. */
const CLOSE_MS = 5000;

export interface UpstreamWebSocketOwner {
  /** The connection is closed; said once. */
  onOver(): void;
  /** What the upstream did wrong, for the log. */
  onBroken(reason: string): void;
}

export class UpstreamWebSocket implements WebSocketApp, FrameHandler, StreamListener {
  credit: number = HIGH_WATER;
  readonly #client: WebSocketClient;
  readonly #clock: Clock;
  readonly #owner: UpstreamWebSocketOwner;
  readonly #stream: ByteStream;
  /** Its messages pass in pieces, so their size is for the client to judge. */
  readonly #parser: FrameParser = new FrameParser(this, 0, false, true);
  #state: "open" | "closing" | "over" = "open";
  #closing: Timer | null = null;
  /** The client's message under way is sent in parts. */
  #isInMessage = false;
  #untaken = 0;

  /** The socket is read from the next turn on; whoever makes this has opened the client's end by then. */
  constructor(socket: Duplex, client: WebSocketClient, clock: Clock, owner: UpstreamWebSocketOwner) {
    this.#client = client;
    this.#clock = clock;
    this.#owner = owner;
    this.#stream = new SocketStream(socket, this);
  }

  // --- from the client

  message(isText: boolean, isLast: boolean, payload: Buffer): void {
    if (this.#state !== "open") return;
    const opcode = this.#isInMessage ? Opcode.continuation : isText ? Opcode.text : Opcode.binary;
    this.#isInMessage = !isLast;
    const { length } = payload;
    this.credit -= length;
    this.#stream.writeBytes(maskedFrame(opcode, isLast, payload, randomBytes(4)), () => {
      const wasHeld = this.credit <= 0;
      this.credit += length;
      if (wasHeld && this.credit > 0) this.#client.resume();
    });
  }

  taken(bytes: number): void {
    this.#untaken -= bytes;
    if (this.#untaken <= LOW_WATER && this.#stream.isPaused) this.#stream.resume();
  }

  closed(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#sendClose(code, reason);
    this.#closing = this.#clock.after(CLOSE_MS, () => this.#stream.destroy());
    if (this.#stream.isPaused) this.#stream.resume();
  }

  // --- from the upstream

  onBytes(chunk: Buffer): void {
    this.#parser.push(chunk);
  }

  onMessage(isText: boolean, piece: Buffer, isLast: boolean): void {
    if (this.#state !== "open") return;
    this.#untaken += piece.length;
    this.#client.send(isText, isLast, piece, piece.length);
    if (this.#untaken > HIGH_WATER && !this.#stream.isPaused) this.#stream.pause();
  }

  /** No extension was offered, so the parser takes a compressed message for a violation. */
  onCompressed(): void {}

  onPing(payload: Buffer): void {
    // One who does not read its pongs gets no more of them.
    if (this.#state === "open" && !this.#stream.isBehind) this.#send(Opcode.pong, payload);
  }

  onPong(): void {}

  onClose(code: number, reason: string): void {
    if (this.#state === "open") {
      this.#sendClose(code, "");
      this.#client.close(code, reason);
    }
    this.#end();
  }

  onViolation(code: number, detail: string): void {
    if (this.#state === "open") {
      this.#owner.onBroken(`broke the WebSocket protocol: ${detail}`);
      this.#sendClose(code, "");
      this.#client.close(CloseCode.internalError, "");
    }
    this.#end();
  }

  onFin(): void {
    this.#lost();
    this.#end();
  }

  onClosed(): void {
    this.#lost();
    this.#state = "over";
    this.#closing?.cancel();
    this.#owner.onOver();
  }

  // Private

  /** It has gone without a Close. */
  #lost(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#owner.onBroken("the connection of a WebSocket was lost");
    this.#client.close(CloseCode.internalError, "");
  }

  #sendClose(code: number, reason: string): void {
    const sent = code === CloseCode.noStatus || mayBeSent(code) ? code : CloseCode.goingAway;
    this.#send(Opcode.close, closePayload(sent, reason));
  }

  #send(opcode: number, payload: Buffer): void {
    this.#stream.writeBytes(maskedFrame(opcode, true, payload, randomBytes(4)), null);
  }

  /** Our FIN, and not much longer. */
  #end(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#parser.end();
    this.#closing?.cancel();
    this.#closing = this.#clock.after(CLOSE_MS, () => this.#stream.destroy());
    this.#stream.end(() => {});
    if (this.#stream.isPaused) this.#stream.resume();
  }
}
