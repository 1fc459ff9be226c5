/**
 * The compressors of node:zlib, with what bounds their memory: a window of 128 or 256 KiB, so that one costs at most about a megabyte whatever
 * it is fed.
 */
import { randomInt } from "node:crypto";
import {
  brotliCompress,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzip,
  gzipSync,
  zstdCompress,
  zstdCompressSync,
  type BrotliOptions,
  type ZlibOptions,
  type ZstdOptions,
} from "node:zlib";
import type { Transform } from "node:stream";
import type { Coding } from "../http/negotiation.ts";
import { BROTLI_END, brotliPadding, commentGzip, MOST_PADDING, ZSTD_END, zstdPadding } from "./padding.ts";

export type Levels = Readonly<Record<Coding, number>>;

/**
 * A whole body up to this size is compressed where it is: another thread costs 70 to 110 µs of CPU for handing it over, and these take about
 * 150 to 300 µs (docs/compression.md).
 */
export const HERE_BYTES: Readonly<Record<Coding, number>> = { zstd: 65_536, br: 16_384, gzip: 16_384 };

const WINDOW_BITS: number = 17;
/** brotli finds little with a smaller one. */
const BROTLI_WINDOW_BITS: number = 18;

/** Compresses a whole body on this thread; null where that failed (there is no memory for it). */
export function compressHere(body: Buffer, coding: Coding, levels: Levels, isPadded: boolean): Buffer | null {
  try {
    switch (coding) {
      case "gzip":
        return finish(gzipSync(body, gzipOptions(levels)), coding, isPadded);
      case "br":
        return finish(brotliCompressSync(body, brotliOptions(levels, body.length, isPadded)), coding, isPadded);
      case "zstd":
        return finish(zstdCompressSync(body, zstdOptions(levels, body.length, isPadded)), coding, isPadded);
    }
  } catch {
    return null;
  }
}

/** Compresses a whole body on a thread of the pool; null where that failed. */
export function compressElsewhere(
  body: Buffer,
  coding: Coding,
  levels: Levels,
  isPadded: boolean,
  then: (compressed: Buffer | null) => void,
): void {
  const done = (error: Error | null, bytes: Buffer): void =>
    then(error === null ? finish(bytes, coding, isPadded) : null);
  switch (coding) {
    case "gzip":
      return gzip(body, gzipOptions(levels), done);
    case "br":
      return brotliCompress(body, brotliOptions(levels, body.length, isPadded), done);
    case "zstd":
      return zstdCompress(body, zstdOptions(levels, body.length, isPadded), done);
  }
}

/** A compressor for a body that comes in pieces. Each works on a thread of the pool. */
export interface StreamCompressor {
  readonly stream: Transform & { close(): void; flush(kind: number, callback: () => void): void };
  /** What makes all that was given leave. */
  readonly flushKind: number;
}

/** `bodyBytes`: its whole length, 0 where that is not known. null where there is no memory for one. */
export function streamCompressor(coding: Coding, levels: Levels, bodyBytes: number): StreamCompressor | null {
  try {
    switch (coding) {
      case "gzip":
        return { stream: createGzip(gzipOptions(levels)), flushKind: constants.Z_SYNC_FLUSH };
      case "br":
        return {
          stream: createBrotliCompress(brotliOptions(levels, bodyBytes, false)),
          flushKind: constants.BROTLI_OPERATION_FLUSH,
        };
      case "zstd":
        return { stream: createZstdCompress(zstdOptions(levels, bodyBytes, false)), flushKind: constants.ZSTD_e_flush };
    }
  } catch {
    return null;
  }
}

/** Padding for the beginning of a gzip stream, or for a flushed brotli or zstd stream. */
export function padded(coding: Coding, head: Buffer): Buffer {
  const length = randomInt(1, MOST_PADDING + 1);
  switch (coding) {
    case "gzip":
      return commentGzip(head, length);
    case "br":
      return brotliPadding(length);
    case "zstd":
      return zstdPadding(length);
  }
}

// Private

function gzipOptions(levels: Levels): ZlibOptions {
  return { level: levels.gzip };
}

function brotliOptions(levels: Levels, sizeHint: number, isOpen: boolean): BrotliOptions {
  const params: Record<number, number> = {
    [constants.BROTLI_PARAM_QUALITY]: levels.br,
    [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(sizeHint, 0x7fff_ffff),
  };
  return isOpen ? { params, finishFlush: constants.BROTLI_OPERATION_FLUSH } : { params };
}

function zstdOptions(levels: Levels, bodyBytes: number, isOpen: boolean): ZstdOptions {
  const params = { [constants.ZSTD_c_compressionLevel]: levels.zstd, [constants.ZSTD_c_windowLog]: WINDOW_BITS };
  if (isOpen) return { params, finishFlush: constants.ZSTD_e_flush };
  return bodyBytes > 0 ? { params, pledgedSrcSize: bodyBytes } : { params };
}

/** What was left open is padded and ended. */
function finish(bytes: Buffer, coding: Coding, isPadded: boolean): Buffer {
  if (!isPadded) return bytes;
  if (coding === "gzip") return padded(coding, bytes);
  return Buffer.concat([bytes, padded(coding, bytes), coding === "br" ? BROTLI_END : ZSTD_END]);
}
