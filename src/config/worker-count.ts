/** `--workers`: a number, `auto`, or MIN:MAX. */
import type { Sizing } from "./plan.ts";
import { value, wholeNumber, wrong, type ValueType } from "./value-types.ts";

export type WorkerCount = "auto" | number | { readonly least: number; readonly most: number };

/** The message for zero says what to do instead. */
export const workerCount: ValueType<WorkerCount> = (text) => {
  if (text === "auto") return value("auto");
  if (/^0+$/.test(text)) return wrong("would serve nothing: give 1 or more, or leave it out for one worker per CPU");
  const range = /^([^:]*):([^:]*)$/.exec(text);
  if (range === null) return wholeNumber(1, 10_000)(text);
  const least = wholeNumber(1, 10_000)(range[1] ?? "");
  const most = wholeNumber(1, 10_000)(range[2] ?? "");
  if (least.type === "wrong" || most.type === "wrong")
    return wrong("is not MIN:MAX: give two whole numbers from 1 to 10000, as 2:8");
  if (least.value > most.value) return wrong(`has its least above its most: write ${most.value}:${least.value}`);
  return value({ least: least.value, most: most.value });
};

/** How an elastic pool moves. */
export interface Elasticity {
  readonly growWaitMs: number;
  readonly shrinkAfterMs: number;
}

/** What it means for a Plan: the number to begin with (for `auto` what the CPUs can use), and what may come of it. */
export function sizingOf(
  count: WorkerCount,
  cpuWorkers: number,
  elasticity: Elasticity,
): { readonly workers: number; readonly sizing: Sizing } {
  if (count === "auto") return { workers: cpuWorkers, sizing: { type: "auto" } };
  if (typeof count === "number") return { workers: count, sizing: { type: "fixed" } };
  const { least, most } = count;
  if (least === most) return { workers: least, sizing: { type: "fixed" } };
  return { workers: least, sizing: { type: "elastic", least, most, ...elasticity } };
}
