/**
 * Limits of a route: how often, and how many at once (`limits` in the configuration). All limits are asked before any counts the request, so one that
 * is refused by the second has not used up the first.
 *
 *     refused ──▶ 429 with Retry-After and RateLimit fields
 *     late    ──▶ waits for its turn; a client that leaves meanwhile is taken out
 *     passed  ──▶ counted as at work until its response is over and no worker has it
 *
 * Fields: draft-ietf-httpapi-ratelimit-headers-10 (RateLimit-Policy: the same with every response, section 3; RateLimit: section 4); RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (Retry-After).
 */
import type { Clock } from "../clock.ts";
import type { LimitPlan } from "../config/sites/limits.ts";
import { answerError } from "../http/error-response.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Handler, Stage } from "../http/handler.ts";
import { appended, dress, ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";
import { hold, letGo } from "./holding.ts";
import { keyOf } from "./limit-key.ts";
import type { LimitZone, LimitZones } from "./limit-zones.ts";
import { afterOne, isRefused, moreMs, type Rate, remaining, retryMs, waitMs } from "./rate.ts";
import { ToldOften } from "./told-often.ts";

export interface LimitsContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly zones: LimitZones;
}

/** `owner` is the route's name; `where`, a part of it that a reload does not change, names what it counts for itself. */
export function limiting(
  plans: readonly LimitPlan[],
  owner: { readonly name: string; readonly where: string },
  context: LimitsContext,
): Stage {
  const limits = plans.map((plan, at) => new Limit(plan, owner, at, context));
  return (next) => (exchange) => admit(limits, exchange, next, context.clock);
}

// Private

/** Where nothing else tells when to come again. */
const CONCURRENCY_RETRY_MS = 1000;

/** One limit of one route, and the request it looks at now. */
class Limit {
  readonly plan: LimitPlan;
  readonly rate: Rate | null;
  readonly zone: LimitZone;
  readonly keyOf: (exchange: Exchange) => string;
  readonly refused: ToldOften<Exchange>;
  readonly full: ToldOften<null>;
  readonly #label: string;
  /** The name of its policy on concurrency. */
  readonly #places: string;
  readonly #policy: string;
  /** Of the request that is being looked at; requests are looked at one at a time. */
  key = "";
  emptyAt = 0;
  isOver = false;
  /** It is over what may be at work at once. */
  isFull = false;

