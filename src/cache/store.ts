/**
 * Stored responses within a number of bytes. What to give up is decided by SIEVE (Zhang et al., NSDI 2024): one queue in order of arrival and a hand
 * that walks it from the oldest on, spares what was used since it last passed and takes the first that was not. Like LRU's its decision needs one
 * look, but a hit only sets a mark, which is what makes a hit cheap, and what a crawler asks for once does not push out what many ask for.
 */
import { MOST_VARIANTS, Resource, Shelf } from "./shelf.ts";
import type { StoredResponse } from "./stored-response.ts";

export interface StoreCounts {
  readonly responses: number;
  readonly bytes: number;
  readonly limitBytes: number;
}

type Cost = (stored: StoredResponse, target: string, shelfName: string) => number;

export class Store {
  readonly limitBytes: number;
  readonly #costOf: Cost;
  readonly #shelves = new Map<string, Shelf>();
  readonly #byBase = new Map<string, Set<Shelf>>();
  #bytes = 0;
  #count = 0;
  #oldest: StoredResponse | null = null;
  #newest: StoredResponse | null = null;
  #hand: StoredResponse | null = null;
  /** Told of each response that leaves, for whatever reason. */
  onRemoved: ((stored: StoredResponse) => void) | null = null;

  /** @param costOf how many bytes one is counted as. */
  constructor(limitBytes: number, costOf: Cost = costInMemory) {
    this.limitBytes = limitBytes;
    this.#costOf = costOf;
  }

  get counts(): StoreCounts {
    return { responses: this.#count, bytes: this.#bytes, limitBytes: this.limitBytes };
  }

  shelf(name: string): Shelf | undefined {
    return this.#shelves.get(name);
  }

  resource(shelf: string, target: string): Resource | undefined {
    return this.#shelves.get(shelf)?.resources.get(target);
  }

  /** Puts a response in the place of the one that it is a newer form of. False where it is larger than all there is room for. */
  add(shelfName: string, target: string, stored: StoredResponse): boolean {
    stored.countedBytes = this.#costOf(stored, target, shelfName);
    if (stored.countedBytes > this.limitBytes) return false;
    const earlier = this.resource(shelfName, target);
    for (const variant of earlier?.variants.slice() ?? [])
      if (variant.varyText === stored.varyText && variant.variantKey === stored.variantKey) this.#take(variant);
    while (earlier !== undefined && earlier.variants.length >= MOST_VARIANTS)
      this.#take(earlier.variants[earlier.variants.length - 1]!);
    const resource = this.#resource(shelfName, target);
    stored.resource = resource;
    resource.add(stored);
    this.#count++;
    this.#bytes += stored.countedBytes;
    stored.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = stored;
    this.#newest = stored;
    this.#oldest ??= stored;
    while (this.#bytes > this.limitBytes) this.#evict(stored);
    return true;
  }

  /** It is there no more. */
  remove(stored: StoredResponse): void {
    if (stored.resource !== null) this.#take(stored);
  }

  /** All variants of one target, whatever else its key has. Returns how many there were. */
  removeTarget(base: string, target: string): number {
    let removed = 0;
    for (const shelf of this.#byBase.get(base) ?? []) {
      const resource = shelf.resources.get(target);
      for (const variant of resource?.variants.slice() ?? []) {
        this.#take(variant);
        removed++;
      }
    }
    return removed;
  }

  /** Gives up as much as that, or all. False where there was nothing. */
  makeRoom(bytes: number): boolean {
    const isAny = this.#count > 0;
    const wanted = Math.max(0, this.#bytes - bytes);
    while (this.#bytes > wanted) this.#evict(null);
    return isAny;
  }

  /** Calls back for each response; it may be removed meanwhile. */
  forEach(visit: (stored: StoredResponse) => void): void {
    for (let stored = this.#newest; stored !== null;) {
      const { older } = stored;
      visit(stored);
      stored = older;
    }
  }

  // Private

  /** Found, or made and put where it is found. */
  #resource(shelfName: string, target: string): Resource {
    let shelf = this.#shelves.get(shelfName);
    if (shelf === undefined) {
      shelf = new Shelf(shelfName);
      this.#shelves.set(shelfName, shelf);
      const { base } = shelf;
      const beside = this.#byBase.get(base);
      if (beside === undefined) this.#byBase.set(base, new Set([shelf]));
      else beside.add(shelf);
    }
    let resource = shelf.resources.get(target);
    if (resource === undefined) shelf.resources.set(target, (resource = new Resource(shelf, target)));
    return resource;
  }

  #close({ shelf, target }: Resource): void {
    shelf.resources.delete(target);
    if (shelf.resources.size > 0) return;
    shelf.isGone = true;
    this.#shelves.delete(shelf.name);
    const beside = this.#byBase.get(shelf.base);
    beside?.delete(shelf);
    if (beside?.size === 0) this.#byBase.delete(shelf.base);
  }

  /** @param isRevoked it is no longer true; else there is only no room for it. */
  #take(stored: StoredResponse, isRevoked: boolean = true): void {
    const { resource } = stored;
    if (resource === null) return;
    this.#bytes -= stored.countedBytes;
    this.#count--;
    if (this.#hand === stored) this.#hand = stored.newer;
    if (stored.older === null) this.#oldest = stored.newer;
    else stored.older.newer = stored.newer;
    if (stored.newer === null) this.#newest = stored.older;
    else stored.newer.older = stored.older;
    stored.older = stored.newer = null;
    stored.resource = null;
    stored.readyUntil = 0;
    stored.isRevoked = isRevoked;
    resource.remove(stored);
    if (resource.variants.length === 0) this.#close(resource);
    this.onRemoved?.(stored);
  }

  /** SIEVE: from the hand towards the newest, then from the oldest on. */
  #evict(newcomer: StoredResponse | null): void {
    let at = this.#hand ?? this.#oldest;
    while (at !== null && (at.isVisited || at === newcomer)) {
      at.isVisited = false;
      at = at.newer ?? this.#oldest;
    }
    if (at === null) return;
    this.#hand = at.newer;
    this.#take(at, false);
  }
}

/** What one costs beside its text and body: the objects themselves, and its places in maps. */
const OVERHEAD_BYTES = 1536;

/** Bytes that it is counted as. Its fields stand in the list, in the ready text and in the head made of that. */
function costInMemory(stored: StoredResponse, target: string, shelfName: string): number {
  // A host of its own has maps of its own, so what is invented costs who invents it no less.
  let text = stored.variantKey.length + target.length + shelfName.length;
  for (const one of stored.flat) text += one.length;
  return OVERHEAD_BYTES + 3 * text + stored.bodyLength;
}
