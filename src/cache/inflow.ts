/**
 * The body of a response on its way into the cache, and on to several clients at once. Its bytes are taken as they come, up to what may be stored;
 * beyond that they are kept no longer, and the app is given credit for what the slowest of the clients has taken.
 */
import type { Exchange } from "../http/exchange.ts";

export class Inflow {
  /** What came, for who comes later; empty once it has outgrown the cache. */
  chunks: readonly Buffer[] = [];
  /** It is too large to be stored. */
  isOutgrown = false;
  readonly #limitBytes: number;
  /** What Content-Length says; -1 where there is none. */
  readonly promised: number;
  #kept: Buffer[] = [];
  #bytes = 0;
  #credited = 0;
  readonly #taken = new Map<Exchange, number>();
  #credit: (bytes: number) => void = () => {};

  constructor(limitBytes: number, promised: number) {
    this.#limitBytes = limitBytes;
    this.promised = promised;
    this.chunks = this.#kept;
  }

  /** All of it has come, and is here. */
  get isWhole(): boolean {
    return !this.isOutgrown && (this.promised === -1 || this.promised === this.#bytes);
  }

  get body(): Buffer {
    return Buffer.concat(this.#kept, this.#bytes);
  }

  /** Returns true for the piece with which it has outgrown the cache. */
  add(chunk: Buffer, credit: (bytes: number) => void): boolean {
    this.#bytes += chunk.length;
    if (this.isOutgrown) return false;
    if (this.#bytes <= this.#limitBytes) {
      this.#kept.push(chunk);
      this.#credited += chunk.length;
      credit(chunk.length);
      return false;
    }
    this.isOutgrown = true;
    this.chunks = this.#kept = [];
    this.#credit = credit;
    this.#tell();
    return true;
  }

  /** One more takes it, from its beginning. Returns what is to be told of the bytes that it has taken. */
  join(exchange: Exchange): (bytes: number) => void {
    this.#taken.set(exchange, 0);
    return (bytes) => {
      const taken = this.#taken.get(exchange);
      if (taken === undefined) return;
      this.#taken.set(exchange, taken + bytes);
      this.#tell();
    };
  }

  left(exchange: Exchange): void {
    if (this.#taken.delete(exchange)) this.#tell();
  }

  #tell(): void {
    if (!this.isOutgrown || this.#taken.size === 0) return;
    const bytes = Math.min(...this.#taken.values()) - this.#credited;
    if (bytes <= 0) return;
    this.#credited += bytes;
    this.#credit(bytes);
  }
}
