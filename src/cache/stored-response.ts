/**
 * One response in the cache: what it is, until when it may be used, and its fields made ready to send, which change only with its age, once a
 * second. Times are the clock's monotonic milliseconds, so that a change of the wall clock makes nothing younger or older.
 */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { made } from "./made-fields.ts";
import { cacheStatus } from "./cache-status.ts";
import type { Storable } from "./cacheability.ts";
import { TAG_FIELDS } from "./cacheability.ts";
import { members, valueOf, valuesOf, without } from "./field-lines.ts";
import type { Resource } from "./shelf.ts";

export class StoredResponse {
  readonly status: number;
  readonly reason: string;
  /** What the app said. */
  readonly flat: readonly string[];
  /** What goes to the client of that. */
  readonly #shown: readonly string[];
  readonly #showsStatus: boolean;
  /** The request fields it varies by, and what they were. */
  readonly vary: readonly string[];
  readonly varyText: string;
  readonly variantKey: string;
  readonly tags: readonly string[];
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** Clock time at which its age was 0. */
  readonly bornAt: number;
  /** Clock time until which it may be used without asking. */
  freshUntil: number;
  /** It must be validated before each use. */
  readonly isNoCache: boolean;
  /** It says that nothing stale is wanted (RFC 9111 section 4.2.4). */
  readonly isStrict: boolean;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly staleIfDownMs: number;
  /** Of latin-1 characters, or bytes; null while it is only on the disk. */
  body: string | Buffer | null;
  bodyLength: number;

  // The store's notes.
  countedBytes = 0;
  resource: Resource | null = null;
  older: StoredResponse | null = null;
  newer: StoredResponse | null = null;
  /** It has been used since the hand passed (store.ts). */
  isVisited = false;
  /** Its file in the disk tier; null: only in memory. */
  file: string | null = null;

  /** Up to this clock time `ready` may be sent as it is. */
  readyUntil = 0;
  ready: ResponseFields | null = null;

  constructor(
    status: number,
    reason: string,
    storable: Storable,
    plan: Pick<CachePlan, "keepTags" | "statusHeader" | "staleWhileRevalidateMs" | "staleIfErrorMs" | "staleIfDownMs">,
    variantKey: string,
    body: string | Buffer,
    now: number,
  ) {
    this.status = status;
    this.reason = reason;
    this.flat = storable.flat;
    const hidesTags = !plan.keepTags && this.flat.some((name, i) => i % 2 === 0 && TAG_FIELDS.has(name.toLowerCase()));
    this.#shown = hidesTags ? without(this.flat, (lower) => TAG_FIELDS.has(lower)) : this.flat;
    this.#showsStatus = plan.statusHeader;
    this.vary = storable.vary;
    this.varyText = storable.vary.join(",");
    this.variantKey = variantKey;
    this.tags = tagsOf(this.flat);
    this.etag = valueOf(this.flat, "etag");
    this.lastModified = valueOf(this.flat, "last-modified");
    this.bornAt = now - storable.age * 1000;
    this.freshUntil = this.bornAt + storable.lifetime.seconds * 1000;
    this.isNoCache = storable.isNoCache;
    // Who says must-revalidate, or that only this cache may keep it so long, wants no stale use (RFC 9111 section 4.2.4).
    const isStrict = storable.isStrict || storable.isNoCache;
    this.isStrict = isStrict;
    this.staleWhileRevalidateMs = isStrict
      ? (storable.staleWhileRevalidate ?? 0) * (storable.isNoCache ? 0 : 1000)
      : storable.staleWhileRevalidate === null
        ? plan.staleWhileRevalidateMs
        : storable.staleWhileRevalidate * 1000;
    this.staleIfErrorMs = isStrict
      ? 0
      : storable.staleIfError === null
        ? plan.staleIfErrorMs
        : storable.staleIfError * 1000;
    this.staleIfDownMs = isStrict || storable.lifetime.seconds === 0 ? 0 : plan.staleIfDownMs;
    this.body = body;
    this.bodyLength = body.length;
  }

