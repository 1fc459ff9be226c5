/**
 * How often: the leaky bucket of nginx's limit_req, kept as one number (the generic cell rate algorithm, ITU-T I.371 annex A). Pure.
 *
 * The bucket holds what came faster than the rate; it leaks one request every `intervalMs`. `emptyAt` is the time at which it will be empty: a time
 * gone by is an empty bucket, so nothing has to run while nobody asks.
 *
 *     excess 0 … delay            passes at once
 *     excess delay … burst        waits until so much has leaked that it is within `delay`
 *     excess beyond burst         is refused
 *
 * Never more than burst + 1 + t / intervalMs requests pass in a time t.
 */

export interface Rate {
  /** Milliseconds between two requests at the rate. */
  readonly intervalMs: number;
  /** Requests beyond the rate that are not refused. */
  readonly burst: number;
  /** Of these, how many do not wait; Infinity: none waits. */
  readonly delay: number;
}

/** Of a request, nginx's resolution: rounding must not refuse who comes exactly at the rate. */
const SLACK = 1e-3;

/** Requests in the bucket beyond the rate, if one more came now. */
export function excess({ intervalMs }: Rate, emptyAt: number, now: number): number {
  return emptyAt > now ? (emptyAt - now) / intervalMs : 0;
}

export function isRefused(rate: Rate, emptyAt: number, now: number): boolean {
  return excess(rate, emptyAt, now) > rate.burst + SLACK;
}

/** What `emptyAt` becomes with one more. */
export function afterOne({ intervalMs }: Rate, emptyAt: number, now: number): number {
  return Math.max(emptyAt, now) + intervalMs;
}

/** How long one that comes now and is not refused has to wait. */
export function waitMs(rate: Rate, emptyAt: number, now: number): number {
  const beyond = excess(rate, emptyAt, now) - rate.delay;
  return beyond > SLACK ? beyond * rate.intervalMs : 0;
}

/** When one that is refused now would not be. */
export function retryMs(rate: Rate, emptyAt: number, now: number): number {
  return Math.max(0, excess(rate, emptyAt, now) - rate.burst) * rate.intervalMs;
}

/** Requests that would pass now, one after the other. */
export function remaining(rate: Rate, emptyAt: number, now: number): number {
  return Math.max(0, Math.floor(rate.burst + 1 - excess(rate, emptyAt, now) + SLACK));
}

/** When one more would pass than would now; 0 where nothing has been used up. */
export function moreMs(rate: Rate, emptyAt: number, now: number): number {
  const used = rate.burst + 1 - remaining(rate, emptyAt, now);
  return used <= 0 ? 0 : Math.max(0, excess(rate, emptyAt, now) - (used - 1)) * rate.intervalMs;
}
