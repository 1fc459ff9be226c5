/**
 * How long requests keep a seat, learned per route. A route is the path with its obvious parameters (numbers, hex ids, UUIDs) replaced, which is all
 * that can be known without knowing the app's URL map.
 *
 * The estimate is pessimistic on purpose: mean + 2 mean deviations, where the deviation rises fast and falls slowly, so that a route that is slow
 * once in twenty times never looks fast, and nobody is put behind it.
 */
import type { ServiceTimes } from "../http/exchange.ts";

const PATHS_LIMIT = 8192;
const ROUTES_LIMIT = 2048;
const PARAMETER = /^(?:\d+|[0-9a-f]{8,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** One update moves the mean by 1/8 of the difference; the deviation by 1/4 up, 1/32 down. */
const MEAN_SHARE = 1 / 8;
const DEVIATION_UP = 1 / 4;
const DEVIATION_DOWN = 1 / 32;

/** A route that has never been measured: nobody waits behind it. */
export const UNKNOWN_MS: number = Number.POSITIVE_INFINITY;

/** Pessimistic estimate in milliseconds. */
export function estimateMs(times: ServiceTimes | null): number {
  return times === null || times.meanMs < 0 ? UNKNOWN_MS : times.meanMs + 2 * times.deviationMs;
}

/** Takes one measurement into account. */
export function learn(times: ServiceTimes, ms: number): void {
  if (times.meanMs < 0) {
    times.meanMs = ms;
    times.deviationMs = ms / 4;
    return;
  }
  const difference = ms - times.meanMs;
  const distance = Math.abs(difference);
  times.meanMs += difference * MEAN_SHARE;
  times.deviationMs += (distance - times.deviationMs) * (distance > times.deviationMs ? DEVIATION_UP : DEVIATION_DOWN);
}

/** The path with parameter-like segments replaced by `*`. */
export function routePattern(path: string): string {
  return path
    .split("/")
    .map((segment) => (PARAMETER.test(segment) ? "*" : segment))
    .join("/");
}

export class ServiceTimesTable {
  readonly #byPath = new Map<string, ServiceTimes>();
  readonly #byRoute = new Map<string, ServiceTimes>();

  /** The record of a request's route; made at its first request. */
  of(method: string, path: string): ServiceTimes {
    const key = method === "GET" ? path : `${method} ${path}`;
    const known = this.#byPath.get(key);
    if (known !== undefined) return known;
    const pattern = routePattern(key);
    let times = this.#byRoute.get(pattern);
    if (times === undefined) {
      // Bounded: clients can invent paths. Forgetting costs a few cautious decisions.
      if (this.#byRoute.size >= ROUTES_LIMIT) this.#byRoute.clear();
      times = { meanMs: -1, deviationMs: 0 };
      this.#byRoute.set(pattern, times);
    }
    if (this.#byPath.size >= PATHS_LIMIT) this.#byPath.clear();
    this.#byPath.set(key, times);
    return times;
  }
}