  constructor(
    plan: LimitPlan,
    owner: { name: string; where: string },
    at: number,
    { clock, log, zones }: LimitsContext,
  ) {
    this.plan = plan;
    this.rate = plan.rate === null ? null : { intervalMs: plan.rate.intervalMs, burst: plan.burst, delay: plan.delay };
    this.zone = zones.zone(plan, `${owner.where} ${at}`);
    this.keyOf = keyOf(plan.key);
    const said = plan.name ?? `number ${at + 1}`;
    this.#label = plan.name ?? (at === 0 ? "default" : `default-${at + 1}`);
    this.#places = this.rate === null ? this.#label : `${this.#label}-concurrent`;
    this.#policy = [
      ...(this.rate === null ? [] : [ratePolicy(this.#label, this.rate)]),
      ...(plan.concurrent === 0 ? [] : [`"${this.#places}";q=${plan.concurrent};qu="concurrent-requests"`]),
    ].join(", ");
    const name = `Limit ${said} of ${owner.name} (${describe(plan)})`;
    this.refused = new ToldOften(clock, (count, { head, peer }) => {
      const requests = `${count} request${count === 1 ? "" : "s"}`;
      const did = plan.isDryRun ? `would refuse ${requests} (dry run)` : `${requests} answered ${plan.status}`;
      log.warning(`${name}: ${did}, the last ${head.method} from ${peer.address || "a Unix socket"}`);
    });
    this.full = new ToldOften(clock, (count) =>
      log.warning(`${name}: forgot ${count} of ${plan.entries} keys to make room for others (entries)`),
    );
  }

  /** Null where it may pass; else milliseconds until it might. */
  refusal(exchange: Exchange, now: number): number | null {
    const refusal = this.#refusal(exchange, now);
    this.isOver = refusal !== null;
    return refusal;
  }

  #refusal(exchange: Exchange, now: number): number | null {
    const { plan, zone, rate } = this;
    this.isFull = false;
    this.key = this.keyOf(exchange);
    if (rate !== null) {
      this.emptyAt = zone.buckets.use(this.key) ?? 0;
      if (isRefused(rate, this.emptyAt, now)) return retryMs(rate, this.emptyAt, now);
    }
    this.isFull = plan.concurrent > 0 && (zone.atWork.get(this.key) ?? 0) >= plan.concurrent;
    return this.isFull ? CONCURRENCY_RETRY_MS : null;
  }

  /** Counts it. Returns how long it has to wait. */
  count(exchange: Exchange, now: number): number {
    const { plan, zone, rate } = this;
    if (plan.concurrent > 0) occupy(exchange, zone, this.key);
    if (rate === null) return 0;
    const wait = waitMs(rate, this.emptyAt, now);
    this.emptyAt = afterOne(rate, this.emptyAt, now);
    if (zone.buckets.set(this.key, this.emptyAt, (emptyAt) => emptyAt <= now)) this.full.happened(null);
    return wait;
  }

  /** What is left, for the client; of one that is refused only what it is refused for, since Retry-After must not name an earlier time than `t`. */
  fields(now: number): ResponseFields {
    const { plan, rate, zone } = this;
    const items: string[] = [];
    if (rate !== null && !this.isFull) {
      // A millionth of a second over a second is none.
      const moreAfter = Math.max(0, Math.ceil(moreMs(rate, this.emptyAt, now) / 1000 - 1e-6));
      items.push(`"${this.#label}";r=${remaining(rate, this.emptyAt, now)};t=${moreAfter}`);
    }
    if (plan.concurrent > 0 && (this.isFull || !this.isOver)) {
      const left = Math.max(0, plan.concurrent - (zone.atWork.get(this.key) ?? 0));
      items.push(`"${this.#places}";r=${left}`);
    }
    return ownFields(["RateLimit-Policy", this.#policy, "RateLimit", items.join(", ")]);
  }
}

function admit(limits: readonly Limit[], exchange: Exchange, next: Handler, clock: Clock): void {
  const now = clock.now();
  let wanted: Limit | null = null;
  let retry = 0;
  for (const limit of limits) {
    const refusal = limit.refusal(exchange, now);
    if (refusal === null) continue;
    limit.refused.happened(exchange);
    if (limit.plan.isDryRun || (wanted !== null && retry >= refusal)) continue;
    wanted = limit;
    retry = refusal;
  }
  if (wanted !== null) return refuse(exchange, wanted, retry, now);
  let wait = 0;
  for (const limit of limits) {
    // In a dry run what would have been refused is not counted either.
    if (limit.isOver) continue;
    const late = limit.count(exchange, now);
    if (!limit.plan.isDryRun && late > wait) wait = late;
    if (limit.plan.announces && !limit.plan.isDryRun) announce(exchange, limit, now);
  }
  if (wait === 0) return next(exchange);
  const timer = clock.after(wait, () => {
    letGo(exchange);
    next(exchange);
  });
  hold(exchange, () => timer.cancel());
}

function refuse(exchange: Exchange, limit: Limit, retry: number, now: number): void {
  announce(exchange, limit, now);
  answerError(exchange, limit.plan.status, retry / 1000);
}

function announce(exchange: Exchange, limit: Limit, now: number): void {
  const more = limit.fields(now);
  dress(exchange, (_exchange, _status, fields) => appended(fields, more));
}

/** Takes a place until the response is over and no worker has the request: who leaves at once and comes again must not get more than the others. */
function occupy(exchange: Exchange, zone: LimitZone, key: string): void {
  zone.enter(key);
  let waitsFor = 2;
  const one = (before: (() => void) | null): void => {
    before?.();
    if (--waitsFor === 0) zone.leave(key);
  };
  const { whenOver, whenSettled } = exchange;
  exchange.whenOver = () => one(whenOver);
  exchange.whenSettled = () => one(whenSettled);
}

/** Quota and window: so many in the time in which an empty allowance fills up again. */
function ratePolicy(label: string, rate: Rate): string {
  const quota = rate.burst + 1;
  return `"${label}";q=${quota};w=${Math.max(1, Math.ceil((quota * rate.intervalMs) / 1000))}`;
}

function describe({ rate, burst, concurrent }: LimitPlan): string {
  const parts: string[] = [];
  if (rate !== null) parts.push(burst > 0 ? `${rate.text}, burst ${burst}` : rate.text);
  if (concurrent > 0) parts.push(`${concurrent} at once`);
  return parts.join(", ");
}
