/**
 * A request's body on its way from the client to the app, where it is not complete when the app gets the request: a bounded pipe.
 *
 * The edge pushes, the seat takes. Bound: the edge stops reading the client's socket at HIGH_WATER bytes waiting here and goes on when the
 * seat has taken them (`onTaken`); one read's worth may stand above it.
 */

/** Bytes that may wait here before the client's socket is paused. */
export const HIGH_WATER = 262_144;

export class RequestBody {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  /** The consumer has asked for it, which a client that expects 100 Continue waits for. */
  isWanted = false;
  /** The consumer: called when bytes or the end have arrived. */
  onReadable: (() => void) | null = null;
  /** The producer: called when bytes were taken. */
  onTaken: (() => void) | null = null;
  /** The producer: called when the consumer first asks for the body (the moment for 100 Continue). */
  onWanted: (() => void) | null = null;

  /** Bytes waiting. */
  get size(): number {
    return this.#bytes;
  }

  /** The last byte has been pushed (it may still wait here). */
  get isEnded(): boolean {
    return this.#ended;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.onReadable?.();
  }

  end(): void {
    this.#ended = true;
    this.onReadable?.();
  }

  /** Takes at most `limit` bytes, as the chunks they came in; an empty list where none wait. */
  take(limit: number): Buffer[] {
    const taken: Buffer[] = [];
    let left = limit;
    while (left > 0 && this.#chunks.length > 0) {
      const first = this.#chunks[0]!;
      if (first.length <= left) {
        taken.push(first);
        this.#chunks.shift();
        left -= first.length;
      } else {
        taken.push(first.subarray(0, left));
        this.#chunks[0] = first.subarray(left);
        left = 0;
      }
    }
    this.#bytes -= limit - left;
    if (taken.length > 0) this.onTaken?.();
    return taken;
  }

  /** Undoes a `take`: these bytes wait again, before all others. */
  putBack(chunks: readonly Buffer[]): void {
    this.#chunks.unshift(...chunks);
    for (const chunk of chunks) this.#bytes += chunk.length;
  }
}

/** The body of a request that has none. */
export const EMPTY_BODY: Buffer = Buffer.alloc(0);
