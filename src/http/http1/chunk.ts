/** Chunked coding, the sending side (RFC 9112 section 7.1): chunkHeader(n), n bytes of data, CHUNK_END, and LAST_CHUNK after the last. */

/** The line before a chunk's data. `length` is not 0: that would end the body. */
export function chunkHeader(length: number): string {
  return length.toString(16) + "\r\n";
}

/** What follows a chunk's data. */
export const CHUNK_END = "\r\n";

/** Ends the body, with an empty trailer section. */
export const LAST_CHUNK = "0\r\n\r\n";

/** Ends the data of a chunk and the body: one write less. */
export const CHUNK_END_AND_LAST_CHUNK = "\r\n0\r\n\r\n";
