/**
 * The stage that compresses responses. What it leaves alone: answers without a body, parts (206), what is encoded already, what `no-transform`
 * protects, types that are not listed, bodies below the least size, and everything while there is no CPU to spare (budget.ts).
 *
 *     whole body      compressed at once, or on a thread where it is large; from the cache: once for all who get the same Buffer
 *     streamed body   through a compressor of its own, flushed when the stream pauses (flow.ts)
 */
import type { Clock } from "../clock.ts";
import type { CompressionPlan } from "../config/compression.ts";
import type { Exchange, FilePart } from "../http/exchange.ts";
import { requestName } from "../http/request-name.ts";
import type { Handler, Stage } from "../http/handler.ts";
import { carriesBody } from "../http/http1/response-head.ts";
import type { Coding } from "../http/negotiation.ts";
import { PassingSink, passOn } from "../http/passing.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { Log } from "../telemetry/log.ts";
import { CompressionBudget } from "./budget.ts";
import { streamCompressor } from "./codecs.ts";
import { CompressedBodies } from "./compressed-bodies.ts";
import { CompressingFlow, type OnBadLength } from "./flow.ts";
import { MediaTypes } from "./media-types.ts";
import { type RequestWishes, WishReader } from "./request-wishes.ts";
import { type ResponseVariants, variantsOf, weakTag } from "./response-variants.ts";

/** Pieces of a stream gather so long before they are compressed together; events go in the turn in which they came. */
const GATHER_MS = 5;

/** Compression for the house: one budget for all routes. */
export class Compression {
  readonly budget: CompressionBudget;
  readonly clock: Clock;
  readonly onBadLength: OnBadLength;
  readonly #rules = new WeakMap<CompressionPlan, Rules>();

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.budget = new CompressionBudget(clock, log);
    this.onBadLength = (exchange, promised, came) =>
      log.error(`${requestName(exchange)}: the app promised Content-Length ${promised} and sent ${came} bytes`);
  }

  /** The stage for routes with this plan. */
  stage(plan: CompressionPlan): Stage {
    let rules = this.#rules.get(plan);
    if (rules === undefined) this.#rules.set(plan, (rules = new Rules(plan, this)));
    return compressing(rules);
  }
}

/** A plan, made ready. */
class Rules {
  readonly plan: CompressionPlan;
  readonly house: Compression;
  readonly types: MediaTypes;
  readonly wishes: WishReader;
  readonly bodies: CompressedBodies;

  constructor(plan: CompressionPlan, house: Compression) {
    this.plan = plan;
    this.house = house;
    this.types = new MediaTypes(plan.types);
    this.wishes = new WishReader(plan.codings);
    this.bodies = new CompressedBodies(plan.levels, house.budget);
  }
}

function compressing(rules: Rules): Stage {
  return (next: Handler): Handler =>
    (outer) => {
      if (outer.webSocket !== null) return next(outer);
      const wishes = rules.wishes.read(outer.head);
      next(passOn(outer, new CompressingSink(outer, wishes, rules), wishes.head));
    };
}

class CompressingSink extends PassingSink {
  readonly #wishes: RequestWishes;
  readonly #rules: Rules;
  #flow: CompressingFlow | null = null;

  constructor(outer: Exchange, wishes: RequestWishes, rules: Rules) {
    super(outer);
    this.#wishes = wishes;
    this.#rules = rules;
  }

