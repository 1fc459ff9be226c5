/**
 * The cache of one route: takes its requests, answers those that it can, and lets the others go on to the app, whose responses it stores where
 * that is allowed.
 */
import { answerError } from "../http/error-response.ts";
import { Exchange } from "../http/exchange.ts";
import type { Handler, Stage } from "../http/handler.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import { passOn } from "../http/passing.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import { answerFrom } from "./answer.ts";
import { type Forwarded, cacheStatus } from "./cache-status.ts";
import { Fill } from "./fill.ts";
import type { FillHouse } from "./fill-words.ts";
import { isUnsafe } from "./invalidation.ts";
import { parametersOf, targetKey } from "./key.ts";
import { answerPurge } from "./purge-request.ts";
import { RequestFacts } from "./request-facts.ts";
import type { ResponseCache } from "./response-cache.ts";
import { reuseOf } from "./reuse.ts";
import { mayPurge, type RouteRules } from "./route-rules.ts";
import type { StoredResponse } from "./stored-response.ts";
import { PassedSink, UnsafeSink } from "./passed-sinks.ts";
import { validating } from "./validation.ts";
import { variantKey } from "./vary.ts";
import type { Waiting } from "./waiting.ts";

/** A cache before a handler. */
export function caching(cache: ResponseCache, rules: RouteRules): Stage {
  cache.isUsed = true;
  return (next) => {
    const desk = new Desk(cache, rules, next);
    return (exchange) => desk.handle(exchange);
  };
}

export class Desk implements FillHouse {
  readonly cache: ResponseCache;
  readonly #rules: RouteRules;
  readonly #next: Handler;

  constructor(cache: ResponseCache, rules: RouteRules, next: Handler) {
    this.cache = cache;
    this.#rules = rules;
    this.#next = next;
  }

