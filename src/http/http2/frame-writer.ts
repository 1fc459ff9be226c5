/** Our frames on their way to the socket: written one behind the other into few buffers, so that a turn's frames leave in one write. Pure. */
import { Flag, FRAME_HEAD, FrameType, Setting } from "./frames.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

const BUFFER_BYTES = 16_384;
/** Output up to this size is copied out, and the buffer used again. */
const SMALL = 8192;
/** Buffers that no writer is using. As many as connections are answered in one turn of the event loop are taken at a time. */
const spares: Buffer[] = [];
const MOST_SPARES = 64;
/** A body's piece from this size on is sent as it is, not copied. */
const LARGE = 4096;
/** RFC 9113 section 4.2: what every client takes in one frame; more for those who take more makes streams wait for each other. */
export const FRAME_BYTES = 16_384;

export class FrameWriter {
  readonly encoder: HpackEncoder = new HpackEncoder();
  #full: Buffer[] = [];
  #bytes: Buffer = NOTHING;
  #at = 0;
  #large = 0;

  /** Bytes that wait to be taken. */
  get size(): number {
    return this.#large + this.#at;
  }

  /** What has been written since the last call, in order. */
  take(): readonly Buffer[] {
    if (this.size === 0) return NO_PARTS;
    const parts = this.#full;
    this.#full = [];
    this.#large = 0;
    if (this.#at > 0) {
      if (this.#at <= SMALL) {
        const copy = Buffer.allocUnsafe(this.#at);
        this.#bytes.copy(copy, 0, 0, this.#at);
        parts.push(copy);
        if (this.#bytes.length === BUFFER_BYTES && spares.length < MOST_SPARES) spares.push(this.#bytes);
      } else parts.push(this.#bytes.subarray(0, this.#at));
      // An idle connection keeps none.
      this.#bytes = NOTHING;
      this.#at = 0;
    }
    return parts;
  }

  /** A whole section: HEADERS, and CONTINUATION where one frame does not hold it. */
  section(stream: number, flat: readonly string[], endStream: boolean): void {
    this.#reserve(FRAME_HEAD + HpackEncoder.bound(flat));
    const start = this.#at;
    const end = this.encoder.encode(flat, this.#bytes, start + FRAME_HEAD);
    const length = end - start - FRAME_HEAD;
    const ends = endStream ? Flag.endStream : 0;
    if (length <= FRAME_BYTES) {
      this.#head(length, FrameType.headers, ends | Flag.endHeaders, stream);
      this.#at = end;
      return;
    }
    const block = Buffer.from(this.#bytes.subarray(start + FRAME_HEAD, end));
    for (let from = 0; from < length; from += FRAME_BYTES) {
      const piece = block.subarray(from, from + FRAME_BYTES);
      const isLast = from + FRAME_BYTES >= length;
      this.#reserve(FRAME_HEAD + piece.length);
      const type = from === 0 ? FrameType.headers : FrameType.continuation;
      this.#head(piece.length, type, (from === 0 ? ends : 0) | (isLast ? Flag.endHeaders : 0), stream);
      this.#at += piece.copy(this.#bytes, this.#at);
    }
  }

  /** One DATA frame of at most FRAME_BYTES. As a string it is latin-1: one character per byte. */
  data(stream: number, piece: Buffer | string, endStream: boolean): void {
    const { length } = piece;
    const isCopied = typeof piece === "string" || length < LARGE;
    this.#reserve(FRAME_HEAD + (isCopied ? length : 0));
    this.#head(length, FrameType.data, endStream ? Flag.endStream : 0, stream);
    if (typeof piece === "string") this.#at += this.#bytes.write(piece, this.#at, "latin1");
    else if (isCopied) this.#at += piece.copy(this.#bytes, this.#at);
    else {
      this.#close();
      this.#full.push(piece);
      this.#large += length;
    }
  }

  reset(stream: number, code: number): void {
    this.#four(FrameType.reset, stream, code);
  }

  windowUpdate(stream: number, increment: number): void {
    this.#four(FrameType.windowUpdate, stream, increment);
  }

  settings(pairs: readonly (readonly [number, number])[]): void {
    this.#reserve(FRAME_HEAD + pairs.length * 6);
    this.#head(pairs.length * 6, FrameType.settings, 0, 0);
    for (const [name, value] of pairs) {
      this.#at = this.#bytes.writeUInt16BE(name, this.#at);
      this.#at = this.#bytes.writeUInt32BE(value, this.#at);
    }
  }

  settingsAck(): void {
    this.#reserve(FRAME_HEAD);
    this.#head(0, FrameType.settings, Flag.ack, 0);
  }

  ping(payload: Buffer, isAck: boolean): void {
    this.#reserve(FRAME_HEAD + 8);
    this.#head(8, FrameType.ping, isAck ? Flag.ack : 0, 0);
    this.#at += payload.copy(this.#bytes, this.#at);
  }

  goaway(lastStream: number, code: number, detail: string): void {
    const length = 8 + detail.length;
    this.#reserve(FRAME_HEAD + length);
    this.#head(length, FrameType.goaway, 0, 0);
    this.#at = this.#bytes.writeUInt32BE(lastStream, this.#at);
    this.#at = this.#bytes.writeUInt32BE(code, this.#at);
    this.#at += this.#bytes.write(detail, this.#at, "latin1");
  }

  // Private

  #four(type: number, stream: number, value: number): void {
    this.#reserve(FRAME_HEAD + 4);
    this.#head(4, type, 0, stream);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  #head(length: number, type: number, flags: number, stream: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = length >> 16;
    bytes[at + 1] = length >> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes[at + 5] = stream >> 24;
    bytes[at + 6] = stream >> 16;
    bytes[at + 7] = stream >> 8;
    bytes[at + 8] = stream;
    this.#at = at + FRAME_HEAD;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    this.#close();
    const spare = bytes <= BUFFER_BYTES ? spares.pop() : undefined;
    this.#bytes = spare ?? Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, bytes));
  }

  /** What stands in the buffer goes before what comes next. */
  #close(): void {
    if (this.#at === 0) return;
    this.#full.push(this.#bytes.subarray(0, this.#at));
    this.#large += this.#at;
    this.#bytes = this.#bytes.subarray(this.#at);
    this.#at = 0;
  }
}

/** What a session allows its client. */
export interface SessionSettings {
  readonly maxConcurrentStreams: number;
  readonly initialWindowSize: number;
  readonly maxFrameSize: number;
  readonly maxHeaderListSize: number;
  /** Offer extended CONNECT (RFC 8441). */
  readonly extendedConnect: boolean;
}

/** The settings that we announce, in the order of their numbers. */
export function settingPairs(settings: SessionSettings): readonly (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [
    [Setting.maxConcurrentStreams, settings.maxConcurrentStreams],
    [Setting.initialWindowSize, settings.initialWindowSize],
    [Setting.maxFrameSize, settings.maxFrameSize],
    [Setting.maxHeaderListSize, settings.maxHeaderListSize],
  ];
  if (settings.extendedConnect) pairs.push([Setting.enableConnectProtocol, 1]);
  pairs.push([Setting.noPriorities, 1]);
  return pairs;
}

const NOTHING = Buffer.alloc(0);
const NO_PARTS: readonly Buffer[] = [];
