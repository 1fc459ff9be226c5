/**
 * The sending side of an HTTP/2 session: responses through the client's windows (RFC 9113 section 5.2), streams in turn, a frame each.
 * Pure: frames go into the writer, which the connection empties.
 *
 * Bound: DATA is only written while the socket takes it (`isBlocked`); what waits is the stream's queue, which its response's credit bounds.
 */
import { FRAME_BYTES, FrameWriter } from "./frame-writer.ts";
import type { Http2StreamState } from "./stream.ts";

const DEFAULT_WINDOW = 65_535;
const LARGEST_WINDOW = 0x7fff_ffff;
/** DATA is written up to here before the socket is asked whether it takes it. */
const OUTPUT_BYTES = 262_144;

export class Outflow {
  readonly writer: FrameWriter = new FrameWriter();
  /** Window of a new stream: the client's SETTINGS_INITIAL_WINDOW_SIZE. */
  initialWindow: number = DEFAULT_WINDOW;
  /** The socket takes nothing at the moment. */
  isBlocked = false;
  readonly #onEnded: (stream: Http2StreamState) => void;
  #window = DEFAULT_WINDOW;
  /** Streams that have something to send and a window to send it in. */
  #line: Http2StreamState[] = [];
  #sentFrames = 0;

  constructor(onEnded: (stream: Http2StreamState) => void) {
    this.#onEnded = onEnded;
  }

  /** Frames sent for requests since the last call. */
  takeSentFrames(): number {
    const frames = this.#sentFrames;
    this.#sentFrames = 0;
    return frames;
  }

  /** A head, or an informational one. */
  head(stream: Http2StreamState, flat: readonly string[], endStream: boolean): void {
    if (stream.isClosed) return;
    this.#sentFrames++;
    this.writer.section(stream.id, flat, endStream);
    if (endStream) this.#ended(stream);
  }

  /** A whole response that has a body, not an empty one. As a string it is latin-1. Hot: what fits goes out at once. */
  complete(stream: Http2StreamState, flat: readonly string[], body: string | Buffer): void {
    if (stream.isClosed) return;
    this.#sentFrames += 2;
    this.writer.section(stream.id, flat, false);
    const { length } = body;
    if (length <= FRAME_BYTES && length <= this.#window && length <= stream.sendWindow && !this.isBlocked) {
      this.#window -= length;
      this.writer.data(stream.id, body, true);
      this.#ended(stream);
      return;
    }
    stream.endsWithQueue = true;
    this.data(stream, typeof body === "string" ? Buffer.from(body, "latin1") : body);
  }

  data(stream: Http2StreamState, piece: Buffer): void {
    if (stream.isClosed) return;
    stream.queue.push(piece);
    stream.queuedBytes += piece.length;
    this.#join(stream);
    this.pump();
  }

  /** The response ends with what is in the queue. */
  end(stream: Http2StreamState, trailers: readonly string[] | null): void {
    if (stream.isClosed) return;
    stream.endsWithQueue = true;
    stream.trailers = trailers;
    if (stream.queue.length === 0) this.#finish(stream);
  }

  /** `pump` would send more as soon as the writer is emptied. */
  get isWaiting(): boolean {
    return this.#line.length > 0 && !this.isBlocked && this.#window > 0;
  }

  /** Sends what the windows and the socket allow. */
  pump(): void {
    while (this.isWaiting && this.writer.size < OUTPUT_BYTES) {
      const turn = this.#line;
      this.#line = [];
      for (const stream of turn) {
        stream.isInLine = false;
        if (stream.isClosed) continue;
        if (this.#window > 0) this.#sendOne(stream);
        if (!stream.isClosed) this.#join(stream);
      }
    }
  }

  /** False where the window would be beyond what it may be. */
  grantConnection(increment: number): boolean {
    this.#window += increment;
    if (this.#window > LARGEST_WINDOW) return false;
    this.pump();
    return true;
  }

  grant(stream: Http2StreamState, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > LARGEST_WINDOW) return false;
    this.#join(stream);
    this.pump();
    return true;
  }

  /** Section 6.9.2: a new initial window moves the windows of all streams, also below zero. */
  resizeWindows(initial: number, streams: Iterable<Http2StreamState>): boolean {
    const change = initial - this.initialWindow;
    this.initialWindow = initial;
    for (const stream of streams) {
      stream.sendWindow += change;
      if (stream.sendWindow > LARGEST_WINDOW) return false;
      this.#join(stream);
    }
    return true;
  }

  // Private

  #join(stream: Http2StreamState): void {
    if (stream.isInLine || stream.queue.length === 0 || stream.sendWindow <= 0) return;
    stream.isInLine = true;
    this.#line.push(stream);
  }

  /** One frame of what waits. */
  #sendOne(stream: Http2StreamState): void {
    const first = stream.queue[0]!;
    const length = Math.min(first.length - stream.offset, FRAME_BYTES, this.#window, stream.sendWindow);
    const piece = length === first.length ? first : first.subarray(stream.offset, stream.offset + length);
    const isWhole = stream.offset + length === first.length;
    const isLast = isWhole && stream.queue.length === 1 && stream.endsWithQueue;
    this.#window -= length;
    stream.sendWindow -= length;
    stream.queuedBytes -= length;
    stream.sent += length;
    this.#sentFrames++;
    this.writer.data(stream.id, piece, isLast && stream.trailers === null);
    if (isWhole) {
      stream.queue.shift();
      stream.offset = 0;
    } else stream.offset += length;
    stream.handler?.onTaken(length);
    if (!isLast || stream.isClosed) return;
    if (stream.trailers !== null) this.writer.section(stream.id, stream.trailers, true);
    this.#ended(stream);
  }

  #finish(stream: Http2StreamState): void {
    if (stream.trailers !== null) this.writer.section(stream.id, stream.trailers, true);
    else this.writer.data(stream.id, "", true);
    this.#ended(stream);
  }

  #ended(stream: Http2StreamState): void {
    stream.isLocalEnded = true;
    this.#onEnded(stream);
  }
}
