/**
 * A file, or parts of one, as the body of a response that has begun: read here, so that a worker is free for its next request at once.
 *
 *     read a piece ─▶ written ─▶ taken by the client ─▶ its buffer is used again
 *          └── the next piece is read meanwhile, for a client that takes them quickly
 *
 * A large part of a file is not read here at all where the edge can have it sent by sendfile(2).
 *
 * Memory is bounded: two large pieces for a quick client, while there are large ones left, one small piece for a slow one. The sender owns the
 * descriptor and closes it when all is written, when the client has left, or when the file gives less than was promised: the response is cut then.
 */
import { close, constants, fstat, open, read, readSync } from "node:fs";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import { pieceBuffers as buffers } from "./piece-buffers.ts";
import { LEND_BYTES } from "./sendfile-process.ts";

/** Who takes a piece within this time gets two large ones. */
const QUICK_MS = 20;
const SMALL_BYTES = 65_536;
/**
 * What lies in the kernel's page cache is read at once, without a thread: half the cost of a large file was the way there and back, and copying what
 * another core had in its cache. The first piece always goes by a thread, and so does every `IN_A_ROW`th, so that others have their turn; a read
 * that takes long has met the disk, and for a while all reads go by threads.
 */
const IN_A_ROW = 8;
const SLOW_READ_MS = 4;
const WARY_MS = 250;
let slowUntil = 0;
/** Not blocking: a pipe in the file's place must not hold a thread until somebody writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** What is sent: a part of the file, or text (latin-1) between parts. */
export type FileSegment = string | { readonly start: number; readonly length: number };

/** Why it could not be sent whole; the client's connection has been cut then. */
type Failed = (reason: string) => void;

/** A file that somebody else has named: what it is opened by, and what people call it. */
interface NamedFile {
  readonly path: Buffer;
  readonly name: string;
  readonly start: number;
}

/**
 * Sends a file from `start` on, as much of it as Content-Length says, or all.
 * @param opened hears, later, whether it is open, before anything of it is sent; where it is not, the response is still to be made.
 */
export function sendFile(
  exchange: Exchange,
  { path, name, start }: NamedFile,
  opened: (isOpen: boolean) => void,
  failed: Failed,
): void {
  open(path, FLAGS, (error, descriptor) => {
    if (error !== null) return opened(false);
    fstat(descriptor, (failure, stats) => {
      const isFile = failure === null && stats.isFile();
      opened(isFile);
      if (!isFile || exchange.state !== "streaming") return close(descriptor, () => {});
      const promised = exchange.responseFields?.contentLength ?? -1;
      const length = promised < 0 ? Math.max(0, stats.size - start) : promised;
      sendSegments(exchange, descriptor, [{ start, length }], (reason) =>
        failed(`cannot send the file ${JSON.stringify(name)}: ${reason}`),
      );
    });
  });
}

/** Sends these segments of an open file, whose descriptor is the sender's from now on. */
export function sendSegments(
  exchange: Exchange,
  descriptor: number,
  segments: readonly FileSegment[],
  failed: Failed,
): void {
  const sender = new FileSender(exchange, failed);
  sender.begin(descriptor, segments);
  if (exchange.state === "streaming") sender.go();
  else sender.close();
}

interface Piece {
  readonly buffer: Buffer;
  readonly bytes: number;
  /** Belongs to `buffers`. */
  readonly isLent: boolean;
}

class FileSender {
  readonly #exchange: Exchange;
  readonly #failed: Failed;
  #descriptor = -1;
  #segments: readonly FileSegment[] = [];
  /** The segment that is being sent, and how much of it has been read. */
  #at = 0;
  #done = 0;
  /** Given to the client and not taken yet, the oldest first. */
  readonly #untaken: Piece[] = [];
  /** Of the oldest piece, what is taken. */
  #taken = 0;
  #writtenAt = 0;
  #isQuick = false;
  #isReading = false;
  /** The last read was answered from memory, as far as we know: the next one need not go by way of a thread. */
  #isCached = false;
  #inARow = 0;
  /** The edge sends a part of it. */
  #isSentAlone = false;
  /** It could not, or not all of it. */
  #mustRead = false;
  #isOver = false;

  constructor(exchange: Exchange, failed: Failed) {
    this.#exchange = exchange;
    this.#failed = failed;
    // The seat has nothing to do with it any more: the id is another request's. A FIN alone is no reason to stop.
    exchange.onGone = () => {
      if (exchange.state === "done") this.close();
    };
    exchange.onSent = (bytes) => this.#sent(bytes);
  }

