/** How long each request of one batch of answers kept its seat: the worker only says what the batch took. */

/** The frame cannot say more than this many microseconds. */
const MAX_ELAPSED_US = 0xffffff;

/** The worker flushes after so much work (python/maitred/worker/wsgi.py, FLUSH_AFTER_SECONDS). */
const FLUSH_MS = 1;

/**
 * Milliseconds for each of `count` requests. The worker flushes after FLUSH_MS of work, so a batch that took longer owes it to its
 * last request. `measuredMs` is what we measured ourselves, for where the worker's number is at its end.
 */
export function batchTimes(count: number, elapsedUs: number, measuredMs: number): number[] {
  const elapsedMs = elapsedUs < MAX_ELAPSED_US ? elapsedUs / 1000 : measuredMs;
  if (count <= 1 || elapsedMs <= 2 * FLUSH_MS) return Array<number>(count).fill(elapsedMs / count);
  const times = Array<number>(count).fill(FLUSH_MS / (count - 1));
  times[count - 1] = elapsedMs - FLUSH_MS;
  return times;
}
