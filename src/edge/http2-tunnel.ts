/**
 * A stream of HTTP/2 as a stream of bytes: DATA carries what a TCP connection would, END_STREAM is the FIN, RST_STREAM the reset (RFC 8441 section 5).
 *
 * Flow control is the stream's: while it is paused nothing is credited to the client, and what the client's window holds back is not sent. What
 * comes before somebody listens waits here; the stream's first window bounds it.
 */
import { ErrorCode } from "../http/http2/errors.ts";
import type { Http2StreamState } from "../http/http2/stream.ts";
import { BEHIND_BYTES, type ByteStream, type StreamListener } from "../streams/byte-stream.ts";
import type { Http2Connection } from "./http2-connection.ts";

/** A write that the client has not taken whole. */
interface Write {
  /** Of all bytes ever written, where its last one stands. */
  readonly end: number;
  readonly sent: () => void;
}

export class Http2Tunnel implements ByteStream {
  readonly #state: Http2StreamState;
  readonly #connection: Http2Connection;
  #listener: StreamListener | null = null;
  #early: Buffer[] = [];
  isPaused = false;
  /** Received and not credited to the client. */
  #heldBytes = 0;
  #writes: Write[] = [];
  #writtenBytes = 0;
  #takenBytes = 0;

  constructor(state: Http2StreamState, connection: Http2Connection) {
    this.#state = state;
    this.#connection = connection;
  }

  // --- from the client

  onData(chunk: Buffer): void {
    const { length } = chunk;
    // Copied: it outlives the read whose buffer it stands in.
    if (this.#listener === null) this.#early.push(Buffer.from(chunk));
    else this.#listener.onBytes(chunk, true);
    if (this.#listener === null || this.isPaused) this.#heldBytes += length;
    else this.#connection.session.consume(this.#state, length);
  }

  onEnd(): void {
    this.#listener?.onFin();
  }

  onReset(): void {
    this.#writes = [];
    this.#listener?.onClosed();
  }

  onTaken(bytes: number): void {
    this.#takenBytes += bytes;
    while (this.#writes.length > 0 && this.#writes[0]!.end <= this.#takenBytes) this.#writes.shift()!.sent();
  }

  // --- to the client

  get unsent(): number {
    return this.#state.queuedBytes;
  }

  get isBehind(): boolean {
    return this.unsent > BEHIND_BYTES;
  }

  writeText(text: string): void {
    this.writeBytes(Buffer.from(text, "latin1"), null);
  }

  writeBytes(bytes: Buffer, sent: (() => void) | null): void {
    if (this.#state.isClosed || bytes.length === 0) return;
    this.#writtenBytes += bytes.length;
    // Before the bytes: they may be taken at once.
    if (sent !== null) this.#writes.push({ end: this.#writtenBytes, sent });
    this.#connection.session.out.data(this.#state, bytes);
    this.#connection.touch();
  }

  /** The connection writes the frames of a turn together. */
  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    if (this.#listener === null || this.#heldBytes === 0) return;
    this.#connection.session.consume(this.#state, this.#heldBytes);
    this.#heldBytes = 0;
    this.#connection.touch();
  }

  handTo(listener: StreamListener): void {
    this.#listener = listener;
    for (const chunk of this.#early.splice(0)) listener.onBytes(chunk, false);
    if (!this.isPaused) this.resume();
  }

  /** `done` is only called where nothing waits for the client's window: a stream that both sides have ended needs nobody to close it. */
  end(done: () => void): void {
    this.#connection.session.out.end(this.#state, null);
    this.#connection.touch();
    if (this.#state.isLocalEnded) done();
  }

  destroy(): void {
    const { isClosed, isLocalEnded, isRemoteEnded } = this.#state;
    // What both sides have ended the session closes.
    if (isClosed || (isLocalEnded && isRemoteEnded)) return;
    this.#connection.session.reset(this.#state, ErrorCode.cancel);
    this.#connection.touch();
    this.onReset();
  }
}