  begin(descriptor: number, segments: readonly FileSegment[]): void {
    this.#descriptor = descriptor;
    this.#segments = segments;
    if (this.#isOver) this.#release();
  }

  go(): void {
    if (this.#isOver || this.#isReading || this.#isSentAlone || this.#isBehind) return;
    const segment = this.#segments[this.#at];
    if (segment === undefined) {
      this.close();
      return this.#exchange.end();
    }
    if (typeof segment === "string") {
      this.#at++;
      const buffer = Buffer.from(segment, "latin1");
      this.#isReading = true;
      this.#give({ buffer, bytes: buffer.length, isLent: false });
      this.#isReading = false;
      return this.go();
    }
    if (this.#done === segment.length) {
      this.#at++;
      this.#done = 0;
      return this.go();
    }
    const left = segment.length - this.#done;
    if (left >= LEND_BYTES && this.#sendAlone(segment.start + this.#done, left)) return;
    this.#read(segment.start + this.#done, left);
  }

  /** The response cannot be completed. */
  fail(reason: string): void {
    if (this.#isOver) return this.#release();
    this.#failed(reason);
    this.close();
    answerError(this.#exchange, 500);
  }

  /** No more is read. */
  close(): void {
    if (!this.#isOver) for (const { isLent } of this.#untaken) if (isLent) buffers.letGo();
    this.#isOver = true;
    this.#release();
  }

  // Private

  /** A quick client has two pieces at most, a slow one has one. */
  get #isBehind(): boolean {
    return this.#untaken.length > (this.#isQuick ? 1 : 0);
  }

  #sendAlone(start: number, length: number): boolean {
    if (this.#mustRead) return false;
    // The socket must have taken all before, which may tell `#sent`: nothing is to be read meanwhile.
    this.#isReading = true;
    this.#isSentAlone = this.#exchange.sendFile({ descriptor: this.#descriptor, start, length }, (sent) => {
      this.#isSentAlone = false;
      if (this.#isOver) return this.#release();
      if (sent < 0) return this.fail("the process that sent it has ended");
      this.#mustRead = sent < length;
      this.#done += sent;
      this.go();
    });
    this.#isReading = false;
    if (this.#isOver) this.#release();
    return this.#isSentAlone || this.#isOver;
  }

  #read(from: number, left: number): void {
    // What others may hold on to after it is "sent" (HTTP/2 frames, a cache) is not ours to use again.
    const isOurs = this.#exchange.relay === null && this.#exchange.sink.givesBack === true;
    const lent = isOurs && this.#isQuick && left > SMALL_BYTES ? buffers.take() : null;
    const buffer = lent ?? Buffer.allocUnsafeSlow(Math.min(left, this.#isQuick ? 2 * SMALL_BYTES : SMALL_BYTES));
    const wanted = Math.min(left, buffer.length);
    this.#isReading = true;
    const done = (error: Error | null, count: number): void => {
      if (error === null && count > 0 && !this.#isOver) {
        this.#done += count;
        // Still "reading": the sink may say "taken" in the midst of this, and must not be told to end there.
        this.#give({ buffer, bytes: count, isLent: lent !== null });
      } else if (lent !== null) buffers.giveBack(lent);
      this.#isReading = false;
      if (this.#isOver) return this.#release();
      if (error !== null) return this.fail(error.message);
      if (count === 0) return this.fail(`the file ended ${left} bytes early`);
      this.go();
    };
    if (lent === null || !this.#isCached || this.#inARow >= IN_A_ROW) {
      this.#inARow = 0;
      read(this.#descriptor, buffer, 0, wanted, from, (error, count) => {
        this.#isCached = error === null && performance.now() > slowUntil;
        done(error, count);
      });
      return;
    }
    this.#inARow++;
    const begun = performance.now();
    let count = 0;
    let failure: Error | null = null;
    try {
      count = readSync(this.#descriptor, buffer, 0, wanted, from);
    } catch (error) {
      failure = error as Error;
    }
    const ended = performance.now();
    if (ended - begun > SLOW_READ_MS) {
      this.#isCached = false;
      slowUntil = ended + WARY_MS;
    }
    done(failure, count);
  }

  #give(piece: Piece): void {
    if (this.#untaken.length === 0) this.#writtenAt = performance.now();
    this.#untaken.push(piece);
    this.#exchange.write(piece.bytes === piece.buffer.length ? piece.buffer : piece.buffer.subarray(0, piece.bytes));
  }

  /** The client has taken so many bytes. */
  #sent(bytes: number): void {
    this.#taken += bytes;
    let piece = this.#untaken[0];
    while (piece !== undefined && this.#taken >= piece.bytes) {
      this.#taken -= piece.bytes;
      this.#untaken.shift();
      if (piece.isLent) {
        if (this.#isOver) buffers.reserve(piece.buffer);
        else buffers.giveBack(piece.buffer);
      }
      const now = performance.now();
      this.#isQuick = now - this.#writtenAt < QUICK_MS;
      this.#writtenAt = now;
      piece = this.#untaken[0];
    }
    if (this.#descriptor >= 0) this.go();
  }

  /** Closes the descriptor, unless somebody is still reading from it. */
  #release(): void {
    if (this.#descriptor < 0 || this.#isReading || this.#isSentAlone) return;
    close(this.#descriptor, () => {});
    this.#descriptor = -1;
  }
}
