/**
 * What limits remember: a zone per name, or per route where a limit has none. Made once for the server, so that a reload of the configuration does
 * not give everyone a new allowance.
 */
import type { LimitKey, LimitPlan } from "../config/sites/limits.ts";
import { BoundedTable } from "./bounded-table.ts";

export class LimitZone {
  readonly key: LimitKey;
  /** When each key's bucket will be empty: see rate.ts. */
  readonly buckets: BoundedTable<number>;
  /** How many of each key are at work; keys without any are not in it. */
  readonly atWork: Map<string, number> = new Map();

  constructor(key: LimitKey, entries: number) {
    this.key = key;
    this.buckets = new BoundedTable(entries);
  }

  enter(key: string): void {
    this.atWork.set(key, (this.atWork.get(key) ?? 0) + 1);
  }

  leave(key: string): void {
    const left = (this.atWork.get(key) ?? 0) - 1;
    if (left > 0) this.atWork.set(key, left);
    else this.atWork.delete(key);
  }
}

export class LimitZones {
  #zones = new Map<string, { readonly zone: LimitZone; readonly entries: number }>();
  #used = new Set<string>();

  /** The zone of a limit; `owner` names the route, for one without a name of its own. */
  zone(limit: LimitPlan, owner: string): LimitZone {
    const id = limit.name === null ? `route ${owner}` : `name ${limit.name}`;
    this.#used.add(id);
    const known = this.#zones.get(id);
    if (known !== undefined && known.entries === limit.entries && isSame(known.zone.key, limit.key)) return known.zone;
    const zone = new LimitZone(limit.key, limit.entries);
    this.#zones.set(id, { zone, entries: limit.entries });
    return zone;
  }

  /** A configuration has been read whole: zones that it did not ask for since the last call are forgotten. */
  settle(): void {
    for (const id of this.#zones.keys()) if (!this.#used.has(id)) this.#zones.delete(id);
    this.#used = new Set();
  }
}

function isSame(a: LimitKey, b: LimitKey): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
