/**
 * The one queue of requests that wait for a worker: first in, first out, bounded, and anyone can leave it in O(1) (doubly linked through the
 * exchanges themselves, so queueing allocates nothing).
 */
import type { Exchange } from "../http/exchange.ts";

export class Queue {
  #first: Exchange | null = null;
  #last: Exchange | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): Exchange | null {
    return this.#first;
  }

  get last(): Exchange | null {
    return this.#last;
  }

  push(exchange: Exchange): void {
    exchange.state = "queued";
    exchange.queuePrevious = this.#last;
    exchange.queueNext = null;
    if (this.#last === null) this.#first = exchange;
    else this.#last.queueNext = exchange;
    this.#last = exchange;
    this.#length++;
  }

  /** To the head: for requests that have waited before and lost their worker. */
  unshift(exchange: Exchange): void {
    exchange.state = "queued";
    exchange.queuePrevious = null;
    exchange.queueNext = this.#first;
    if (this.#first === null) this.#last = exchange;
    else this.#first.queuePrevious = exchange;
    this.#first = exchange;
    this.#length++;
  }

  remove(exchange: Exchange): void {
    const { queuePrevious: previous, queueNext: next } = exchange;
    if (previous === null) this.#first = next;
    else previous.queueNext = next;
    if (next === null) this.#last = previous;
    else next.queuePrevious = previous;
    exchange.queuePrevious = null;
    exchange.queueNext = null;
    this.#length--;
  }
}
