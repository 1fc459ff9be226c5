import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  describeExit,
  describeReason,
  type EndReason,
  nextState,
  type WorkerEvent,
  type WorkerState,
} from "./lifecycle.ts";

describe("a worker's life", () => {
  const events: readonly WorkerEvent[] = ["forked", "ready", "drain", "exit"];
  const table: Record<WorkerState, readonly (WorkerState | null)[]> = {
    forking: ["booting", "serving", "draining", "ended"],
    booting: [null, "serving", "draining", "ended"],
    serving: ["serving", null, "draining", "ended"],
    draining: ["draining", "draining", "draining", "ended"],
    ended: [null, null, null, null],
  };
  for (const [state, row] of Object.entries(table) as [WorkerState, readonly (WorkerState | null)[]][]) {
    for (const [i, event] of events.entries()) {
      const next = row[i]!;
      test(`${state}, ${event}: ${next ?? "a bug"}`, () => {
        if (next !== null) assert.equal(nextState(state, event), next);
        else
          assert.throws(() => nextState(state, event), { message: `worker: no transition from ${state} on ${event}` });
      });
    }
  }
});

test("each reason is a sentence for the log", () => {
  const reasons: readonly [EndReason, string][] = [
    [{ type: "stopping" }, "shutting down"],
    [{ type: "reload" }, "replaced by a reload"],
    [{ type: "max-requests", requests: 9 }, "served 9 requests (--max-requests)"],
    [{ type: "max-age", ageMs: 61_000 }, "served for 61 s (--max-worker-age)"],
    [
      { type: "max-memory", bytes: 12 * 1_048_576, limitBytes: 11 * 1_048_576 },
      "grew to 12 MiB (--max-worker-memory 11 MiB)",
    ],
    [{ type: "timeout", request: "GET /a for 30 ms" }, "stuck in GET /a for 30 ms"],
    [{ type: "broken", detail: "frame type 0x50" }, "it broke the wire protocol: frame type 0x50"],
    [{ type: "failed-to-boot", message: "no app" }, "failed to boot: no app"],
    [{ type: "crashed" }, "died unexpectedly"],
  ];
  for (const [reason, sentence] of reasons) assert.equal(describeReason(reason), sentence);
});

test("the end of a process has the signal's name or the exit code", () => {
  assert.equal(describeExit(null, 9), "killed by SIGKILL");
  assert.equal(describeExit(null, 11), "killed by SIGSEGV");
  assert.equal(describeExit(null, 60), "killed by signal 60");
  assert.equal(describeExit(3, null), "exit code 3");
  assert.equal(describeExit(null, null), "exit code unknown");
});
