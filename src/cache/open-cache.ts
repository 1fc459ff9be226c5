/** The response cache as the Plan asks for it. */
import type { Clock } from "../clock.ts";
import type { CacheStorePlan } from "../config/plan.ts";
import type { Log } from "../telemetry/log.ts";
import { DiskTier } from "./disk-tier.ts";
import { ResponseCache } from "./response-cache.ts";

/** Where its folder cannot be used it is in memory alone, and the log says why. `takesOver`: from an older server, which uses the folder until it has gone. */
export function openCache(
  { memoryBytes, folder, diskBytes }: CacheStorePlan,
  takesOver: boolean,
  clock: Clock,
  log: Log,
): ResponseCache {
  if (folder === null) return new ResponseCache(memoryBytes, clock, null);
  try {
    return new ResponseCache(memoryBytes, clock, new DiskTier(folder, diskBytes, takesOver, clock, log));
  } catch (error) {
    log.error(
      `Cache: cannot use ${folder}, responses are kept in memory alone (--cache-disk): ${(error as Error).message}`,
    );
    return new ResponseCache(memoryBytes, clock, null);
  }
}
