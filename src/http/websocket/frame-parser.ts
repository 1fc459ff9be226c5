/**
 * What the other side sends on a WebSocket, a client or (where we are one) a server (RFC 6455 section 5): bytes in, messages, control frames or one violation out. Incremental: any split of the
 * bytes gives the same messages. A message is passed on in pieces as it comes, so its size costs no memory; only a compressed one is gathered,
 * up to the limit, and handed over whole for whoever inflates it.
 *
 *     between ──first frame──▶ in a message ──FIN──▶ between        control frames anywhere between frames
 *         └────────────────────────┴──violation, or Close──▶ over   nothing after it is read
 */
import { CloseCode } from "../web-socket.ts";
import { ByteGatherer } from "./byte-gatherer.ts";
import { Utf8Check } from "./utf8.ts";

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameHandler {
  /** A message, or a part of one where `isLast` is false. Only valid during the call. Text has been checked. */
  onMessage(isText: boolean, piece: Buffer, isLast: boolean): void;
  /** A whole compressed message (RFC 7692 section 6.2), not inflated and not checked. */
  onCompressed(isText: boolean, deflated: Buffer): void;
  onPing(payload: Buffer): void;
  onPong(payload: Buffer): void;
  /** The other side's Close frame; code 1005 where it gave none. Nothing follows. */
  onClose(code: number, reason: string): void;
  /** It broke the protocol; `code` is what to close with. Nothing follows. */
  onViolation(code: number, detail: string): void;
}

/** Smaller pieces of a message are joined up to here before they are passed on. */
const PIECE_BYTES = 16_384;
const HEADER_MOST = 14;
const CONTROL_MOST = 125;

export class FrameParser {
  readonly #handler: FrameHandler;
  readonly #maxSize: number;
  readonly #takesCompressed: boolean;
  readonly #isFromServer: boolean;
  readonly #utf8 = new Utf8Check();
  readonly #gatherer = new ByteGatherer();

  #isOver = false;
  #isStopped = false;
  #isRunning = false;
  /** Pushed and not parsed, while stopped. */
  #kept: Buffer[] = [];

  /** A header that has not come whole. */
  #header: Buffer | null = null;
  #headerBytes = 0;

  // The frame under way.
  #isInFrame = false;
  #opcode = 0;
  #isFinal = false;
  #remaining = 0;
  readonly #mask = new Uint8Array(4);
  #maskAt = 0;
  #control: Buffer | null = null;
  #controlBytes = 0;

  // The message under way.
  #isInMessage = false;
  #isText = false;
  #isCompressed = false;
  #messageBytes = 0;

  /**
   * @param maxSize most bytes of a message; 0 = no limit.
   * @param isFromServer its frames come from a server, which does not mask them.
   */
  constructor(handler: FrameHandler, maxSize: number, takesCompressed: boolean, isFromServer: boolean = false) {
    this.#handler = handler;
    this.#maxSize = maxSize === 0 ? Number.POSITIVE_INFINITY : maxSize;
    this.#takesCompressed = takesCompressed;
    this.#isFromServer = isFromServer;
  }

  /** Takes bytes and unmasks them in place; they are not used after the call. */
  push(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#isStopped || this.#isRunning) this.#kept.push(Buffer.from(chunk));
    else this.#run(chunk);
  }

  /** Called by the handler: what follows waits for `go`. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Goes on with what waits. */
  go(): void {
    this.#isStopped = false;
    while (this.#kept.length > 0 && !this.#isStopped && !this.#isRunning) this.#run(this.#kept.shift()!);
  }

  /** Nothing more is read. */
  end(): void {
    this.#isOver = true;
    this.#kept = [];
  }

  #run(chunk: Buffer): void {
    this.#isRunning = true;
    let at = 0;
    while (!this.#isOver && !this.#isStopped) {
      if (this.#isInFrame) {
        if (this.#remaining > 0) {
          if (at === chunk.length) break;
          const end = Math.min(chunk.length, at + this.#remaining);
          this.#payload(chunk, at, end);
          at = end;
        } else this.#endFrame(chunk.subarray(0, 0));
      } else {
        if (at === chunk.length) break;
        at = this.#readHeader(chunk, at);
      }
    }
    if (this.#isStopped && !this.#isOver && at < chunk.length) this.#kept.unshift(Buffer.from(chunk.subarray(at)));
    this.#isRunning = false;
  }

  #violate(code: number, detail: string): void {
    this.end();
    this.#handler.onViolation(code, detail);
  }

  #protocolError(detail: string): void {
    this.#violate(CloseCode.protocolError, detail);
  }

