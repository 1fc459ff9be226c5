/**
 * The body of a response on its way into the cache, and on to several clients at once. Its bytes are taken as they come, up to what may be stored;
 * beyond that they are kept no longer, and the app is given credit for what the slowest of the clients has taken.
 */
import type { Exchange } from "../http/exchange.ts";

/** Bytes of all bodies on their way into one cache: what would be more is not kept. */
export interface InflowBudget {
  readonly limitBytes: number;
  usedBytes: number;
}

export class Inflow {
  /** What came, for who comes later; empty once it has outgrown the cache. */
  chunks: readonly Buffer[] = [];
  /** It is too large to be stored. */
  isOutgrown = false;
  readonly #limitBytes: number;
  readonly #budget: InflowBudget;
  /** What Content-Length says; -1 where there is none. */
  readonly promised: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #bytes = 0;
  #credited = 0;
  readonly #taken = new Map<Exchange, number>();
  #credit: (bytes: number) => void = () => {};

  constructor(limitBytes: number, promised: number, budget: InflowBudget) {
    this.#limitBytes = limitBytes;
    this.#budget = budget;
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
    const budget = this.#budget;
    if (this.#bytes <= this.#limitBytes && budget.usedBytes + chunk.length <= budget.limitBytes) {
      this.#kept.push(chunk);
      this.#keptBytes += chunk.length;
      budget.usedBytes += chunk.length;
      this.#credited += chunk.length;
      credit(chunk.length);
      return false;
    }
    this.isOutgrown = true;
    this.close();
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

  /** Nothing of it is wanted here any more. */
  close(): void {
    this.#budget.usedBytes -= this.#keptBytes;
    this.#keptBytes = 0;
    this.chunks = this.#kept = [];
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
