/**
 * A file as the body of a response that has begun (PROTOCOL.md, FILE): read here, so that the worker is free for its next request at once.
 *
 * One piece is read while the client takes the other, so memory is bounded and a slow client is waited for. Each has a buffer of its own: that bytes
 * have gone on (`onSent`) does not say that nobody holds them any more, HTTP/2 frames wait for the kernel. It owns the descriptor and closes it
 * when all is sent, when the client has left, or when the file gives less than was promised: the response is cut then.
 */
import { close, constants, fstat, open, read } from "node:fs";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";

const PIECE_BYTES = 131_072;
/** Not blocking: a pipe in the file's place must not hold a thread until somebody writes to it. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Sends the file at `path`. `failed` hears why it could not be sent whole; the client's connection has been cut then. */
export function sendFile(exchange: Exchange, path: Buffer, failed: (reason: string) => void): void {
  if (exchange.state !== "streaming") return; // the client has left
  new FileSender(exchange, path, failed).open();
}

class FileSender {
  readonly #exchange: Exchange;
  readonly #path: Buffer;
  readonly #failed: (reason: string) => void;
  #descriptor = -1;
  /** Bytes of the file to read; what it has at the beginning, or what Content-Length says. */
  #left = 0;
  /** Given to the client and not taken yet: two pieces at most. */
  #untaken = 0;
  #isReading = false;
  #isOver = false;

  constructor(exchange: Exchange, path: Buffer, failed: (reason: string) => void) {
    this.#exchange = exchange;
    this.#path = path;
    this.#failed = failed;
  }

  open(): void {
    // The seat has nothing to do with it any more: the id is another request's.
    this.#exchange.onGone = () => this.#close();
    this.#exchange.onSent = (bytes) => this.#sent(bytes);
    open(this.#path, FLAGS, (error, descriptor) => {
      if (error !== null) return this.#fail(error.message);
      this.#descriptor = descriptor;
      if (this.#isOver) return this.#release();
      fstat(descriptor, (failure, stats) => {
        if (failure !== null) return this.#fail(failure.message);
        if (!stats.isFile()) return this.#fail("not a regular file");
        const promised = this.#exchange.responseFields?.contentLength ?? -1;
        this.#left = promised < 0 ? stats.size : promised;
        this.#read();
      });
    });
  }

  // Private

  #read(): void {
    if (this.#isOver || this.#isReading) return;
    if (this.#left === 0) {
      this.#close();
      return this.#exchange.end();
    }
    if (this.#untaken > PIECE_BYTES) return;
    this.#isReading = true;
    const piece = Buffer.allocUnsafeSlow(Math.min(this.#left, PIECE_BYTES));
    read(this.#descriptor, piece, 0, piece.length, null, (error, count) => {
      if (error === null && count > 0 && !this.#isOver) {
        this.#left -= count;
        this.#untaken += count;
        // Still "reading": the sink may say "taken" in the midst of this, and must not be told to end there.
        this.#exchange.write(piece.subarray(0, count));
      }
      this.#isReading = false;
      if (this.#isOver) return this.#release();
      if (error !== null) return this.#fail(error.message);
      if (count === 0) return this.#fail(`the file ended ${this.#left} bytes early`);
      this.#read();
    });
  }

  /** The client has taken so many bytes. */
  #sent(bytes: number): void {
    this.#untaken -= bytes;
    if (this.#descriptor >= 0) this.#read();
  }

  #fail(reason: string): void {
    if (!this.#isOver) {
      this.#failed(`cannot send the file ${JSON.stringify(this.#path.toString())}: ${reason}`);
      this.#close();
      answerError(this.#exchange, 500);
    } else this.#release();
  }

  #close(): void {
    this.#isOver = true;
    this.#release();
  }

  /** Closes the descriptor, unless a thread is still reading from it. */
  #release(): void {
    if (this.#descriptor < 0 || this.#isReading) return;
    close(this.#descriptor, () => {});
    this.#descriptor = -1;
  }
}