  // --- headers (section 5.2)

  #readHeader(chunk: Buffer, from: number): number {
    let bytes = chunk;
    let at = from;
    let consumed = 0;
    if (this.#header !== null) {
      consumed = Math.min(HEADER_MOST - this.#headerBytes, chunk.length - from);
      chunk.copy(this.#header, this.#headerBytes, from, from + consumed);
      bytes = this.#header.subarray(0, this.#headerBytes + consumed);
      at = 0;
    }
    const first = bytes[at]!;
    const have = bytes.length - at;
    // A wrong first byte is told before the rest has come.
    if (!this.#checkFirst(first)) return chunk.length;
    const second = have > 1 ? bytes[at + 1]! : -1;
    if (second >= 0 && !this.#checkSecond(first, second)) return chunk.length;
    const short = second & 0x7f;
    const unmasked = short === 126 ? 4 : short === 127 ? 10 : 2;
    const length = second < 0 ? HEADER_MOST : this.#isFromServer ? unmasked : unmasked + 4;
    if (have < length) {
      this.#header ??= Buffer.allocUnsafe(HEADER_MOST);
      if (bytes === chunk) bytes.copy(this.#header, 0, at);
      this.#headerBytes = have;
      return chunk.length;
    }
    const before = this.#header === null ? 0 : this.#headerBytes;
    this.#header = null;
    this.#headerBytes = 0;
    this.#begin(bytes, at, first, short, at + length);
    return from + length - before;
  }

  #checkFirst(first: number): boolean {
    const opcode = first & 0x0f;
    const isControl = opcode >= 8;
    const mayCompress = this.#takesCompressed && (opcode === Opcode.text || opcode === Opcode.binary);
    if ((first & 0x70) !== 0 && !((first & 0x70) === 0x40 && mayCompress)) {
      this.#protocolError("a reserved bit is set");
    } else if ((opcode > 2 && opcode < 8) || opcode > 10) {
      this.#protocolError(`opcode ${opcode} is reserved`);
    } else if (isControl && (first & 0x80) === 0) {
      this.#protocolError("a control frame is fragmented");
    } else if (!isControl && (opcode === Opcode.continuation) !== this.#isInMessage) {
      this.#protocolError(this.#isInMessage ? "a message begins within another" : "a continuation of no message");
    } else return true;
    return false;
  }

  #checkSecond(first: number, second: number): boolean {
    // Section 5.1: a client masks all frames, a server none.
    if ((second & 0x80) === 0 && !this.#isFromServer) this.#protocolError("a frame is not masked");
    else if ((second & 0x80) !== 0 && this.#isFromServer) this.#protocolError("a server's frame is masked");
    else if ((first & 0x08) !== 0 && (second & 0x7f) > CONTROL_MOST)
      this.#protocolError("a control frame of more than 125 bytes");
    else return true;
    return false;
  }

  #begin(bytes: Buffer, at: number, first: number, short: number, end: number): void {
    let length = short;
    if (short === 126) length = bytes.readUInt16BE(at + 2);
    else if (short === 127) {
      const high = bytes.readUInt32BE(at + 2);
      if (high >= 0x8000_0000) return this.#protocolError("a length with its highest bit set");
      length = high * 0x1_0000_0000 + bytes.readUInt32BE(at + 6);
    }
    if (!this.#isFromServer) for (let i = 0; i < 4; i++) this.#mask[i] = bytes[end - 4 + i]!;
    this.#maskAt = 0;
    this.#opcode = first & 0x0f;
    this.#isFinal = (first & 0x80) !== 0;
    this.#remaining = length;
    this.#isInFrame = true;
    if (this.#opcode >= 8) return;
    if (this.#opcode !== Opcode.continuation) {
      this.#isInMessage = true;
      this.#isText = this.#opcode === Opcode.text;
      this.#isCompressed = (first & 0x40) !== 0;
      this.#messageBytes = 0;
    }
    this.#messageBytes += length;
    if (this.#messageBytes > this.#maxSize)
      this.#violate(CloseCode.tooBig, `a message of more than ${this.#maxSize} bytes`);
  }

  // --- payloads

  #payload(chunk: Buffer, from: number, end: number): void {
    if (!this.#isFromServer) this.#unmask(chunk, from, end);
    this.#remaining -= end - from;
    const piece = chunk.subarray(from, end);
    if (this.#remaining === 0) return this.#endFrame(piece);
    if (this.#opcode >= 8) return this.#gatherControl(piece);
    if (this.#isCompressed) return this.#gatherer.add(piece);
    if (this.#isValid(piece)) this.#pass(piece, false);
  }

  #unmask(chunk: Buffer, from: number, end: number): void {
    // One byte at a time is as fast as words up to some KiB, and needs no alignment.
    const mask = this.#mask;
    let turn = this.#maskAt;
    for (let at = from; at < end; at++) {
      chunk[at]! ^= mask[turn]!;
      turn = (turn + 1) & 3;
    }
    this.#maskAt = turn;
  }

  #isValid(piece: Buffer): boolean {
    if (!this.#isText || this.#utf8.push(piece)) return true;
    this.#violate(CloseCode.invalidPayload, "a text that is not UTF-8");
    return false;
  }

  #pass(piece: Buffer, isLast: boolean): void {
    const gatherer = this.#gatherer;
    if (gatherer.size === 0 && (isLast || piece.length >= PIECE_BYTES)) {
      this.#handler.onMessage(this.#isText, piece, isLast);
      return;
    }
    gatherer.add(piece);
    if (isLast || gatherer.size >= PIECE_BYTES) this.#handler.onMessage(this.#isText, gatherer.take(), isLast);
  }

  #endFrame(piece: Buffer): void {
    this.#isInFrame = false;
    if (this.#opcode >= 8) return this.#endControl(piece);
    if (this.#isCompressed) {
      this.#gatherer.add(piece);
      if (!this.#isFinal) return;
      this.#isInMessage = false;
      this.#handler.onCompressed(this.#isText, this.#gatherer.take());
      return;
    }
    if (!this.#isValid(piece)) return;
    if (this.#isFinal) {
      if (this.#isText && !this.#utf8.end())
        return this.#violate(CloseCode.invalidPayload, "a text that ends within a character");
      this.#isInMessage = false;
    }
    this.#pass(piece, this.#isFinal);
  }

  // --- control frames (section 5.5)

  #gatherControl(piece: Buffer): void {
    this.#control ??= Buffer.allocUnsafe(CONTROL_MOST);
    piece.copy(this.#control, this.#controlBytes);
    this.#controlBytes += piece.length;
  }

  #endControl(last: Buffer): void {
    let payload = last;
    if (this.#control !== null) {
      this.#gatherControl(last);
      payload = this.#control.subarray(0, this.#controlBytes);
      this.#control = null;
      this.#controlBytes = 0;
    }
    if (this.#opcode === Opcode.ping) this.#handler.onPing(payload);
    else if (this.#opcode === Opcode.pong) this.#handler.onPong(payload);
    else this.#close(payload);
  }

  /** Section 5.5.1 and 7.4. */
  #close(payload: Buffer): void {
    if (payload.length === 1) return this.#protocolError("a Close frame of one byte");
    const code = payload.length === 0 ? CloseCode.noStatus : payload.readUInt16BE(0);
    if (payload.length > 0 && !mayBeSent(code)) return this.#protocolError(`close code ${code}`);
    const reason = payload.subarray(2);
    const check = new Utf8Check();
    if (!check.push(reason) || !check.end())
      return this.#violate(CloseCode.invalidPayload, "a close reason that is not UTF-8");
    this.end();
    this.#handler.onClose(code, reason.toString("utf8"));
  }
}

/** A code that a Close frame may carry: registered, or of the ranges for libraries and applications (RFC 6455 section 7.4). */
export function mayBeSent(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== CloseCode.noStatus && code !== CloseCode.lost) ||
    (code >= 3000 && code <= 4999)
  );
}
