/** Chunked coding, the sending side (RFC 9112 section 7.1): chunkHeader(n), n bytes of data, CHUNK_END, and lastChunk() after the last. */
import type { ResponseFields } from "../response-fields.ts";

/** The line before a chunk's data. `length` is not 0: that would end the body. */
export function chunkHeader(length: number): string {
  return length.toString(16) + "\r\n";
}

/** What follows a chunk's data. */
export const CHUNK_END = "\r\n";

/** Ends the body; with its trailer section, where there is one (RFC 9112 section 7.1.2). */
export function lastChunk(trailers: ResponseFields | null): string {
  return trailers === null ? "0\r\n\r\n" : `0\r\n${trailers.text}\r\n`;
}