  /** Hot path: a hit costs one look at the section's facts, one at the map of targets and one at the time. */
  handle(exchange: Exchange): void {
    const { head } = exchange;
    const rules = this.#rules;
    if (head.method === "GET" && head.framing === "none" && exchange.webSocket === null) {
      const facts = this.#factsOf(exchange);
      if (facts.isPlain) {
        const stored = this.#single(facts, head);
        if (stored !== null && exchange.receivedAt < stored.readyUntil) {
          stored.isVisited = true;
          this.cache.hits++;
          exchange.complete(stored.status, stored.reason, stored.ready!, stored.body!);
          return;
        }
      }
      return this.#look({ exchange, facts }, exchange.receivedAt);
    }
    if (exchange.webSocket !== null) return this.#next(exchange);
    if (head.method === "HEAD" && head.framing === "none")
      return this.#look({ exchange, facts: this.#factsOf(exchange) }, exchange.receivedAt);
    if (head.method === "PURGE" && mayPurge(exchange.peer.address, rules))
      return answerPurge(exchange, this.#factsOf(exchange).shelfName, this.cache);
    const facts = this.#factsOf(exchange);
    if (!isUnsafe(head.method)) return this.#passAside(exchange, facts);
    const { shelfName } = facts;
    const sink = new UnsafeSink(exchange, this.cache, rules.plan, baseOf(shelfName), targetKey(head, rules.key));
    this.#next(passOn(exchange, sink));
  }

  // --- for fills

  alone(waiting: Waiting, why: Forwarded): void {
    this.#pass(waiting, why, null);
  }

  again(waiting: Waiting): void {
    if (waiting.exchange.state !== "done") this.#look(waiting, this.cache.clock.now());
  }

  anew(fill: Fill): void {
    const before = fill.inner!;
    const headers = validating(before.head.headers, null);
    this.#next((fill.inner = this.#inner({ ...before.head, headers }, before, fill, this.cache.clock.now())));
  }

  // Private

  #factsOf(exchange: Exchange): RequestFacts {
    const { headers } = exchange.head;
    const known = headers.cacheFacts;
    if (known instanceof RequestFacts && known.isFor(exchange, this.#rules)) return known;
    const facts = new RequestFacts(exchange, this.#rules);
    headers.cacheFacts = facts;
    return facts;
  }

  /** The stored response for a target that has only one, which varies by nothing. */
  #single(facts: RequestFacts, head: RequestHead): StoredResponse | null {
    let { shelf } = facts;
    if (shelf === null || shelf.isGone) {
      shelf = this.cache.store.shelf(facts.shelfName) ?? null;
      facts.shelf = shelf;
      if (shelf === null) return null;
    }
    const { key } = this.#rules;
    const target = key.isPlain && head.target.charCodeAt(0) === 0x2f ? head.target : targetKey(head, key);
    return shelf.resources.get(target)?.single ?? null;
  }

  /** The long way. */
  #look(waiting: Waiting, now: number, found: StoredResponse | null = null): void {
    const { exchange, facts } = waiting;
    const { head } = exchange;
    const bypass = facts.bypass ?? this.#queryBypass(head);
    if (bypass !== null) return this.#pass(waiting, "bypass", bypass);
    const { wants, shelfName } = facts;
    const target = targetKey(head, this.#rules.key);
    const resource = this.cache.store.resource(shelfName, target);
    const stored = found ?? resource?.find(head.headers) ?? null;
    if (stored === null && this.#fetches(waiting, target)) return;
    if (stored !== null) {
      const reuse = reuseOf(stored, wants, now);
      if (reuse !== "ask") {
        this.#hit(waiting, stored, now);
        if (reuse === "use and renew") this.#renew(waiting, stored, target, now);
        return;
      }
    }
    if (wants?.onlyIfCached === true) return answerError(exchange, 504);
    if (wants?.noStore === true) return this.#pass(waiting, "request", null);
    if (head.method === "HEAD") return this.#pass(waiting, "method", null);
    const forwarded: Forwarded =
      stored !== null
        ? stored.isFresh(now) || stored.isNoCache
          ? "request"
          : "stale"
        : resource === undefined
          ? "uri-miss"
          : "vary-miss";
    // A part of what is not stored is the app's to give.
    if (facts.range !== null && stored === null) return this.#pass(waiting, forwarded, null);
    this.#ask(waiting, stored, target, resource?.variants[0]?.vary ?? [], forwarded, now);
  }

  /** It is on the disk: it is looked for again when it has been read. */
  #fetches(waiting: Waiting, target: string): boolean {
    const { exchange, facts } = waiting;
    const entry = this.cache.onDisk(facts.shelfName, target, exchange.head.headers);
    if (entry === null) return false;
    exchange.state = "given";
    void this.#bring(waiting, target, entry);
    return true;
  }

  async #bring(waiting: Waiting, target: string, entry: StoredResponse): Promise<void> {
    const { exchange, facts } = waiting;
    const stored = await this.cache.fetch(facts.shelfName, target, entry);
    if (exchange.state === "done") return;
    exchange.state = "waiting";
    this.#look(waiting, this.cache.clock.now(), stored);
  }

  #hit({ exchange, facts }: Waiting, stored: StoredResponse, now: number): void {
    stored.isVisited = true;
    this.cache.hits++;
    if (!stored.isFresh(now)) this.cache.staleHits++;
    answerFrom(exchange, facts, stored, stored.fieldsAt(now));
  }