  isFresh(now: number): boolean {
    return now < this.freshUntil && !this.isNoCache;
  }

  /** It may be given although its time is over, while it is asked for anew (RFC 5861 section 3). */
  mayServeWhileRevalidating(now: number): boolean {
    return now < this.freshUntil + this.staleWhileRevalidateMs;
  }

  /** It may be given in place of an error (RFC 5861 section 4). */
  mayServeOnError(now: number): boolean {
    return now < this.freshUntil + this.staleIfErrorMs;
  }

  /** It may be given while the app cannot be asked (RFC 9111 section 4.2.4). */
  mayServeWhileDown(now: number): boolean {
    return now < this.freshUntil + this.staleIfDownMs;
  }

  /** Its time is over now. */
  expire(now: number): void {
    this.freshUntil = Math.min(this.freshUntil, now);
    this.readyUntil = 0;
    this.ready = null;
  }

  /** The app can be asked whether it is still good. */
  get hasValidator(): boolean {
    return this.etag !== undefined || this.lastModified !== undefined;
  }

  /** There will be a use for it. */
  isWorthKeeping(now: number): boolean {
    return (
      this.isFresh(now) ||
      this.hasValidator ||
      this.mayServeWhileRevalidating(now) ||
      this.mayServeOnError(now) ||
      this.mayServeWhileDown(now)
    );
  }

  ageSeconds(now: number): number {
    return Math.max(0, Math.floor((now - this.bornAt) / 1000));
  }

  /** Whole seconds that it is still fresh; negative where it is not. */
  ttlSeconds(now: number): number {
    return Math.floor((this.freshUntil - this.bornAt) / 1000) - this.ageSeconds(now);
  }

  /** Its fields as they are to be sent at this time. */
  fieldsAt(now: number): ResponseFields {
    if (this.ready !== null && now < this.readyUntil) return this.ready;
    const age = this.ageSeconds(now);
    const isFresh = this.isFresh(now);
    const status = cacheStatus({ hit: true, ttl: this.ttlSeconds(now) });
    const ready = this.#made(["Age", String(age)], status);
    this.ready = ready;
    // What is not fresh takes the long way each time.
    this.readyUntil = isFresh ? Math.min(this.bornAt + (age + 1) * 1000, this.freshUntil) : 0;
    return ready;
  }

  /** The same for a response that has just come, or was not used as a plain hit. `length` of the body, where that is to be said. */
  fieldsWith(now: number, status: string, isNew: boolean, length: number = -1): ResponseFields {
    const age = this.ageSeconds(now);
    const more = isNew && age === 0 ? [] : ["Age", String(age)];
    return this.#made(length === -1 ? more : [...more, "Content-Length", String(length)], status);
  }

  #made(more: readonly string[], status: string): ResponseFields {
    return made(this.#showsStatus ? [...this.#shown, ...more, "Cache-Status", status] : [...this.#shown, ...more]);
  }
}

/** Smaller bodies are kept as text: head and body go out as one string. */
const TEXT_BELOW = 4096;

/** The body in memory of its own: what came may be a part of something larger, which would be kept with it. */
export function ownBody(body: string | Buffer): string | Buffer {
  if (typeof body === "string") return Buffer.from(body, "latin1").toString("latin1");
  if (body.length < TEXT_BELOW) return body.toString("latin1");
  if (body.buffer.byteLength === body.length) return body;
  const copy = Buffer.allocUnsafeSlow(body.length);
  body.copy(copy);
  return copy;
}

function tagsOf(flat: readonly string[]): readonly string[] {
  const keys = valuesOf(flat, "surrogate-key");
  const tags = valuesOf(flat, "cache-tag");
  if (keys.length === 0 && tags.length === 0) return [];
  return [...new Set([...keys.flatMap((one) => one.split(/[ \t]+/)), ...members(tags)])].filter((one) => one !== "");
}