  override complete(
    inner: Exchange,
    status: number,
    reason: string,
    fields: ResponseFields,
    body: string | Buffer,
  ): void {
    const variants = this.#variantsFor(status, fields, body.length);
    if (variants === null) return super.complete(inner, status, reason, this.#confirmed(status, fields), body);
    const coding = this.#codingFor(variants);
    if (coding === null) return super.complete(inner, status, reason, variants.plain, body);
    if (this.outer.head.method === "HEAD") return super.complete(inner, status, reason, variants.coded(coding), "");
    this.adopt(inner);
    const plain = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    // What no worker gave comes from a memory of ours, which gives the same object again.
    const mayComeAgain = plain === body && inner.workerPid === 0;
    this.#rules.bodies.get(plain, mayComeAgain, coding, this.#isPadded(variants), this.outer, (coded) => {
      if (coded === null) this.outer.complete(status, reason, variants.plain, body);
      else this.outer.complete(status, reason, variants.coded(coding), coded);
    });
  }

  override start(inner: Exchange, status: number, reason: string, fields: ResponseFields): void {
    const variants = this.#variantsFor(status, fields, -1);
    if (variants === null) return super.start(inner, status, reason, this.#confirmed(status, fields));
    const coding = this.#codingFor(variants);
    if (coding === null) return super.start(inner, status, reason, variants.plain);
    if (this.outer.head.method === "HEAD") return super.start(inner, status, reason, variants.coded(coding));
    const { budget, clock, onBadLength } = this.#rules.house;
    const { levels } = this.#rules.plan;
    const hasRoom = budget.openStream();
    const compressor = hasRoom ? streamCompressor(coding, levels, Math.max(0, fields.contentLength)) : null;
    if (compressor === null) {
      if (hasRoom) budget.closeStream();
      budget.refused();
      return super.start(inner, status, reason, variants.plain);
    }
    this.adopt(inner);
    const settings = {
      coding,
      isPadded: this.#isPadded(variants),
      gatherMs: variants.isEventStream ? 0 : GATHER_MS,
    };
    const { outer } = this;
    const promised = fields.contentLength;
    const flow = new CompressingFlow(outer, inner, promised, compressor, settings, budget, clock, onBadLength);
    this.#flow = flow;
    const { onGone } = outer;
    outer.onGone = (exchange) => {
      onGone?.(exchange);
      if (exchange.state === "done") flow.close();
    };
    outer.start(status, reason, variants.coded(coding));
  }

  override write(inner: Exchange, chunk: Buffer): void {
    if (this.#flow === null) return super.write(inner, chunk);
    inner.sentBytes += chunk.length;
    this.#flow.write(chunk);
  }

  override sendFile(inner: Exchange, part: FilePart, returned: (sent: number) => void): boolean {
    return this.#flow === null && super.sendFile(inner, part, returned);
  }

  override end(inner: Exchange, trailers: ResponseFields | null): void {
    if (this.#flow === null) super.end(inner, trailers);
    else this.#flow.end(trailers);
  }

  override cut(inner: Exchange): void {
    this.#flow?.close();
    super.cut(inner);
  }

  // Private

  /** What the response would be compressed; null: it is for nobody. `bodyBytes` is -1 where the body is streamed. */
  #variantsFor(status: number, fields: ResponseFields, bodyBytes: number): ResponseVariants | null {
    const isHead = this.outer.head.method === "HEAD";
    if (status === 206 || !carriesBody(status, "GET")) return null;
    const { contentLength } = fields;
    // Of an answer to HEAD only the length that GET would have tells.
    const bytes = isHead ? Math.max(contentLength, bodyBytes) : bodyBytes < 0 ? contentLength : bodyBytes;
    if (isHead ? bodyBytes >= 0 && bytes < this.#least : bytes >= 0 && bytes < this.#least) return null;
    // A broken promise is for the edge, which tells and mends it.
    if (!isHead && bodyBytes >= 0 && contentLength >= 0 && contentLength !== bodyBytes) return null;
    const variants = variantsOf(fields, this.#rules.types);
    return variants.suits ? variants : null;
  }

  get #least(): number {
    return this.#rules.plan.minBytes;
  }

  /** It is somebody's own page: its length may tell what is secret in it. */
  #isGuarded(variants: ResponseVariants): boolean {
    return (this.#wishes.isAuthenticated || variants.setsCookie) && !variants.isPublic;
  }

  #isPadded(variants: ResponseVariants): boolean {
    return this.#rules.plan.breach === "pad" && this.#isGuarded(variants);
  }

  #codingFor(variants: ResponseVariants): Coding | null {
    return this.#rules.plan.breach === "skip" && this.#isGuarded(variants) ? null : this.#wishes.coding;
  }

  /** A 304 confirms what the client has: where that was compressed here, with the validator that it has. */
  #confirmed(status: number, fields: ResponseFields): ResponseFields {
    const { weakNoneMatch } = this.#wishes;
    if (status !== 304 || weakNoneMatch === "") return fields;
    const variants = variantsOf(fields, this.#rules.types);
    const isOurs = variants.etag.startsWith('"') && weakNoneMatch.includes(weakTag(variants.etag));
    return isOurs ? variants.confirming : fields;
  }
}
