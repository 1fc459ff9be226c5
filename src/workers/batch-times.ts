/** How long each request of one batch of answers kept its seat: the worker only says what the batch took. */

/** The frame cannot say more than this many microseconds. */
const MAX_ELAPSED_US = 0xffffff;

/**
 * Milliseconds for each of `count` requests. The worker flushes after half a millisecond of work, so a batch that took longer owes it to its
 * last request. `measuredMs` is what we measured ourselves, for where the worker's number is at its end.
 */
export function batchTimes(count: number, elapsedUs: number, measuredMs: number): number[] {
  const elapsedMs = elapsedUs < MAX_ELAPSED_US ? elapsedUs / 1000 : measuredMs;
  if (count <= 1 || elapsedMs <= 1) return Array<number>(count).fill(elapsedMs / count);
  const times = Array<number>(count).fill(0.5 / (count - 1));
  times[count - 1] = elapsedMs - 0.5;
  return times;
}
