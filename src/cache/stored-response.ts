/**
 * One response in the cache: what it is, until when it may be used, and its fields made ready to send, which change only with its age, once a
 * second. Times are the clock's monotonic milliseconds, so that a change of the wall clock makes nothing younger or older.
 */
import type { ResponseFields } from "../http/response-fields.ts";
import { ownFields } from "../http/response-changes.ts";
import { cacheStatus } from "./cache-status.ts";
import { TAG_FIELDS } from "./cacheability.ts";
import { valueOf, without } from "../http/field-lines.ts";
import type { Resource } from "./shelf.ts";
import type { Terms } from "./terms.ts";

export class StoredResponse {
  readonly terms: Terms;
  readonly status: number;
  readonly reason: string;
  readonly flat: readonly string[];
  /** What goes to the client of that. */
  readonly #shown: readonly string[];
  readonly varyText: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly bornAt: number;
  freshUntil: number;
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
  /** It is no longer true, or a newer one has taken its place. */
  isRevoked = false;
  /** The name of its file; null: it is in memory. */
  file: string | null = null;

  /** Up to this clock time `ready` may be sent as it is. */
  readyUntil = 0;
  ready: ResponseFields | null = null;
  /** Those of a 304 with the same age. */
  ready304: ResponseFields | null = null;

  constructor(terms: Terms, body: string | Buffer | null) {
    this.terms = terms;
    this.status = terms.status;
    this.reason = terms.reason;
    this.flat = terms.flat;
    this.#shown = terms.showsTags ? this.flat : without(this.flat, (lower) => TAG_FIELDS.has(lower));
    this.varyText = terms.vary.join(",");
    this.etag = valueOf(this.flat, "etag");
    this.lastModified = valueOf(this.flat, "last-modified");
    this.bornAt = terms.bornAt;
    this.freshUntil = terms.freshUntil;
    this.body = body;
    this.bodyLength = body?.length ?? 0;
  }

  get vary(): readonly string[] {
    return this.terms.vary;
  }

  get variantKey(): string {
    return this.terms.variantKey;
  }

  get tags(): readonly string[] {
    return this.terms.tags;
  }

  get isNoCache(): boolean {
    return this.terms.isNoCache;
  }

  get isStrict(): boolean {
    return this.terms.isStrict;
  }

  get hasValidator(): boolean {
    return this.terms.hasValidator;
  }

  isFresh(now: number): boolean {
    return now < this.freshUntil && !this.terms.isNoCache;
  }

  /** It may be given although its time is over, while it is asked for anew (RFC 5861 section 3). */
  mayServeWhileRevalidating(now: number): boolean {
    return now < this.freshUntil + this.terms.staleWhileRevalidateMs;
  }

  /** It may be given in place of an error (RFC 5861 section 4). */
  mayServeOnError(now: number): boolean {
    return now < this.freshUntil + this.terms.staleIfErrorMs;
  }

  /** It may be given while the app cannot be asked (RFC 9111 section 4.2.4). */
  mayServeWhileDown(now: number): boolean {
    return now < this.freshUntil + this.terms.staleIfDownMs;
  }

  /** Its time is over now. */
  expire(now: number): void {
    this.freshUntil = Math.min(this.freshUntil, now);
    this.readyUntil = 0;
    this.ready = null;
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
    this.ready304 = null;
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
    return ownFields(
      this.terms.showsStatus ? [...this.#shown, ...more, "Cache-Status", status] : [...this.#shown, ...more],
    );
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
