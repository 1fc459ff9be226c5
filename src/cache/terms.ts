/** On what terms a response is kept: everything about it but its body, as plain data, so that it can go to a file and come back. */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import { type Storable, TAG_FIELDS } from "./cacheability.ts";
import { members, valuesOf } from "../http/field-lines.ts";

export interface Terms {
  readonly status: number;
  readonly reason: string;
  /** What the app said; empty of one whose body and fields are in a file. */
  readonly flat: readonly string[];
  readonly tags: readonly string[];
  /** The request fields it varies by, and what they were. */
  readonly vary: readonly string[];
  readonly variantKey: string;
  /** Clock time at which its age was 0. */
  readonly bornAt: number;
  /** Clock time until which it may be used without asking. */
  readonly freshUntil: number;
  /** It must be validated before each use. */
  readonly isNoCache: boolean;
  /** Nothing stale is wanted but what it allows itself (RFC 9111 section 4.2.4). */
  readonly isStrict: boolean;
  /** The app can be asked whether it is still good. */
  readonly hasValidator: boolean;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly staleIfDownMs: number;
  /** What its client sees of it. */
  readonly showsStatus: boolean;
  readonly showsTags: boolean;
}

export function termsOf(
  status: number,
  reason: string,
  storable: Storable,
  plan: CachePlan,
  variantKey: string,
  now: number,
): Terms {
  const { flat, vary, lifetime, staleness, isNoCache } = storable;
  const bornAt = now - storable.age * 1000;
  const isNever = staleness === "never" || isNoCache;
  const isStrict = isNever || staleness === "as it says";
  const span = (said: number | null, configuredMs: number): number =>
    isNever ? 0 : said === null ? (isStrict ? 0 : configuredMs) : said * 1000;
  return {
    status,
    reason,
    flat,
    tags: tagsOf(flat),
    vary,
    variantKey,
    bornAt,
    freshUntil: bornAt + lifetime.seconds * 1000,
    isNoCache,
    isStrict,
    hasValidator: valuesOf(flat, "etag").length + valuesOf(flat, "last-modified").length > 0,
    staleWhileRevalidateMs: span(storable.staleWhileRevalidate, plan.staleWhileRevalidateMs),
    staleIfErrorMs: span(storable.staleIfError, plan.staleIfErrorMs),
    // What was never fresh was not meant to be given twice.
    staleIfDownMs: isStrict || lifetime.seconds === 0 ? 0 : plan.staleIfDownMs,
    showsStatus: plan.statusHeader,
    showsTags: plan.keepTags || !flat.some((name, i) => i % 2 === 0 && TAG_FIELDS.has(name.toLowerCase())),
  };
}

function tagsOf(flat: readonly string[]): readonly string[] {
  const keys = valuesOf(flat, "surrogate-key");
  const tags = valuesOf(flat, "cache-tag");
  if (keys.length === 0 && tags.length === 0) return [];
  return [...new Set([...keys.flatMap((one) => one.split(/[ \t]+/)), ...members(tags)])].filter((one) => one !== "");
}
