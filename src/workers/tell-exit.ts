/** Writes a worker's end into the log and the ledger: how long it lived, why it ended, what it was at work on. */
import type { Exchange } from "../http/exchange.ts";
import { describeEnding, describeWork, isFaultSignal, needsVerdict } from "./death.ts";
import type { Log } from "../telemetry/log.ts";
import type { GenerationContext } from "./generation-settings.ts";
import { describeReason } from "./lifecycle.ts";
import { LOOP_AFTER, type Restart } from "./restart-policy.ts";
import type { Worker } from "./worker.ts";
import type { LoadFailure, WorkerExit } from "./zygote.ts";

/** Returns why. `isExpected` ends are no errors. */
export function tellExit(
  { clock, ledger, log, memoryCgroup }: GenerationContext,
  worker: Worker,
  exit: WorkerExit,
  begun: readonly Exchange[],
  isExpected: boolean,
  livedMs: number,
): string {
  const { reason, vitals, lastWords } = worker;
  const oom = !isExpected && needsVerdict(reason, exit) ? memoryCgroup.judge() : null;
  const ending = describeEnding({ reason, exit, vitals, oom });
  ledger.ended(worker, ending, isExpected, livedMs, clock.wall());
  const why = `${describeReason(reason)}, ${ending}`;
  const lived = (livedMs / 1000).toFixed(1);
  const line = `Worker ${worker.number} (pid ${worker.pid}) ended after ${lived} s: ${why}${describeWork(begun, clock.now())}`;
  if (isFaultSignal(exit.signal) && lastWords !== "") log.error(`${line}. Its Python stacks:\n${lastWords.trimEnd()}`);
  else if (isExpected) log.info(line);
  else log.error(line);
  return why;
}

/** Tells what follows from an unexpected end: why the app could not be loaded, a crash loop (once), a delay. */
export function tellRestart(log: Log, restart: Restart, failure: LoadFailure | null, why: string): void {
  const { delayMs, deaths, isLoopBegun } = restart;
  const trace = failure === null ? "" : failure.traceback.trimEnd() || failure.message;
  if (isLoopBegun) {
    log.critical(
      `Workers keep dying: ${deaths} in a row, each within 10 s of its start. Restarts are now delayed, up to 30 s where it cannot even boot; the last: ${why}${trace === "" ? "" : `\n${trace}`}`,
    );
  } else if (trace !== "" && deaths < LOOP_AFTER) log.error(trace);
  if (delayMs > 0) log.warning(`Next worker starts in ${delayMs / 1000} s (${deaths} died in a row)`);
}
