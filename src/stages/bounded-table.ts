/** A table with a bound: whoever was not asked for longest gives way. Pure. */

export class BoundedTable<V> {
  readonly #most: number;
  /** In the order of their last use: a Map keeps insertion order. */
  readonly #entries = new Map<string, V>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Its value, and it is the youngest again. */
  use(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** True where one that still meant something had to go for it. `isStale` tells who does not. */
  set(key: string, value: V, isStale: (value: V) => boolean): boolean {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    // Two for each that comes: what is stale goes away although nobody asks for it.
    this.#dropStale(isStale);
    this.#dropStale(isStale);
    if (this.#entries.size <= this.#most) return false;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
    return true;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  // Private

  #dropStale(isStale: (value: V) => boolean): void {
    for (const [oldest, value] of this.#entries) {
      if (isStale(value)) this.#entries.delete(oldest);
      return;
    }
  }
}
