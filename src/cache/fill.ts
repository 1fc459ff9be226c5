/**
 * One request to the app whose response all who ask for the same thing wait for, and which is stored where that is allowed.
 *
 *     asked ──▶ storing ──▶ over        the head says that it may be stored: whoever waits gets it as it comes, and whoever comes later what came before
 *       ├─────▶ passing ──▶ over        it may not: it is the leader's alone; everybody else goes to the app at once, each for themselves
 *       └─────▶ ignored ──▶ over        the app failed, and something stale was given
 *
 * The first of the waiting is the leader, whose request it is. A leader that leaves does not end it, unless nobody else waits and the app has not
 * begun. While storing, the app's bytes are taken as they come, at most `max-object` of them; beyond that the slowest of the waiting sets the pace.
 */
import type { Exchange, ResponseSink } from "../http/exchange.ts";
import { answerError } from "../http/error-response.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { answerFrom, answersCondition } from "./answer.ts";
import { cacheStatus } from "./cache-status.ts";
import { judge, type NotStorable, type Storable } from "./cacheability.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { FillHouse, FillWords } from "./fill-words.ts";
import { Inflow } from "./inflow.ts";
import { forClient } from "./shown-fields.ts";
import { ownBody, StoredResponse } from "./stored-response.ts";
import { isAbout, updated, withCookies } from "./validation.ts";
import { termsOf } from "./terms.ts";
import { variantKey } from "./vary.ts";
import { adopt, free, isVariantOf, type Waiting } from "./waiting.ts";

/** The app has failed (RFC 5861 section 4). */
const FAILURES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

type State = "asked" | "storing" | "passing" | "ignored" | "over";

export class Fill implements ResponseSink {
  readonly #house: FillHouse;
  readonly words: FillWords;
  readonly #facts: RequestFacts;
  /** The request as the app gets it. */
  inner: Exchange | null = null;
  #state: State = "asked";
  #waiting: Waiting[];
  /** Exchanges that the response of this request is for, whatever it says. */
  readonly #leader: Exchange | null;
  /** What came is no longer true: who waits gets it, but it is not stored. */
  #isDoomed = false;
  #pending: StoredResponse | null = null;
  #inflow: Inflow | null = null;
  readonly #onGone = (exchange: Exchange): void => this.#left(exchange);

  /** @param leader null: it is asked for nobody, to renew what is stored. */
  constructor(house: FillHouse, words: FillWords, facts: RequestFacts, leader: Exchange | null) {
    this.#house = house;
    this.words = words;
    this.#facts = facts;
    this.#leader = leader;
    this.#waiting = leader === null ? [] : [{ exchange: leader, facts }];
  }

  get tags(): readonly string[] {
    return this.#pending?.tags ?? [];
  }

