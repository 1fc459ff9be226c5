/**
 * A stream of bytes both ways as a client connection or a worker's seat uses it, and two ways to have one.
 *
 * `SocketStream` stands on any Duplex. `DirectStream` stands on the handle below a `net.Socket` or `tls.TLSSocket`: node's stream layer costs
 * more per request than parsing and answering it (docs/decisions/0008), and we need little of it: one read buffer shared by all streams, one
 * write at a time that the kernel nearly always takes whole.
 */
import type { Duplex } from "node:stream";

/** Hears what the other side does. */
export interface StreamListener {
  /** Bytes have come. `isShared`: they are only valid during the call. */
  onBytes(chunk: Buffer, isShared: boolean): void;
  /** The other side's FIN: no more bytes. */
  onFin(): void;
  /** `isBehind` is over. */
  onCaughtUp?(): void;
  /** The stream is closed, by whomever. Last, and once. */
  onClosed(): void;
}

/** More than this waits for the other side to take it: whoever writes more should wait too. */
export const BEHIND_BYTES = 65_536;

/** A socket that another process writes to meanwhile. */
export interface Loan {
  /** Bytes that it has still to write, as far as it has told. */
  readonly left: number;
  /** The connection is being destroyed: it is to stop. */
  stop(): void;
}

/** Lends the socket with this handle. `returned` is called once, and later: it is no longer lent. */
export type Lending = (handle: object, returned: () => void) => Loan;

export interface ByteStream {
  /** The bytes of a latin-1 string. */
  writeText(text: string): void;
  /** Bytes that nobody changes until `sent` is called: the kernel has them then. It may be called before this returns. */
  writeBytes(bytes: Buffer, sent: (() => void) | null): void;
  /** From here to `uncork` writes are gathered into one. Not nested. */
  cork(): void;
  uncork(): void;
  /** Bytes written that the kernel has not taken yet, corked ones apart. */
  readonly unsent: number;
  /** The other side does not take what is written; `onCaughtUp` tells when it has. */
  readonly isBehind: boolean;
  readonly isPaused: boolean;
  /** Stops reading; what the other side sends waits in the kernel. */
  pause(): void;
  resume(): void;
  /** From now on another one hears what the other side does. */
  handTo(listener: StreamListener): void;
  /** Our FIN, after all that was written; then `done`. */
  end(done: () => void): void;
  destroy(): void;
  /** Lends the socket, so that another process writes to it; what is written here meanwhile waits. False where that cannot be now. */
  lend?(lending: Lending): boolean;
}

/** A ByteStream on any Duplex. */
export class SocketStream implements ByteStream {
  readonly #socket: Duplex;
  #listener: StreamListener;

  constructor(socket: Duplex, listener: StreamListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on("data", (chunk: Buffer) => this.#listener.onBytes(chunk, false));
    socket.on("end", () => this.#listener.onFin());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#listener.onClosed());
    socket.on("drain", () => this.#listener.onCaughtUp?.());
    socket.resume();
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get isBehind(): boolean {
    return this.#socket.writableLength > BEHIND_BYTES && this.#socket.writableNeedDrain;
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  writeText(text: string): void {
    this.#socket.write(text, "latin1");
  }

  writeBytes(bytes: Buffer, sent: (() => void) | null): void {
    if (sent === null) this.#socket.write(bytes);
    else this.#socket.write(bytes, sent);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  handTo(listener: StreamListener): void {
    this.#listener = listener;
  }

  end(done: () => void): void {
    this.#socket.end(done);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
