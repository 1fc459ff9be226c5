/**
 * The states of a worker: what can happen now. Why it happened is another type (EndReason).
 *
 *     forking ──forked──▶ booting ──ready──▶ serving ──drain──▶ draining
 *        └──────exit────────┴───────exit───────┴──────exit─────────┴──▶ ended
 */

import { formatBytes } from "./format-bytes.ts";

export type WorkerState = "forking" | "booting" | "serving" | "draining" | "ended";
export type WorkerEvent = "forked" | "ready" | "drain" | "exit";

const TABLE: Readonly<Record<WorkerState, Partial<Record<WorkerEvent, WorkerState>>>> = {
  // A worker can report itself ready before the zygote's own word that it was forked has been read: two sockets, no order between them.
  forking: { forked: "booting", ready: "serving", drain: "draining", exit: "ended" },
  booting: { ready: "serving", drain: "draining", exit: "ended" },
  serving: { forked: "serving", drain: "draining", exit: "ended" },
  draining: { forked: "draining", ready: "draining", drain: "draining", exit: "ended" },
  ended: {},
};

/** The next state; throws on a transition that the table does not have, which is a bug of ours. */
export function nextState(state: WorkerState, event: WorkerEvent): WorkerState {
  const next = TABLE[state][event];
  if (next === undefined) throw new Error(`worker: no transition from ${state} on ${event}`);
  return next;
}

/** Why a worker was ended or ended itself. */
export type EndReason =
  | { readonly type: "stopping" }
  | { readonly type: "reload" }
  | { readonly type: "scaled-down" }
  | { readonly type: "max-requests"; readonly requests: number }
  | { readonly type: "max-age"; readonly ageMs: number }
  | { readonly type: "max-memory"; readonly bytes: number; readonly limitBytes: number }
  | { readonly type: "timeout"; readonly request: string }
  | { readonly type: "broken"; readonly detail: string }
  | { readonly type: "failed-to-boot"; readonly message: string }
  | { readonly type: "crashed" };

/** A sentence for the log. */
export function describeReason(reason: EndReason): string {
  switch (reason.type) {
    case "stopping":
      return "shutting down";
    case "reload":
      return "replaced by a reload";
    case "scaled-down":
      return "fewer workers are wanted";
    case "max-requests":
      return `served ${reason.requests} requests (--max-requests)`;
    case "max-age":
      return `served for ${Math.round(reason.ageMs / 1000)} s (--max-worker-age)`;
    case "max-memory":
      return `grew to ${formatBytes(reason.bytes)} (--max-worker-memory ${formatBytes(reason.limitBytes)})`;
    case "timeout":
      return `stuck in ${reason.request}`;
    case "broken":
      return `it broke the wire protocol: ${reason.detail}`;
    case "failed-to-boot":
      return `failed to boot: ${reason.message}`;
    case "crashed":
      return "died unexpectedly";
  }
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

/** How a process ended, for the log. */
export function describeExit(code: number | null, signal: number | null): string {
  if (signal !== null) return `killed by ${SIGNALS[signal] ?? `signal ${signal}`}`;
  return `exit code ${code ?? "unknown"}`;
}
