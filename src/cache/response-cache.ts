/**
 * What all routes with a cache have in common, and what a new configuration finds as the old one left it: the store, the responses that are on
 * their way, and what is known not to be worth waiting for.
 */
import type { Clock } from "../clock.ts";
import { withoutFields } from "../http/field-lines.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import type { DiskTier } from "./disk-tier.ts";
import type { Fill } from "./fill.ts";
import type { InflowBudget } from "./inflow.ts";
import { type Place, purges, type PurgeWish } from "./purge.ts";
import { Store, type StoreCounts } from "./store.ts";
import type { StoredResponse } from "./stored-response.ts";
import type { CacheTwin, Untruth } from "./untruth.ts";

/** For so long after a response that may not be stored nobody waits for another request's response. */
const PASS_MS = 10_000;
const MOST_PASSES = 10_000;
/** Longer keys are not worth their memory. */
const LONGEST_PASS = 1024;

/** For people who operate it. */
export interface CacheCounts extends StoreCounts {
  /** Answered from the store; of those, past their time. */
  readonly hits: number;
  readonly staleHits: number;
  /** Went to the app. */
  readonly misses: number;
  /** Waited for another request's response and got it. */
  readonly collapsed: number;
  /** The app said that what is stored is still good. */
  readonly validated: number;
  /** Passed by. */
  readonly passed: number;
}

export class ResponseCache {
  readonly store: Store;
  /** Bodies on their way here: they may be as much as all that is stored. */
  readonly inflow: InflowBudget;
  readonly clock: Clock;
  /** By what is asked for: the response that all who ask for it wait for. */
  readonly fills: Map<string, Fill> = new Map();
  readonly #disk: DiskTier | null;
  readonly #twins = new Set<CacheTwin>();
  readonly #passes = new Map<string, number>();
  /** Some route has a cache. */
  isUsed = false;
  hits = 0;
  staleHits = 0;
  misses = 0;
  collapsed = 0;
  validated = 0;
  passed = 0;

  constructor(limitBytes: number, clock: Clock, disk: DiskTier | null) {
    this.store = new Store(limitBytes);
    this.inflow = { limitBytes, usedBytes: 0 };
    this.clock = clock;
    this.#disk = disk;
  }

  get counts(): CacheCounts | null {
    if (!this.isUsed) return null;
    const { hits, staleHits, misses, collapsed, validated, passed } = this;
    return { ...this.store.counts, hits, staleHits, misses, collapsed, validated, passed };
  }

  /** Nobody joins this fill any more. */
  unlist(key: string | null, fill: Fill): void {
    if (key !== null && this.fills.get(key) === fill) this.fills.delete(key);
  }

  /** Responses to this are not shared: whoever asks goes alone, as nobody may wait in vain for another one's. */
  isPassed(key: string, now: number): boolean {
    const until = this.#passes.get(key);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#passes.delete(key);
    return false;
  }

