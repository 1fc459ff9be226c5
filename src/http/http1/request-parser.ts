/**
 * HTTP/1.x requests out of bytes (RFC 9112), strictly: what two parsers could read in two ways is refused, never repaired.
 * Bytes in through `push`, events out through the handler, called synchronously; no socket, no clock.
 *
 *      ┌──────────────────────── next() ────────────────────────────┐
 *      ▼                                                            │
 *     head ──▶ length ─────────────────────────────▶ ending ──▶ between
 *       ├────▶ chunk-line ⇄ chunk-data, chunk-end      ▲
 *       │          └──────▶ trailer ───────────────────┤
 *       └──────────────────────────────────────────────┘       any ──▶ dead (error or detach)
 *
 * Invariants: the events depend on the bytes alone, not on how they were split (but for the cuts between onBody chunks). Between two
 * requests nothing is parsed until `next()`; who pushes meanwhile watches `buffered`. The parser never recurses: `next()` and `push()`
 * called from a handler leave the work to the loop that is running.
 */
import { GLIMPSED_BYTES } from "../glimpse.ts";
import type { RequestHead } from "../request-head.ts";
import { ChunkLine } from "./chunk-line.ts";
import { trailerError } from "./field-section.ts";
import { HeadReader } from "./head-reader.ts";
import { type HeadLimits, effectiveLimits } from "./head-limits.ts";
import { LineScanner } from "./line-scanner.ts";
import { ProtocolError, badRequest } from "./protocol-error.ts";

export { ProtocolError };
export type { HeadLimits };

/** What the parser tells. It may call `push`, `next`, `detach` and `reset` from inside any of these. */
export interface RequestHandler {
  onHead(head: RequestHead): void;
  /** A piece of the decoded body: a view into the bytes pushed, not a copy. */
  onBody(chunk: Buffer): void;
  /** The request is complete; the following one waits for `next()`. */
  onEnd(): void;
  /** The last event there will be. The connection must be closed after the answer. */
  onError(error: ProtocolError): void;
}

type State = "head" | "length" | "chunk-line" | "chunk-data" | "chunk-end" | "trailer" | "ending" | "between" | "dead";

const CR = 13;
const LF = 10;
const TLS_HANDSHAKE = 0x16;
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");
const NOTHING: Buffer = Buffer.alloc(0);

/** RFC 9112 section 2.2 asks to ignore at least one empty line before a request; old clients send one after a body. */
const EMPTY_LINES = 2;

export class RequestParser {
  readonly #limits: HeadLimits;
  readonly #handler: RequestHandler;
  readonly #scanner: LineScanner;
  readonly #headReader: HeadReader;
  readonly #chunkLine: ChunkLine = new ChunkLine();
  #state: State = "head";
  #isRunning = false;
  /** `next()` was called before the request's end. */
  #isAnswered = false;

  /** The bytes being parsed, from `#position` on; those that came later wait in `#later`. */
  #input: Buffer = NOTHING;
  #position = 0;
  #later: Buffer[] = [];
  #laterBytes = 0;

  /** Head or trailer section under way that did not arrive whole: the first `#partialBytes` bytes of `#partial`. */
  #partial: Buffer = NOTHING;
  #partialBytes = 0;
  #emptyLines = 0;
  #isAfterCr = false;
  /** The beginning of the head that was refused. */
  #refused = "";
  /** Bytes of the body, or of the chunk, still to come; in `chunk-end`, how many of its two bytes. */
  #remaining = 0;

  constructor(limits: HeadLimits, handler: RequestHandler) {
    this.#limits = effectiveLimits(limits);
    this.#handler = handler;
    this.#scanner = new LineScanner(this.#limits);
    this.#scanner.start(0);
    this.#headReader = new HeadReader(this.#limits);
  }

  /** Bytes received and not yet told: an incomplete head, or what arrived after the request under way. Bounded only by who pushes. */
  get buffered(): number {
    return this.#partialBytes + this.#input.length - this.#position + this.#laterBytes;
  }

  /** The beginning of the head that is under way or was refused, as latin-1: for telling the client so, in its own terms. */
  get begun(): string {
    return this.#state === "head"
      ? this.#partial.toString("latin1", 0, Math.min(this.#partialBytes, GLIMPSED_BYTES))
      : this.#refused;
  }