  /** The request is on its way as `inner`. */
  begin(inner: Exchange): void {
    this.inner = inner;
    const { key } = this.words;
    if (key !== null && !this.#house.cache.fills.has(key)) this.#house.cache.fills.set(key, this);
    for (const { exchange } of this.#waiting) this.#hold(exchange);
  }

  /** Its response is for this request too. False where that is known not to be so. */
  join(waiting: Waiting, now: number): boolean {
    if (this.#isDoomed || this.inner === null) return false;
    if (this.#state === "asked") {
      this.#waiting.push(waiting);
      this.#hold(waiting.exchange);
      return true;
    }
    const pending = this.#pending;
    if (this.#state !== "storing" || pending === null || !pending.isFresh(now)) return false;
    if (!isVariantOf(waiting, pending)) return false;
    this.#hold(waiting.exchange);
    this.#startFor(waiting, pending, now);
    if (waiting.exchange.state !== "streaming") return true;
    this.#waiting.push(waiting);
    for (const chunk of this.#inflow!.chunks) waiting.exchange.write(chunk);
    return true;
  }

  /** What it asks for has changed meanwhile. */
  doom(): void {
    this.#isDoomed = true;
    this.#unlist();
  }

  // --- from whoever answers

  complete(inner: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    this.#unlist();
    const now = this.#house.cache.clock.now();
    if (this.#servesInstead(status, now)) return this.#over();
    const { stale } = this.words;
    if (status === 304 && stale !== null) return this.#validated(fields, now);
    const judged = this.#judge(status, fields.flat, now);
    const isWhole = fields.contentLength === -1 || fields.contentLength === body.length;
    const { maxObjectBytes } = this.#facts.rules.plan;
    if (judged.type === "storable" && isWhole && body.length <= maxObjectBytes) {
      const stored = this.#made(status, reason, judged, ownBody(body), now);
      const isStored = this.#keep(stored, now);
      return this.#answerAll(inner, stored, isStored, now);
    }
    this.#notStorable(status, now);
    const leader = this.#takeLeader();
    if (leader !== null) {
      adopt(leader.exchange, inner);
      leader.exchange.complete(status, reason, this.#shown(fields), body);
    }
    this.#over();
  }

  start(inner: Exchange, status: number, reason: string, fields: ResponseFields): void {
    const now = this.#house.cache.clock.now();
    if (this.#servesInstead(status, now) || (status === 304 && this.words.stale !== null)) {
      this.#state = "ignored";
      this.#unlist();
      if (status === 304) this.#validated(fields, now);
      return;
    }
    const judged = this.#judge(status, fields.flat, now);
    const { maxObjectBytes } = this.#facts.rules.plan;
    if (judged.type === "storable" && fields.contentLength <= maxObjectBytes) {
      this.#inflow = new Inflow(maxObjectBytes, fields.contentLength, this.#house.cache.inflow);
      return this.#startStoring(inner, this.#made(status, reason, judged, "", now), now);
    }
    this.#state = "passing";
    this.#unlist();
    this.#notStorable(status, now);
    const leader = this.#takeLeader();
    if (leader === null) return void (this.#state = "ignored");
    adopt(leader.exchange, inner);
    this.#waiting = [leader];
    leader.exchange.onSent = (bytes) => inner.onSent?.(bytes);
    leader.exchange.start(status, reason, this.#shown(fields));
  }

  inform(_inner: Exchange, status: number, fields: ResponseFields): void {
    for (const { exchange } of this.#waiting) exchange.inform(status, fields);
  }

  write(inner: Exchange, chunk: Buffer): void {
    inner.sentBytes += chunk.length;
    if (this.#state === "passing") {
      this.#waiting[0]?.exchange.write(chunk);
      return;
    }
    if (this.#state !== "storing") {
      inner.onSent?.(chunk.length);
      return;
    }
    if (this.#inflow!.add(chunk, (bytes) => inner.onSent?.(bytes))) this.#outgrew(inner);
    // A list of its own: one that leaves in the midst makes a new one.
    for (const { exchange } of this.#waiting) exchange.write(chunk);
  }

  end(_inner: Exchange, trailers: ResponseFields | null): void {
    const now = this.#house.cache.clock.now();
    const pending = this.#pending;
    const inflow = this.#inflow;
    this.#unlist();
    if (this.#state === "storing" && pending !== null && inflow?.isWhole === true) {
      pending.body = ownBody(inflow.body);
      pending.bodyLength = pending.body.length;
      this.#keep(pending, now);
    }
    const ended = this.#waiting;
    this.#over();
    for (const { exchange } of ended) exchange.end(trailers);
  }

  /** It cannot be completed: neither can any of those that have begun with it. */
  cut(_inner: Exchange): void {
    this.#unlist();
    const cut = this.#waiting;
    this.#over();
    for (const { exchange } of cut) answerError(exchange, 502);
  }

  // Private

  #hold(exchange: Exchange): void {
    exchange.state = "given";
    exchange.inner = this.inner;
    exchange.onGone = this.#onGone;
  }

  #unlist(): void {
    this.#house.cache.unlist(this.words.key, this);
  }

  #over(): void {
    this.#state = "over";
    this.#waiting = [];
    this.#inflow?.close();
    this.#inflow = null;
  }

  #left(exchange: Exchange): void {
    // With only its FIN sent it may still want the answer.
    if (exchange.state !== "done") return;
    this.#waiting = this.#waiting.filter((one) => one.exchange !== exchange);
    this.#inflow?.left(exchange);
    const { inner } = this;
    if (this.#waiting.length > 0 || inner === null || this.#state === "over") return;
    // Nobody wants what cannot be stored, and nobody works for a client that left before anybody began.
    if (
      this.#state === "passing" ||
      this.#inflow?.isOutgrown === true ||
      (this.#state === "asked" && !inner.hasBegun)
    ) {
      this.#unlist();
      this.#over();
      inner.leave();
    }
  }

  #judge(status: number, flat: readonly string[], now: number): Storable | NotStorable {
    const { rules, hasAuthorization, hasCookie, hasSession, wants } = this.#facts;
    const times = { wall: this.#house.cache.clock.wall(), delayMs: now - (this.inner?.receivedAt ?? now) };
    const saysNoStore = wants?.noStore === true;
    const request = { hasAuthorization, hasCookie: hasCookie && !this.words.isReduced, hasSession, saysNoStore };
    return judge(request, status, flat, times, rules.plan);
  }

  #made(status: number, reason: string, storable: Storable, body: string | Buffer, now: number): StoredResponse {
    const { plan } = this.#facts.rules;
    const key = variantKey(storable.vary, this.inner!.head.headers);
    return new StoredResponse(termsOf(status, reason, storable, plan, key, now), body);
  }

  #keep(stored: StoredResponse, now: number, old: StoredResponse | null = null): boolean {
    const { cache } = this.#house;
    const { key, shelfName, target } = this.words;
    // What must be asked about each time is nothing to wait for another's answer to.
    if (stored.isFresh(now)) cache.forgetPass(key);
    else cache.notePass(key, now);
    if (this.#isDoomed || !stored.isWorthKeeping(now)) {
      this.#revokeStale();
      return false;
    }
    return old === null ? cache.keep(shelfName, target, stored) : cache.renew(shelfName, target, stored, old);
  }

  #revokeStale(): void {
    const { shelfName, target, stale } = this.words;
    if (stale !== null) this.#house.cache.revoke(shelfName, target, stale);
  }

  /** The app failed, and there is something stale that may be given instead. */
  #servesInstead(status: number, now: number): boolean {
    const { stale } = this.words;
    if (stale === null || stale.isRevoked || !FAILURES.has(status) || stale.body === null) return false;
    if (!stale.mayServeOnError(now) && !(this.inner?.isOwnError === true && stale.mayServeWhileDown(now))) return false;
    const text = cacheStatus({ hit: true, fwd: "stale", fwdStatus: status, ttl: stale.ttlSeconds(now) });
    const shown = stale.fieldsWith(now, text, false);
    const { cache } = this.#house;
    const waiting = this.#waiting;
    this.#waiting = [];
    cache.staleHits += waiting.length;
    for (const { exchange, facts } of waiting) answerFrom(exchange, facts, stale, shown);
    return true;
  }

  /** The app says that what is stored is still good. */
  #validated(fields: ResponseFields, now: number): void {
    const stale = this.words.stale!;
    const { cache } = this.#house;
    if (!isAbout(fields.flat, stale) || stale.body === null) {
      // It speaks of a response that we do not have.
      this.#revokeStale();
      return this.#house.anew(this);
    }
    cache.validated++;
    const flat = updated(stale.flat, fields.flat);
    const { plan } = this.#facts.rules;
    const judged = this.#judge(stale.status, flat, now);
    if (judged.type === "storable") {
      const renewed = new StoredResponse(
        termsOf(stale.status, stale.reason, judged, plan, stale.variantKey, now),
        stale.body,
      );
      const isStored = this.#keep(renewed, now, stale);
      return this.#answerAll(this.inner!, renewed, isStored, now, 304);
    }
    this.#revokeStale();
    const leader = this.#takeLeader();
    const text = cacheStatus({ fwd: this.words.forwarded, fwdStatus: 304 });
    const shown = withCookies(stale.fieldsWith(now, text, false), fields);
    if (leader !== null) answerFrom(leader.exchange, leader.facts, stale, shown);
    this.#over();
  }

  /** A whole response for all that it may be used for; the others look again. */
  #answerAll(inner: Exchange, stored: StoredResponse, isStored: boolean, now: number, fwdStatus?: number): void {
    const { cache } = this.#house;
    const waiting = this.#waiting;
    this.#over();
    const forwarded = this.words.forwarded;
    const own = cacheStatus({
      fwd: forwarded,
      ...(fwdStatus === undefined ? {} : { fwdStatus }),
      stored: isStored,
      ...(isStored ? { ttl: stored.ttlSeconds(now) } : {}),
    });
    const joined = stored.fieldsWith(
      now,
      cacheStatus({ fwd: forwarded, collapsed: true, ttl: stored.ttlSeconds(now) }),
      true,
    );
    for (const one of waiting) {
      if (one.exchange === this.#leader) {
        adopt(one.exchange, inner);
        answerFrom(one.exchange, one.facts, stored, stored.fieldsWith(now, own, true));
      } else if (stored.isFresh(now) && isVariantOf(one, stored)) {
        cache.collapsed++;
        answerFrom(one.exchange, one.facts, stored, joined);
      } else this.#house.again(free(one));
    }
  }

  #startStoring(inner: Exchange, pending: StoredResponse, now: number): void {
    this.#state = "storing";
    this.#pending = pending;
    const waiting = this.#waiting;
    this.#waiting = [];
    const others: Waiting[] = [];
    for (const one of waiting) {
      const isLeader = one.exchange === this.#leader;
      if (!isLeader && (!pending.isFresh(now) || !isVariantOf(one, pending))) {
        others.push(one);
        continue;
      }
      if (isLeader) adopt(one.exchange, inner);
      this.#startFor(one, pending, now);
      if (one.exchange.state === "streaming") this.#waiting.push(one);
    }
    // What is not fresh when it comes is nobody else's.
    if (!pending.isFresh(now)) {
      this.#unlist();
      this.#house.cache.notePass(this.words.key, now);
    }
    for (const one of others) this.#house.again(free(one));
  }

  #startFor({ exchange, facts }: Waiting, pending: StoredResponse, now: number): void {
    const { cache } = this.#house;
    const isLeader = exchange === this.#leader;
    if (!isLeader) cache.collapsed++;
    const text = cacheStatus({
      fwd: this.words.forwarded,
      stored: isLeader,
      collapsed: !isLeader,
      ttl: pending.ttlSeconds(now),
    });
    const fields = pending.fieldsWith(now, text, true, this.#inflow!.promised);
    if (pending.status === 200 && answersCondition(exchange, facts, pending, fields)) return;
    exchange.onSent = this.#inflow!.join(exchange);
    exchange.start(pending.status, pending.reason, fields);
  }

  /** A response that may not be stored: who waits for it with others has waited in vain, and nobody shall do so again soon. */
  #notStorable(status: number, now: number): void {
    const { cache } = this.#house;
    cache.notePass(this.words.key, now);
    if (!FAILURES.has(status)) this.#revokeStale();
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ exchange }) => exchange === this.#leader);
    for (const one of waiting) if (one.exchange !== this.#leader) this.#house.alone(free(one), this.words.forwarded);
  }

  /** The one whose request it is, if it still waits and the response is for it. */
  #takeLeader(): Waiting | null {
    const leader = this.#waiting.find(({ exchange }) => exchange === this.#leader) ?? null;
    this.#waiting = [];
    if (leader === null || !this.words.isReduced) return leader;
    this.#house.alone(free(leader), this.words.forwarded);
    return null;
  }

  #shown(fields: ResponseFields): ResponseFields {
    return forClient(fields, this.#facts.rules.plan, cacheStatus({ fwd: this.words.forwarded }));
  }

  /** Too large to be stored: who waits gets it, and nobody joins them any more. */
  #outgrew(inner: Exchange): void {
    this.#unlist();
    const { cache } = this.#house;
    cache.notePass(this.words.key, cache.clock.now());
    if (this.#waiting.length === 0) inner.leave();
  }
}
