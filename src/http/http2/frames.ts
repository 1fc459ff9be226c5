/** The frames of HTTP/2 (RFC 9113 sections 4 and 6): their types and flags, the reader that cuts a connection's bytes into them, and our own. */

export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  reset: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const Flag = {
  ack: 0x1,
  endStream: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  /** RFC 8441 section 3. */
  enableConnectProtocol: 0x8,
  /** RFC 9218 section 2.1. */
  noPriorities: 0x9,
} as const;

export const FRAME_HEAD = 9;
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PREFACE_BYTES = Buffer.from(PREFACE, "latin1");

export interface FrameHandler {
  onFrame(type: number, flags: number, stream: number, payload: Buffer): void;
  /** Nothing more is read. */
  onBadPreface(): void;
  onFrameTooLong(length: number): void;
}

/** Cuts the client's bytes into frames, however they arrive. A frame's payload is a part of the bytes given where they hold all of it, else a copy. */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #limit: number;
  #preface = 0;
  #partial: Buffer = NOTHING;
  #have = 0;
  #isStopped = false;

  /** @param limit our SETTINGS_MAX_FRAME_SIZE. */
  constructor(limit: number, handler: FrameHandler) {
    this.#limit = limit;
    this.#handler = handler;
  }

  stop(): void {
    this.#isStopped = true;
    this.#partial = NOTHING;
  }

  /** What has come ends within the preface, or within a frame that belongs to a head, or may. */
  get isWithinHead(): boolean {
    if (this.#preface < PREFACE_BYTES.length) return this.#preface > 0;
    if (this.#have === 0) return false;
    const type = this.#have > 3 ? this.#partial[3] : undefined;
    return type === undefined || type === FrameType.headers || type === FrameType.continuation;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (this.#preface < PREFACE_BYTES.length && at < chunk.length) {
      if (chunk[at++] === PREFACE_BYTES[this.#preface++]) continue;
      this.stop();
      return this.#handler.onBadPreface();
    }
    while (!this.#isStopped && at < chunk.length) {
      if (this.#have > 0) at = this.#complete(chunk, at);
      else {
        const left = chunk.length - at;
        const length = left < FRAME_HEAD ? 0 : chunk.readUIntBE(at, 3);
        if (length > this.#limit) return this.#tooLong(length);
        const end = at + FRAME_HEAD + length;
        if (left < FRAME_HEAD || end > chunk.length) {
          this.#partial = Buffer.allocUnsafe(FRAME_HEAD + length);
          this.#have = chunk.copy(this.#partial, 0, at);
          return;
        }
        this.#emit(chunk, at, end);
        at = end;
      }
    }
  }

  /** Takes what is missing of the frame at hand. */
  #complete(chunk: Buffer, at: number): number {
    const partial = this.#partial;
    const copied = chunk.copy(partial, this.#have, at);
    this.#have += copied;
    if (this.#have < partial.length) return at + copied;
    const length = partial.readUIntBE(0, 3);
    if (length > this.#limit) {
      this.#tooLong(length);
      return chunk.length;
    }
    if (partial.length < FRAME_HEAD + length) {
      // Only the head was there; now the length is known.
      this.#partial = Buffer.allocUnsafe(FRAME_HEAD + length);
      partial.copy(this.#partial);
      return at + copied;
    }
    this.#have = 0;
    this.#partial = NOTHING;
    this.#emit(partial, 0, partial.length);
    return at + copied;
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const stream = bytes.readUInt32BE(start + 5) & 0x7fff_ffff;
    this.#handler.onFrame(bytes[start + 3]!, bytes[start + 4]!, stream, bytes.subarray(start + FRAME_HEAD, end));
  }

  #tooLong(length: number): void {
    this.stop();
    this.#handler.onFrameTooLong(length);
  }
}

/** The payload of DATA or HEADERS without its padding (section 6.1); null where there is more padding than payload. */
export function unpadded(flags: number, payload: Buffer): Buffer | null {
  if ((flags & Flag.padded) === 0) return payload;
  const padding = payload[0] ?? 0;
  return padding + 1 <= payload.length ? payload.subarray(1, payload.length - padding) : null;
}

const NOTHING = Buffer.alloc(0);
