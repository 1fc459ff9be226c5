/**
 * Buffers that pieces of bodies are read or copied into, used again and again: fresh ones of this size cost more than the copying, since the kernel
 * has to give and clear their pages. Bounded in number over all clients; who gets none takes one of its own.
 */

export const LARGE_BYTES = 262_144;

export class PieceBuffers {
  readonly #mostLent: number;
  readonly #mostSpare: number;
  readonly #spare: Buffer[] = [];
  #lent = 0;

  constructor(mostLent: number, mostSpare: number) {
    this.#mostLent = mostLent;
    this.#mostSpare = mostSpare;
  }

  take(): Buffer | null {
    if (this.#lent >= this.#mostLent) return null;
    this.#lent++;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
  }

  /** Nobody reads it any more. */
  giveBack(buffer: Buffer): void {
    this.#lent--;
    this.reserve(buffer);
  }

  /** It is not counted any more: its client may never say that it has taken it. */
  letGo(): void {
    this.#lent--;
  }

  /** Nobody reads one that was let go any more. */
  reserve(buffer: Buffer): void {
    if (this.#spare.length < this.#mostSpare) this.#spare.push(buffer);
  }
}

/**
 * Over all clients. Each one that reads slowly keeps a buffer until it has read it; when those are all, every piece of everybody else is a fresh one, and
 * V8 collects garbage for as many megabytes of them as it sees.
 */
export const pieceBuffers: PieceBuffers = new PieceBuffers(256, 16);
