/**
 * Bytes that a decoder skips, so that the length of a compressed page says less about its content (BREACH, CVE-2013-3587): an attacker who has a
 * guess reflected beside a secret sees from the length whether it was right. A random length hides that in noise; he must ask many times more often.
 * Pure: the length comes in.
 *
 *     gzip   a comment in the header             RFC 1952 section 2.3.1, FCOMMENT
 *     br     a metadata block                    RFC 7932 section 9.2, MSKIPBYTES
 *     zstd   empty raw blocks                    RFC 8878 section 3.1.1.2, Block_Size 0
 */

/** Most bytes of padding. */
export const MOST_PADDING = 256;

const GZIP_HEADER_BYTES = 10;
const FCOMMENT = 16;

/** The stream with a comment of `length` bytes; `head` is its beginning, which has the whole header that zlib writes. */
export function commentGzip(head: Buffer, length: number): Buffer {
  const padded = Buffer.alloc(head.length + length + 1, "x");
  head.copy(padded, 0, 0, GZIP_HEADER_BYTES);
  padded[3]! |= FCOMMENT;
  padded[GZIP_HEADER_BYTES + length] = 0;
  head.copy(padded, GZIP_HEADER_BYTES + length + 1, GZIP_HEADER_BYTES);
  return padded;
}

/** For a brotli stream that has been flushed, so that it stands at the beginning of a byte. `length` from 1 to 256. */
export function brotliPadding(length: number): Buffer {
  const block = Buffer.alloc(2 + length, "x");
  // From the lowest bit: ISLAST 0, MNIBBLES 3 (none: metadata), reserved 0, MSKIPBYTES 1, then a byte with the length less one.
  block.writeUInt16LE(0b01_0_11_0 | ((length - 1) << 6), 0);
  return block;
}

/** ISLAST and ISLASTEMPTY. */
export const BROTLI_END: Buffer = Buffer.from([0b11]);

/** For a zstd frame that has been flushed; a third as many blocks. */
export function zstdPadding(length: number): Buffer {
  return Buffer.alloc(3 * Math.ceil(length / 3));
}

/** A last block, raw and empty; the frame has no checksum. */
export const ZSTD_END: Buffer = Buffer.from([1, 0, 0]);
