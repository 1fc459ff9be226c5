/**
 * Frames of a seat link (PROTOCOL.md, "Frame"): type numbers, headers, and a reader that cuts a stream of bytes into frames.
 * Bodies are passed on as they arrive, in pieces, without waiting for their frame to be whole.
 */

export const PROTOCOL_VERSION: number = 1;
export const HEADER_BYTES: number = 8;
export const MAX_PAYLOAD: number = 16 * 1024 * 1024;
export const MAX_BODY_FRAME: number = 262_144;
/** Bytes of a streamed request body that may be sent before the worker grants more. */
export const REQUEST_CREDIT: number = 262_144;
/** Bytes of a response body that the worker may send before the front grants more. */
export const RESPONSE_CREDIT: number = 1_048_576;
/** What a frame of a WebSocket message counts at least, however short it is. */
const LEAST_MESSAGE_COST = 64;

/** Credit that a frame of a WebSocket message takes. */
export function messageCost(bytes: number): number {
  return bytes < LEAST_MESSAGE_COST ? LEAST_MESSAGE_COST : bytes;
}

export const ToWorker = {
  requests: 0x01,
  body: 0x02,
  end: 0x03,
  cancel: 0x04,
  credit: 0x05,
  ping: 0x06,
  fileTaken: 0x07,
  wsText: 0x10,
  wsBinary: 0x11,
  wsPart: 0x12,
  wsClosed: 0x13,
} as const;

export const FromWorker = {
  responses: 0x41,
  responsesBusy: 0x42,
  head: 0x43,
  body: 0x44,
  end: 0x45,
  idle: 0x46,
  credit: 0x47,
  abort: 0x48,
  pong: 0x49,
  inform: 0x4a,
  file: 0x4b,
  extend: 0x4c,
  wsText: 0x50,
  wsBinary: 0x51,
  wsPart: 0x52,
  wsClose: 0x53,
  wsAccept: 0x54,
  wsBinaryPart: 0x55,
} as const;

/** Payloads of CANCEL that say more than "the client is gone". */
export const CancelCause: { readonly timeIsUp: Buffer; readonly halfClosed: Buffer } = {
  timeIsUp: Buffer.from([1]),
  halfClosed: Buffer.from([2]),
};

/** The worker sent something that PROTOCOL.md does not allow: it is treated as crashed. */
export class WireError extends Error {
  override name = "WireError";
}

/** Writes a frame header at `at`. */
export function putHeader(target: Buffer, at: number, type: number, arg: number, length: number): void {
  target.writeUInt32LE(length, at);
  target[at + 4] = type;
  target[at + 5] = arg & 0xff;
  target[at + 6] = (arg >> 8) & 0xff;
  target[at + 7] = (arg >> 16) & 0xff;
}

/** A frame without payload, or with a short one. */
export function frame(type: number, arg: number, payload?: Buffer): Buffer {
  const length = payload === undefined ? 0 : payload.length;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
  putHeader(bytes, 0, type, arg, length);
  payload?.copy(bytes, HEADER_BYTES);
  return bytes;
}

/** The payload of a frame that carries one number. */
export function u32(payload: Buffer, name: string): number {
  if (payload.length !== 4) throw new WireError(`${name} without a number`);
  return payload.readUInt32LE(0);
}

/** A file that is the body of a response, from `start` on. */
export interface FileBody {
  readonly start: number;
  /** What it is opened by. */
  readonly path: Buffer;
  /** What people call it; may be empty. */
  readonly name: string;
}

/** The payload of FILE. */
export function filePayload(payload: Buffer): FileBody {
  const end = payload.indexOf(0, 8);
  const start = end < 0 ? 0n : payload.readBigUInt64LE(0);
  if (end <= 8 || start > Number.MAX_SAFE_INTEGER) throw new WireError("FILE without a file");
  const path = Buffer.from(payload.subarray(8, end));
  return { start: Number(start), path, name: payload.toString("utf8", end + 1) || path.toString() };
}

/** A CREDIT frame. */
export function creditFrame(type: number, id: number, bytes: number): Buffer {
  const out = Buffer.allocUnsafe(HEADER_BYTES + 4);
  putHeader(out, 0, type, id, 4);
  out.writeUInt32LE(bytes, HEADER_BYTES);
  return out;
}

export interface FrameHandler {
  /** A whole frame of any type but BODY. `payload` is only valid during the call. */
  onFrame(type: number, arg: number, payload: Buffer): void;
  /** A piece of a BODY frame's payload. */
  onBody(id: number, piece: Buffer): void;
}

/** Cuts bytes into frames. Throws WireError on what cannot be a frame. */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** Bytes of a frame that is not whole yet. */
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** How many bytes `#rest` needs before it is worth joining. */
  #needed = HEADER_BYTES;
  #bodyLeft = 0;
  #bodyId = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** `chunk` is only read during the call. */
  push(chunk: Buffer): void {
    let data = chunk;
    if (this.#restBytes > 0) {
      this.#rest.push(Buffer.from(chunk));
      this.#restBytes += chunk.length;
      if (this.#restBytes < this.#needed) return;
      data = Buffer.concat(this.#rest, this.#restBytes);
      this.#rest = [];
      this.#restBytes = 0;
    }
    let at = 0;
    const end = data.length;
    while (at < end) {
      if (this.#bodyLeft > 0) {
        const piece = Math.min(this.#bodyLeft, end - at);
        this.#bodyLeft -= piece;
        this.#handler.onBody(this.#bodyId, data.subarray(at, at + piece));
        at += piece;
        continue;
      }
      if (end - at < HEADER_BYTES) return this.#keep(data, at, HEADER_BYTES);
      const length = data.readUInt32LE(at);
      const type = data[at + 4]!;
      const arg = data[at + 5]! | (data[at + 6]! << 8) | (data[at + 7]! << 16);
      if (length > MAX_PAYLOAD) throw new WireError(`frame of ${length} bytes (type 0x${type.toString(16)})`);
      if (type === FromWorker.body) {
        if (length > MAX_BODY_FRAME) throw new WireError(`body frame of ${length} bytes`);
        this.#bodyLeft = length;
        this.#bodyId = arg;
        at += HEADER_BYTES;
        continue;
      }
      const next = at + HEADER_BYTES + length;
      if (next > end) return this.#keep(data, at, HEADER_BYTES + length);
      this.#handler.onFrame(type, arg, data.subarray(at + HEADER_BYTES, next));
      at = next;
    }
  }

  #keep(data: Buffer, from: number, needed: number): void {
    // A copy: what was pushed may only be lent.
    const rest = Buffer.from(data.subarray(from));
    this.#rest.push(rest);
    this.#restBytes = rest.length;
    this.#needed = needed;
  }
}
