/** The compression of WebSocket messages (RFC 7692 section 7.2), each on its own: `deflateTerms` agrees on no context between them. */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

/** Section 7.2.1: every message ends with an empty block whose last four bytes are not sent. */
const TAIL: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Below this the compressor's set-up costs more than the bytes are worth. */
export const DEFLATE_FROM_BYTES = 512;
/** Half of zlib's 256 KiB, and fast: a message is compressed while everybody waits. */
const LEVEL = 3;
const MEMORY_LEVEL = 7;
/** zlib's output is gathered in pieces of this size at most. A small message gets a small one: to make 16 KiB costs more than to fill 500 bytes. */
const PIECE_BYTES = 16_384;

export type Inflated =
  | { readonly type: "message"; readonly bytes: Buffer }
  | { readonly type: "too big" }
  | { readonly type: "corrupt" };

/** Inflates a message. It stops at `maxSize`: a bomb never unfolds. 0 = what a Buffer can hold. */
export function inflateMessage(deflated: Buffer, maxSize: number): Inflated {
  try {
    const bytes = inflateRawSync(Buffer.concat([deflated, TAIL]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      chunkSize: Math.min(PIECE_BYTES, 1024 + 4 * deflated.length),
      ...(maxSize === 0 ? {} : { maxOutputLength: maxSize }),
    });
    return { type: "message", bytes };
  } catch (error) {
    return { type: (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too big" : "corrupt" };
  }
}

export function deflateMessage(message: Buffer, windowBits: number): Buffer {
  const bytes = deflateRawSync(message, {
    windowBits,
    level: LEVEL,
    memLevel: MEMORY_LEVEL,
    finishFlush: constants.Z_SYNC_FLUSH,
    // What is longer than the message is not sent.
    chunkSize: Math.min(PIECE_BYTES, message.length + 64),
  });
  return bytes.subarray(0, bytes.length - TAIL.length);
}
