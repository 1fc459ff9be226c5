/** Why a worker ended, in one sentence for the log: what is known, and what is not. Pure. */
import type { Exchange } from "../http/exchange.ts";
import { idText } from "../http/request-name.ts";
import { formatBytes } from "./format-bytes.ts";
import { describeExit, type EndReason } from "./lifecycle.ts";
import type { OomVerdict } from "./memory-cgroup.ts";
import type { Vitals } from "./vitals.ts";
import type { WorkerExit } from "./zygote.ts";

const SIGKILL = 9;
/** SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: faulthandler writes the stacks before the process dies of them. */
const FAULTS: ReadonlySet<number> = new Set([4, 6, 7, 8, 11]);
const REQUESTS_NAMED = 3;

export interface Death {
  readonly reason: EndReason;
  readonly exit: WorkerExit;
  readonly vitals: Vitals | null;
  /** Asked only about a SIGKILL that was not ours. */
  readonly oom: OomVerdict | null;
}

/** Of a fault in native code, or abort(). */
export function isFaultSignal(signal: number | null): boolean {
  return signal !== null && FAULTS.has(signal);
}

/** Whether it was a SIGKILL of which only the kernel's counters know the sender. */
export function needsVerdict(reason: EndReason, exit: WorkerExit): boolean {
  return exit.signal === SIGKILL && reason.type === "crashed";
}

/** How the process ended; `describeReason` says what for. */
export function describeEnding({ reason, exit, vitals, oom }: Death): string {
  const told = describeExit(exit.code, exit.signal);
  const size = vitals === null ? "" : `, last seen with ${formatBytes(vitals.rssBytes)}`;
  if (oom !== null) {
    const limit = oom.limitBytes === null ? "" : `, limit ${formatBytes(oom.limitBytes)}`;
    if (oom.isOom === true)
      return `${told} by the kernel: out of memory (oom_kill of the cgroup has risen${limit}${size})`;
    if (oom.isOom === false)
      return `${told}, sent by someone else: neither maitred nor the kernel for lack of memory${size}`;
    return `${told}, sent by someone else or for lack of memory: there is no cgroup counter to ask${size}`;
  }
  if (reason.type !== "crashed") return told;
  if (isFaultSignal(exit.signal)) return `${told}: a fault in native code, or abort()${size}`;
  if (exit.signal !== null) return `${told}, which somebody else has sent`;
  return `${told}: the app has ended its process (os._exit, or exit() in native code)`;
}

/** ", at work on GET /a (12 ms), POST /b (3 ms) and 2 more"; empty where nothing was. */
export function describeWork(begun: readonly Exchange[], now: number): string {
  if (begun.length === 0) return "";
  const named = begun
    .slice(0, REQUESTS_NAMED)
    .map(
      (exchange) =>
        `${exchange.head.method} ${exchange.head.path}${idText(exchange)} (${Math.round(now - exchange.givenAt)} ms)`,
    );
  const more = begun.length - named.length;
  return `, at work on ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
