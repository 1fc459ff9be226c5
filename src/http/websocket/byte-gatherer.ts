/** Joins pieces of any size in one buffer that grows by doubling, so that a message sent byte by byte costs no object per byte. */

const FIRST_BYTES = 256;
const NOTHING: Buffer = Buffer.alloc(0);

export class ByteGatherer {
  #bytes: Buffer = NOTHING;
  size = 0;

  /** Copies the piece. */
  add(piece: Uint8Array): void {
    const needed = this.size + piece.length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, FIRST_BYTES));
      this.#bytes.copy(larger, 0, 0, this.size);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.size);
    this.size = needed;
  }

  /** What was gathered; the gatherer is empty again and keeps no memory. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.size);
    this.#bytes = NOTHING;
    this.size = 0;
    return taken;
  }
}
