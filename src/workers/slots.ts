/** The requests that a seat holds, by their ids on the wire (slot numbers, used again as soon as they are free), and how much work they are. */
import type { Exchange } from "../http/exchange.ts";
import { WireError } from "../wire/frames.ts";

export class Slots {
  /** Requests held. */
  count = 0;
  /** Estimated work of those, in milliseconds. */
  backlogMs = 0;
  readonly #exchanges: (Exchange | null)[] = [];
  readonly #estimates: number[] = [];
  readonly #free: number[] = [];
  /** Held, but no work any more: open WebSockets. */
  readonly #released = new Set<number>();

  /** Holds one more; returns its id. */
  take(exchange: Exchange, estimateMs: number): number {
    const id = this.#free.pop() ?? this.#exchanges.length;
    this.#exchanges[id] = exchange;
    this.#estimates[id] = estimateMs;
    this.count++;
    this.backlogMs += estimateMs;
    return id;
  }

  /** Who has this id, null where nobody has (it comes from a worker and may be anything). */
  get(id: number): Exchange | null {
    return this.#exchanges[id] ?? null;
  }

  /** The exchange that a worker's frame is for. */
  owner(id: number): Exchange {
    const exchange = this.get(id);
    if (exchange === null) throw new WireError(`answer for request ${id}, which it does not have`);
    return exchange;
  }

  /** The exchange of an answer's first frame. */
  unbegun(id: number): Exchange {
    const exchange = this.owner(id);
    if (exchange.state === "streaming") throw new WireError(`a second answer for request ${id}`);
    return exchange;
  }

  /** The exchange of a streamed answer's later frames. */
  begun(id: number): Exchange {
    const exchange = this.owner(id);
    if (exchange.state === "given") throw new WireError(`the rest of an answer for request ${id} before its head`);
    return exchange;
  }

  /** How many are held that do not count as work. */
  get released(): number {
    return this.#released.size;
  }

  /** Goes on holding an id, but it counts as work no more. */
  release(id: number): void {
    if (this.#released.has(id)) return;
    this.#released.add(id);
    this.#uncount(id);
  }

  /** Gives up an id that is held. */
  free(id: number): void {
    this.#exchanges[id] = null;
    this.#free.push(id);
    if (this.#released.size === 0 || !this.#released.delete(id)) this.#uncount(id);
  }

  /** All that are held, in the order of their ids. */
  held(): Exchange[] {
    return this.#exchanges.filter((exchange) => exchange !== null);
  }

  #uncount(id: number): void {
    this.count--;
    // Sums of unknown (infinite) estimates cannot be subtracted from: start again when empty, else add up what is left.
    if (this.count === 0) this.backlogMs = 0;
    else if (Number.isFinite(this.backlogMs)) this.backlogMs = Math.max(0, this.backlogMs - this.#estimates[id]!);
    else {
      this.backlogMs = this.#exchanges.reduce(
        (sum, held, slot) =>
          held === null || slot === id || this.#released.has(slot) ? sum : sum + this.#estimates[slot]!,
        0,
      );
    }
  }
}
