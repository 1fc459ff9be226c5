/** Whether the certificates can be served. Loads the edge's own code for it, so only where there are some. */
import { systemClock } from "../../clock.ts";
import type { TlsPlan } from "../../config/plan.ts";
import { Certificates } from "../../edge/tls/certificates.ts";
import { TlsError } from "../../edge/tls/key-pair.ts";
import type { Log } from "../../telemetry/log.ts";

/** Returns why not, or null; `warn` is told what else there is to say, of their ends for one. */
export function certificateMistake(plan: TlsPlan, warn: (line: string) => void): string | null {
  const nothing = (): void => {};
  const log: Log = { debug: nothing, info: nothing, warning: warn, error: warn, critical: warn };
  try {
    new Certificates(plan, systemClock, log).close();
    return null;
  } catch (error) {
    if (error instanceof TlsError) return error.message;
    throw error;
  }
}
