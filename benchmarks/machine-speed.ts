/**
 * How fast the machine is at the moment, by the time a fixed piece of work takes: on a shared machine it changes by factors within
 * minutes, and figures from before and after such a change cannot be compared.
 */
import { median } from "./statistics.ts";

const runs = 9;
let sink = 0;

export function fixedWorkMs(): number {
  return median(Array.from({ length: runs }, once)) ?? Number.NaN;
}

/** What to say of a scenario's values; loudly when the machine was not the same machine throughout. */
export function speedSentence(valuesMs: readonly number[]): string {
  const [fastest, slowest] = [Math.min(...valuesMs), Math.max(...valuesMs)];
  const range = `a fixed piece of work took ${fastest.toFixed(1)}-${slowest.toFixed(1)} ms before the measurements`;
  return slowest > 1.5 * fastest
    ? `!! the machine's speed changed by ${(slowest / fastest).toFixed(1)}x meanwhile (${range}): compare settings only over many rounds`
    : `The machine was steady: ${range}.`;
}

// Private

function once(): number {
  const startMs = performance.now();
  for (let number = 0; number < 3_000_000; number++) sink = (sink * 31 + number) | 0;
  return performance.now() - startMs;
}