  /** @param key null: of a request that others do not know of. */
  notePass(key: string | null, now: number): void {
    if (key === null || key.length > LONGEST_PASS) return;
    this.#passes.delete(key);
    this.#passes.set(key, now + PASS_MS);
    if (this.#passes.size <= MOST_PASSES) return;
    for (const oldest of this.#passes.keys()) {
      this.#passes.delete(oldest);
      return;
    }
  }

  forgetPass(key: string | null): void {
    if (key !== null) this.#passes.delete(key);
  }

  /** Keeps a response. False where there is no room for it. */
  keep(shelfName: string, target: string, stored: StoredResponse): boolean {
    const isKept = this.store.add(shelfName, target, stored);
    for (const entry of this.#entries(shelfName, target, stored)) this.#disk?.index.remove(entry);
    this.#disk?.save(shelfName, target, stored);
    return isKept;
  }

  /** Keeps what the app has called good: its body is the old one, and so is its file, unless the app said something new with it. */
  renew(shelfName: string, target: string, stored: StoredResponse, old: StoredResponse): boolean {
    const [entry] = this.#entries(shelfName, target, stored);
    if (entry === undefined || !isSaidAlike(stored, old)) return this.keep(shelfName, target, stored);
    entry.freshUntil = stored.freshUntil;
    return this.store.add(shelfName, target, stored);
  }

  /** It is no longer true. */
  revoke(shelfName: string, target: string, stored: StoredResponse): void {
    stored.isRevoked = true;
    for (const entry of this.#entries(shelfName, target, stored)) this.#disk?.index.remove(entry);
    this.store.remove(stored);
  }

  /** Files of the same variant. */
  #entries(shelfName: string, target: string, { varyText, variantKey }: StoredResponse): StoredResponse[] {
    const variants = this.#disk?.index.resource(shelfName, target)?.variants ?? [];
    return variants.filter((entry) => entry.varyText === varyText && entry.variantKey === variantKey);
  }

  /** What the disk has of it, where memory has nothing. */
  onDisk(shelfName: string, target: string, headers: HeaderBlock): StoredResponse | null {
    return this.#disk?.index.resource(shelfName, target)?.find(headers) ?? null;
  }

  /** Brings it into memory; null where it cannot be read. */
  async fetch(shelfName: string, target: string, entry: StoredResponse): Promise<StoredResponse | null> {
    entry.isVisited = true;
    const stored = (await this.#disk?.load(entry)) ?? null;
    if (stored === null || stored.isRevoked) return null;
    // Of several that wait for it the first puts it there.
    const present = this.store.resource(shelfName, target)?.variants ?? [];
    if (!present.includes(stored)) this.store.add(shelfName, target, stored);
    return stored;
  }

  /** What is under way to the disk is there. */
  async close(): Promise<void> {
    await this.#disk?.close();
  }

  /** Another server has the same responses and the same folder, until `shareNoMore`. */
  share(twin: CacheTwin): void {
    this.#twins.add(twin);
    this.#disk?.share();
  }

  shareNoMore(twin: CacheTwin): void {
    if (this.#twins.delete(twin)) this.#disk?.shareNoMore();
  }

  /** Another server tells what is no longer true. Returns how many there were here. */
  hear(untruth: Untruth, from: CacheTwin): number {
    for (const twin of this.#twins) if (twin !== from) void twin.tell(untruth);
    if (untruth.type === "purge") return this.#purge(purges(untruth.wish), untruth.wish.isSoft);
    this.#invalidate(untruth.base, untruth.target);
    return 0;
  }

  /** What is stored for a target is no longer true, and neither is what is on its way. */
  invalidate(base: string, target: string): void {
    for (const twin of this.#twins) void twin.tell({ type: "target", base, target });
    this.#invalidate(base, target);
  }

  #invalidate(base: string, target: string): void {
    this.store.removeTarget(base, target);
    this.#disk?.index.removeTarget(base, target);
    this.#disk?.revoke((place) => place.base === base && place.target === target, false);
    for (const fill of this.fills.values()) if (fill.words.base === base && fill.words.target === target) fill.doom();
  }

  #hasInMemory({ resource, varyText, variantKey }: StoredResponse): boolean {
    const { shelf, target } = resource!;
    const variants = this.store.resource(shelf.name, target)?.variants ?? [];
    return variants.some((one) => one.varyText === varyText && one.variantKey === variantKey);
  }

  /** Purges what is wished, here and where the same is stored. Resolves to how many there were, or why not. */
  async obey(wish: PurgeWish): Promise<number | string> {
    return this.isUsed ? await this.purge(wish) : "this server has no cache (--cache)";
  }

  /** Removes what is wished, or makes it past its time. Resolves to how many there were. */
  async purge(wish: PurgeWish): Promise<number> {
    const told = [...this.#twins].map((twin) => twin.tell({ type: "purge", wish }));
    const count = this.#purge(purges(wish), wish.isSoft);
    // Most are in both.
    return Math.max(count, ...(await Promise.all(told)));
  }

  #purge(concerns: (place: Place, tags: readonly string[]) => boolean, isSoft: boolean): number {
    let count = 0;
    const now = this.clock.now();
    const disk = this.#disk;
    const purgeFrom = (store: Store, isCounted: (stored: StoredResponse) => boolean): void =>
      store.forEach((stored) => {
        if (stored.resource === null || !concerns(placeOf(stored), stored.tags)) return;
        if (isCounted(stored)) count++;
        if (!isSoft) store.remove(stored);
        else if (stored.file === null) stored.expire(now);
        else disk!.retire(stored, now);
      });
    if (disk !== null) {
      // What is in both is counted once.
      purgeFrom(disk.index, (entry) => !this.#hasInMemory(entry));
      disk.revoke(concerns, isSoft);
    }
    purgeFrom(this.store, () => true);
    // Of what is on its way the tags may not be known yet: it is used by who waits for it, and not stored.
    for (const fill of this.fills.values()) if (concerns(fill.words, fill.tags)) fill.doom();
    return count;
  }
}

/** Fields of the moment at which a response was made. */
const OF_THE_MOMENT: ReadonlySet<string> = new Set(["date", "expires"]);

function isSaidAlike(a: StoredResponse, b: StoredResponse): boolean {
  return linesOf(a) === linesOf(b);
}

function linesOf({ flat }: StoredResponse): string {
  const said = withoutFields(flat, OF_THE_MOMENT);
  const lines = said.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${said[at + 1]!}`] : []));
  return lines.sort().join("\n");
}

function placeOf(stored: StoredResponse): Place {
  const { shelf, target } = stored.resource!;
  return { base: shelf.base, target };
}
