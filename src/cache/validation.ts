/** Asking the app whether a stored response is still good (RFC 9111 section 4.3): the request's conditions, and what a 304 changes. */
import { HeaderBlock } from "../http/header-block.ts";
import { type HeaderName, headerName } from "../http/header-names.ts";
import { onlyFields, valueOf } from "../http/field-lines.ts";
import { appended, ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";

const IF_NONE_MATCH = headerName("If-None-Match")!;
const IF_MODIFIED_SINCE = headerName("If-Modified-Since")!;

/** Fields that make a request one about a response that the client has, or a part of one. */
const CONDITIONS: ReadonlySet<string> = new Set([
  "if-none-match",
  "if-modified-since",
  "if-match",
  "if-unmodified-since",
  "if-range",
  "range",
]);

/** The request's fields without its own conditions, and with those that a stored response is validated by. */
export function validating(
  headers: HeaderBlock,
  stored: { readonly etag: string | undefined; readonly lastModified: string | undefined } | null,
): HeaderBlock {
  const needsNone = !headers.names.some(({ lower }) => CONDITIONS.has(lower));
  if (needsNone && stored === null) return headers;
  const plain = needsNone ? headers : headers.filtered(({ lower }) => !CONDITIONS.has(lower));
  if (stored === null) return plain;
  const names: HeaderName[] = [...plain.names];
  const values = [...plain.values];
  if (stored.etag !== undefined) {
    names.push(IF_NONE_MATCH);
    values.push(stored.etag);
  }
  if (stored.lastModified !== undefined) {
    names.push(IF_MODIFIED_SINCE);
    values.push(stored.lastModified);
  }
  const isAscii = plain.isAscii && !BEYOND_ASCII.test(stored.etag ?? "");
  return new HeaderBlock(names, values, isAscii, plain.hasDuplicates, plain.hasUnderscores);
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** The 304 is about this stored response (section 4.3.4): a strong validator that is another one belongs to another response. */
export function isAbout(notModified: readonly string[], stored: { readonly etag: string | undefined }): boolean {
  const etag = valueOf(notModified, "etag");
  if (etag === undefined || stored.etag === undefined || etag.startsWith("W/")) return true;
  return etag === stored.etag || stored.etag.startsWith("W/");
}

/** What the 304 sets is for the one who asked, where what is stored is given to nobody else. */
export function withCookies(shown: ResponseFields, notModified: ResponseFields): ResponseFields {
  return appended(shown, ownFields(onlyFields(notModified.flat, COOKIES)));
}

const COOKIES: ReadonlySet<string> = new Set(["set-cookie"]);

/** Fields that describe the stored body: a 304, which has none, does not change them (section 3.2). */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  "content-length",
  "content-encoding",
  "content-range",
  "transfer-encoding",
  "connection",
  "age",
]);

/** The stored fields with those of the 304 in their place. Age is what the 304 says. */
export function updated(stored: readonly string[], notModified: readonly string[]): string[] {
  const renewed = new Set<string>();
  const news: string[] = [];
  for (let i = 0; i < notModified.length; i += 2) {
    const lower = notModified[i]!.toLowerCase();
    if (OF_THE_BODY.has(lower) && lower !== "age" && lower !== "connection") continue;
    renewed.add(lower);
    news.push(notModified[i]!, notModified[i + 1]!);
  }
  // Without one of its own the 304 has just been made.
  renewed.add("date");
  const kept: string[] = [];
  for (let i = 0; i < stored.length; i += 2) {
    const lower = stored[i]!.toLowerCase();
    if (!renewed.has(lower) && lower !== "age") kept.push(stored[i]!, stored[i + 1]!);
  }
  return [...kept, ...news];
}
