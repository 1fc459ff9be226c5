/** Responses that pass by the cache: what they say about the next requests for the same thing, and what they make untrue. */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import type { Exchange } from "../http/exchange.ts";
import { PassingSink } from "../http/passing.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { cacheStatus } from "./cache-status.ts";
import { judge } from "./cacheability.ts";
import { alsoInvalid, hasTakenEffect } from "./invalidation.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { ResponseCache } from "./response-cache.ts";
import { forClient } from "./shown-fields.ts";

/** Of a request that could have been answered from the cache. */
export class PassedSink extends PassingSink {
  readonly #cache: ResponseCache;
  readonly #plan: CachePlan;
  readonly #facts: RequestFacts;
  readonly #key: string | null;
  readonly #status: string;

  /** @param key under which others wait for it, or do not; null where this request tells nothing about others. */
  constructor(
    outer: Exchange,
    cache: ResponseCache,
    plan: CachePlan,
    facts: RequestFacts,
    key: string | null,
    status: string,
  ) {
    super(outer);
    this.#cache = cache;
    this.#plan = plan;
    this.#facts = facts;
    this.#key = key;
    this.#status = status;
  }

  protected override shown(status: number, fields: ResponseFields): ResponseFields {
    this.#learn(status, fields);
    return forClient(fields, this.#plan, this.#status);
  }

  /** While responses may not be stored nobody waits for another one's; the first that may ends that. */
  #learn(status: number, fields: ResponseFields): void {
    if (this.#key === null || status === 304 || status === 206) return;
    const { hasAuthorization, hasCookie, hasSession } = this.#facts;
    const { clock } = this.#cache;
    const request = { hasAuthorization, hasCookie: hasCookie && !this.#plan.anonymous, hasSession, saysNoStore: false };
    const judged = judge(request, status, fields.flat, { wall: clock.wall(), delayMs: 0 }, this.#plan);
    const now = clock.now();
    if (judged.type === "storable") this.#cache.forgetPass(this.#key);
    else if (this.#cache.isPassed(this.#key, now)) this.#cache.notePass(this.#key, now);
  }
}

/** Of a request that may change what it is about. */
export class UnsafeSink extends PassingSink {
  readonly #cache: ResponseCache;
  readonly #plan: CachePlan;
  readonly #base: string;
  readonly #target: string;

  constructor(outer: Exchange, cache: ResponseCache, plan: CachePlan, base: string, target: string) {
    super(outer);
    this.#cache = cache;
    this.#plan = plan;
    this.#base = base;
    this.#target = target;
  }

  protected override shown(status: number, fields: ResponseFields): ResponseFields {
    this.#invalidate(status, fields);
    return forClient(fields, this.#plan, METHOD);
  }

  #invalidate(status: number, { flat }: ResponseFields): void {
    if (!hasTakenEffect(status)) return;
    this.#cache.invalidate(this.#base, this.#target);
    for (const target of alsoInvalid(flat, this.#base, this.#target)) this.#cache.invalidate(this.#base, target);
  }
}

const METHOD = cacheStatus({ fwd: "method" });
