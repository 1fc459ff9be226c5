/** What is no longer true, as one server tells it to another that has the same responses: for the length of a handover there are two. */
import { type PurgeWish, purgeWish } from "./purge.ts";

export type Untruth =
  | { readonly type: "target"; readonly base: string; readonly target: string }
  | { readonly type: "purge"; readonly wish: PurgeWish };

/** All that is stored. */
export const ALL_UNTRUE: Untruth = {
  type: "purge",
  wish: { paths: [], tags: [], isEverything: true, host: null, isSoft: false },
};

/** The cache of another server with the same responses. */
export interface CacheTwin {
  /** Resolves to how many it has given up, when it has, or is gone. */
  tell(untruth: Untruth): Promise<number>;
}

/** As it came from elsewhere; null where it is none. */
export function untruthOf(given: unknown): Untruth | null {
  if (typeof given !== "object" || given === null) return null;
  const { type, base, target, wish } = given as Partial<Record<string, unknown>>;
  if (type === "target" && typeof base === "string" && typeof target === "string") return { type, base, target };
  const read = type === "purge" ? purgeWish(wish) : null;
  return read === null ? null : { type: "purge", wish: read };
}
