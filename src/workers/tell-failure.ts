/** Why no pool could start, for the log. */
import type { Log } from "../telemetry/log.ts";
import type { PoolFailure } from "./pools.ts";

export function tellFailure(failure: PoolFailure, log: Log): void {
  if (failure.traceback !== "") log.error(failure.traceback.trimEnd());
  log.critical(
    failure.exitCode === 4
      ? `App failed to load: ${failure.message}`
      : `Worker failed to boot (${failure.app}): ${failure.message}`,
  );
}