  /** Asks the app, together with all who ask for the same. */
  #ask(
    waiting: Waiting,
    stale: StoredResponse | null,
    target: string,
    vary: readonly string[],
    forwarded: Forwarded,
    now: number,
  ): void {
    const { exchange, facts } = waiting;
    const key = this.#fillKey(facts, target, vary, exchange.head.headers);
    // Who wants it newer than it is now wants no answer that is under way.
    const isSocial = this.#rules.plan.coalesce && facts.wants === null;
    if (this.cache.isPassed(key, now)) {
      if (stale === null) return this.#pass(waiting, forwarded, null);
    } else if (isSocial) {
      const fill = this.cache.fills.get(key);
      if (fill?.join(waiting, now) === true) return;
    }
    this.cache.misses++;
    const alone = !isSocial || this.cache.isPassed(key, now);
    this.#begin(waiting, stale, target, forwarded, alone ? null : key, exchange, now);
  }

  /** Asks the app for nobody. */
  #renew(waiting: Waiting, stored: StoredResponse, target: string, now: number): void {
    const key = this.#fillKey(waiting.facts, target, stored.vary, waiting.exchange.head.headers);
    if (!this.cache.fills.has(key)) this.#begin(waiting, stored, target, "stale", key, null, now);
  }

  #begin(
    { exchange, facts }: Waiting,
    stale: StoredResponse | null,
    target: string,
    forwarded: Forwarded,
    key: string | null,
    leader: Exchange | null,
    now: number,
  ): void {
    const { head } = exchange;
    const asked = stale !== null && stale.hasValidator && stale.body !== null ? stale : null;
    let headers = validating(head.headers, asked);
    const isReduced = this.#rules.plan.anonymous && facts.hasCookie;
    if (isReduced) headers = headers.filtered(({ kind }) => kind !== "cookie");
    const { shelfName } = facts;
    const words = { key, base: baseOf(shelfName), shelfName, target, forwarded, stale, isReduced };
    const fill = new Fill(this, words, facts, leader);
    const inner = this.#inner({ ...head, method: "GET", headers }, exchange, fill, now);
    fill.begin(inner);
    this.#next(inner);
  }

  /** `from` is whose request it is: whoever has it fetched for all. */
  #inner(head: RequestHead, from: Exchange, fill: Fill, now: number): Exchange {
    const inner = new Exchange(head, from.peer, fill, now);
    inner.body = EMPTY_BODY;
    inner.user = from.user;
    inner.requestId = from.requestId;
    return inner;
  }

  /** Goes on as it is, by itself. */
  #pass({ exchange, facts }: Waiting, why: Forwarded, detail: string | null): void {
    this.cache.passed++;
    const status = cacheStatus(detail === null ? { fwd: why } : { fwd: why, detail });
    const key = this.#fillKey(facts, targetKey(exchange.head, this.#rules.key), [], exchange.head.headers);
    const sink = new PassedSink(exchange, this.cache, this.#rules.plan, facts, why === "bypass" ? null : key, status);
    const inner = passOn(exchange, sink);
    this.#next(inner);
  }

  /** With a body, or another method: nothing is known of responses to such, and nothing is learned from them. */
  #passAside(exchange: Exchange, facts: RequestFacts): void {
    this.cache.passed++;
    const { method } = exchange.head;
    const hasBody = method === "GET" || method === "HEAD";
    const status = cacheStatus(hasBody ? { fwd: "bypass", detail: "body" } : { fwd: "method" });
    this.#next(passOn(exchange, new PassedSink(exchange, this.cache, this.#rules.plan, facts, null, status)));
  }

  #queryBypass({ query }: RequestHead): string | null {
    const { bypassQuery } = this.#rules;
    if (bypassQuery === null || query === "") return null;
    return parametersOf(query).some(([name, value]) => bypassQuery(name, value)) ? "query" : null;
  }

  #fillKey(facts: RequestFacts, target: string, vary: readonly string[], headers: HeaderBlock): string {
    const key = `${facts.shelfName}\n${target}\n${facts.hasAuthorization ? "A" : ""}`;
    return vary.length === 0 ? key : `${key}\n${variantKey(vary, headers)}`;
  }
}

/** Scheme, host and prefix of a shelf's name. */
function baseOf(shelfName: string): string {
  const end = shelfName.indexOf("\n");
  return end === -1 ? shelfName : shelfName.slice(0, end);
}