  /** Nothing of a next request has been received: the connection may be closed without loss. */
  get isIdle(): boolean {
    return (this.#state === "head" || this.#state === "between") && this.buffered === 0;
  }

  /** Takes bytes from the connection. The parser keeps views of them; who overwrites them afterwards calls `keepOwn` first. */
  push(chunk: Buffer): void {
    if (this.#state === "dead" || chunk.length === 0) return;
    if (this.#position === this.#input.length && this.#later.length === 0) {
      this.#input = chunk;
      this.#position = 0;
    } else {
      this.#later.push(chunk);
      this.#laterBytes += chunk.length;
    }
    this.#run();
  }

  /** The bytes pushed last were only lent: what is not parsed of them is copied. */
  keepOwn(): void {
    const last = this.#later.length - 1;
    if (last >= 0) this.#later[last] = Buffer.from(this.#later[last]!);
    else if (this.#position < this.#input.length) {
      this.#input = Buffer.from(this.#input.subarray(this.#position));
      this.#position = 0;
    } else {
      this.#input = NOTHING;
      this.#position = 0;
    }
  }

  /**
   * The request is answered: go on with the one after it. Called before the request's end (an answer may be quicker than the body) it is
   * remembered; called while no request is under way it does nothing.
   */
  next(): void {
    if (this.#state === "between") {
      this.#expectHead();
      this.#run();
    } else if (this.#state !== "head" && this.#state !== "dead") this.#isAnswered = true;
  }

  /** Gives back every byte not parsed, for another protocol to read (RFC 9110 section 7.8), and ignores all further ones. */
  detach(): Buffer {
    const rest = Buffer.concat([
      this.#partial.subarray(0, this.#partialBytes),
      this.#input.subarray(this.#position),
      ...this.#later,
    ]);
    this.#die();
    return rest;
  }

  /** Forgets everything received, as for a new connection. */
  reset(): void {
    this.#die();
    this.#expectHead();
  }

  // Private

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#state !== "between" && this.#state !== "dead") {
        if (this.#state === "ending") {
          this.#end();
          continue;
        }
        if (this.#position === this.#input.length && !this.#takeLater()) break;
        switch (this.#state) {
          case "head":
            this.#readHead();
            break;
          case "length":
          case "chunk-data":
            this.#readBody();
            break;
          case "chunk-line":
            this.#readChunkLine();
            break;
          case "chunk-end":
            this.#readChunkEnd();
            break;
          case "trailer":
            this.#readTrailer();
            break;
        }
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #takeLater(): boolean {
    const chunk = this.#later.shift();
    // An idle connection keeps no hold on the memory of what it sent.
    this.#input = chunk ?? NOTHING;
    this.#position = 0;
    if (chunk === undefined) return false;
    this.#laterBytes -= chunk.length;
    return true;
  }

  #readHead(): void {
    const input = this.#input;
    if (this.#scanner.total === 0) {
      const first = input[this.#position]!;
      if (this.#isAfterCr || first === CR || first === LF) return this.#skipEmptyLine(first);
      if (first === TLS_HANDSHAKE) return this.#fail(TLS);
      const start = this.#position;
      const end = input.indexOf(HEAD_END, start);
      if (end !== -1 && end + 4 - start <= this.#limits.headBytes) {
        this.#position = end + 4;
        return this.#parseHead(input, start, end + 2);
      }
    }
    if (!this.#gather()) return;
    const { partial, length } = this.#takePartial();
    this.#parseHead(partial, 0, length - 2);
  }

  /** Scans on to the end of the section and copies what it scanned. True where the section is complete in `#partial`. */
  #gather(): boolean {
    const end = this.#scanner.scan(this.#input, this.#position);
    if (this.#scanner.fault !== null) {
      this.#refuseHead(
        Buffer.concat([
          this.#partial.subarray(0, Math.min(this.#partialBytes, GLIMPSED_BYTES)),
          this.#input.subarray(this.#position, this.#position + GLIMPSED_BYTES),
        ]),
        this.#scanner.fault,
      );
      return false;
    }
    const stop = end === -1 ? this.#input.length : end;
    const needed = this.#partialBytes + stop - this.#position;
    if (needed > this.#partial.length) {
      // Doubling: a head sent byte by byte costs copies in proportion to its size, not to its square.
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, needed, this.#partial.length * 2));
      this.#partial.copy(larger, 0, 0, this.#partialBytes);
      this.#partial = larger;
    }
    this.#input.copy(this.#partial, this.#partialBytes, this.#position, stop);
    this.#partialBytes = needed;
    this.#position = stop;
    return end !== -1;
  }

  #takePartial(): { readonly partial: Buffer; readonly length: number } {
    const taken = { partial: this.#partial, length: this.#partialBytes };
    this.#partial = NOTHING;
    this.#partialBytes = 0;
    return taken;
  }

  #skipEmptyLine(byte: number): void {
    this.#position++;
    if (!this.#isAfterCr) {
      if (byte === LF) return this.#fail(BARE_LF_BEFORE_REQUEST);
      if (++this.#emptyLines > EMPTY_LINES) return this.#fail(TOO_MANY_EMPTY_LINES);
      this.#isAfterCr = true;
    } else if (byte === LF) this.#isAfterCr = false;
    else this.#fail(BARE_CR_BEFORE_REQUEST);
  }

  /** `end` is after the CRLF of the last line that is not empty. */
  #parseHead(bytes: Buffer, start: number, end: number): void {
    const head = this.#headReader.read(bytes, start, end);
    if (head instanceof ProtocolError) {
      // The scanner's verdict goes first: it is the one a head in pieces would have met.
      this.#scanner.start(0);
      this.#scanner.scan(bytes.subarray(start, end), 0);
      return this.#refuseHead(bytes.subarray(start, end), this.#scanner.fault ?? head);
    }
    if (head.framing === "none") this.#state = "ending";
    else if (head.framing === "length") {
      this.#state = "length";
      this.#remaining = head.contentLength;
    } else {
      this.#state = "chunk-line";
      this.#chunkLine.startBody();
    }
    this.#handler.onHead(head);
  }

  #readBody(): void {
    const available = this.#input.length - this.#position;
    const length = Math.min(available, this.#remaining);
    const chunk =
      length === this.#input.length ? this.#input : this.#input.subarray(this.#position, this.#position + length);
    this.#position += length;
    this.#remaining -= length;
    if (this.#remaining === 0) {
      if (this.#state === "length") this.#state = "ending";
      else {
        this.#state = "chunk-end";
        this.#remaining = 2;
      }
    }
    this.#handler.onBody(chunk);
  }

  #readChunkLine(): void {
    const end = this.#chunkLine.read(this.#input, this.#position);
    if (this.#chunkLine.fault !== null) return this.#fail(this.#chunkLine.fault);
    this.#position = end === -1 ? this.#input.length : end;
    if (end === -1) return;
    this.#remaining = this.#chunkLine.size;
    this.#chunkLine.startLine();
    if (this.#remaining > 0) {
      this.#state = "chunk-data";
      return;
    }
    this.#state = "trailer";
    this.#scanner.start(1);
  }

  #readChunkEnd(): void {
    const byte = this.#input[this.#position++];
    if (byte !== (this.#remaining === 2 ? CR : LF)) return this.#fail(UNTERMINATED_CHUNK);
    if (--this.#remaining === 0) this.#state = "chunk-line";
  }

  #readTrailer(): void {
    // Nearly always the section is empty.
    if (this.#scanner.total === 0 && this.#input[this.#position] === CR && this.#input[this.#position + 1] === LF) {
      this.#position += 2;
      this.#state = "ending";
      return;
    }
    if (!this.#gather()) return;
    const { partial, length } = this.#takePartial();
    const error = trailerError(partial.toString("latin1", 0, length - 2), this.#limits);
    if (error !== null) return this.#fail(error);
    this.#state = "ending";
  }

  #end(): void {
    this.#state = "between";
    this.#handler.onEnd();
    if (this.#isAnswered && this.#state === "between") this.#expectHead();
  }

  #expectHead(): void {
    this.#state = "head";
    this.#isAnswered = false;
    this.#scanner.start(0);
    this.#emptyLines = 0;
    this.#isAfterCr = false;
  }

  /** Of trailers too; nobody asks for the beginning of these. */
  #refuseHead(begun: Buffer, error: ProtocolError): void {
    this.#refused = begun.toString("latin1", 0, GLIMPSED_BYTES);
    this.#fail(error);
  }

  #fail(error: ProtocolError): void {
    this.#die();
    this.#handler.onError(error);
  }

  #die(): void {
    this.#state = "dead";
    this.#input = NOTHING;
    this.#position = 0;
    this.#later = [];
    this.#laterBytes = 0;
    this.#partial = NOTHING;
    this.#partialBytes = 0;
  }
}

const TLS = badRequest("MAITRED_TLS_ON_PLAIN_PORT", "the client speaks TLS to a port that serves plain HTTP");
const BARE_LF_BEFORE_REQUEST = badRequest("MAITRED_BARE_LF", "an LF without CR stands before the request line");
const BARE_CR_BEFORE_REQUEST = badRequest("MAITRED_BARE_CR", "a CR without LF stands before the request line");
const TOO_MANY_EMPTY_LINES = badRequest(
  "MAITRED_EMPTY_LINES",
  "more than two empty lines stand before the request line",
);
const UNTERMINATED_CHUNK = badRequest("MAITRED_UNTERMINATED_CHUNK", "a chunk is longer or shorter than its size says");
