/** A queue and its load: first in, first out while it is punctual, newest first while it is late. */
import type { Exchange } from "../http/exchange.ts";
import { Overload } from "./overload.ts";
import { Queue } from "./queue.ts";

export class Lane {
  readonly load: Overload = new Overload();
  readonly #queue = new Queue();

  get length(): number {
    return this.#queue.length;
  }

  /** Who has waited longest. */
  get first(): Exchange | null {
    return this.#queue.first;
  }

  /** Who has come last. */
  get last(): Exchange | null {
    return this.#queue.last;
  }

  /** Whose turn it is. */
  get next(): Exchange | null {
    return this.load.isLate ? this.#queue.last : this.#queue.first;
  }

  /** @param workMs what it will take. */
  push(exchange: Exchange, workMs: number): void {
    this.load.came(workMs);
    this.#queue.push(exchange);
  }

  /** To the head: for requests that have waited before. */
  unshift(exchange: Exchange): void {
    this.#queue.unshift(exchange);
  }

  /** It leaves without having been served. */
  remove(exchange: Exchange): void {
    this.#queue.remove(exchange);
  }

  /** It leaves for a seat. */
  serve(exchange: Exchange, workMs: number): void {
    this.load.served(workMs);
    this.#queue.remove(exchange);
  }
}
