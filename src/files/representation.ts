/** One form in which a file is sent (as it is, or compressed beforehand), with the header fields that describe it. Pure. */
import { type Coding } from "../http/negotiation.ts";
import { httpDate } from "../http/http-date.ts";
import { onlyFields } from "../http/field-lines.ts";
import type { Validators } from "../http/preconditions.ts";
import { ownFields } from "../http/response-changes.ts";
import type { ResponseFields } from "../http/response-fields.ts";

/** Names that the part of a 304 (RFC 9110 section 15.4.5). */
const OF_UNMODIFIED: ReadonlySet<string> = new Set([
  "cache-control",
  "content-location",
  "date",
  "etag",
  "expires",
  "last-modified",
  "set-cookie",
  "vary",
]);

export class Representation implements Validators {
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly isDateStrong: boolean;
  /** Of the whole, with status 200; without Content-Length, which is `size`. */
  readonly fields: ResponseFields;
  #unmodified: ResponseFields | null = null;
  #sized: ResponseFields | null = null;

  constructor(size: number, version: Validators, flat: readonly string[]) {
    this.size = size;
    this.etag = version.etag;
    this.modifiedAt = version.modifiedAt;
    this.isDateStrong = version.isDateStrong;
    this.fields = ownFields(flat);
  }

  /** Fields of the whole that is streamed. */
  get sized(): ResponseFields {
    return (this.#sized ??= ownFields([...this.fields.flat, "Content-Length", String(this.size)]));
  }

  get unmodified(): ResponseFields {
    if (this.#unmodified !== null) return this.#unmodified;
    return (this.#unmodified = ownFields(onlyFields(this.fields.flat, OF_UNMODIFIED)));
  }
}

/** What the disk tells about a file. */
export interface FileFacts {
  readonly size: number;
  /** Of the content, and of anything about it. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** A file can change again within this time without a new time stamp (the kernel's clock for them is coarse). */
const UNSETTLED_MS = 1000;
/** Builds that want to be the same every time, and archives, set the time of all files to 1970 or 1980: it tells nothing. */
const MEANINGFUL_MS = 347_155_200_000; // 1981-01-01

/**
 * The file's version. The entity tag is strong: of the content where that is at hand, else of size and time, and then weak (RFC 9110 section 8.8.1)
 * while the file is so new that it may change unseen.
 * @param hash of the content, or null.
 * @param now milliseconds since 1970.
 */
export function versionOf(facts: FileFacts, hash: string | null, coding: Coding | null, now: number): Validators {
  const { size, mtimeMs, ctimeMs } = facts;
  const isDated = mtimeMs >= MEANINGFUL_MS;
  const isSettled = Math.abs(now - Math.max(mtimeMs, ctimeMs)) >= UNSETTLED_MS;
  const modifiedAt = isDated ? Math.floor(mtimeMs / 1000) * 1000 : -1;
  // A time in the future would never be "modified since" (section 8.8.2.1).
  const isPast = modifiedAt <= now;
  if (hash !== null) return { etag: `"${hash}"`, modifiedAt: isPast ? modifiedAt : -1, isDateStrong: isSettled };
  const stamp = Math.round((isDated ? mtimeMs : ctimeMs) * 1000).toString(36);
  const tag = `"${stamp}-${size.toString(36)}${coding === null ? "" : `-${coding}`}"`;
  return { etag: isSettled ? tag : `W/${tag}`, modifiedAt: isPast ? modifiedAt : -1, isDateStrong: isSettled };
}

/** What the folder says about the file. */
export interface Policy {
  readonly contentType: string;
  /** Empty for none. */
  readonly cacheControl: string;
  /** Request fields by which it was chosen. */
  readonly vary: readonly string[];
}

export function represent(size: number, version: Validators, coding: Coding | null, policy: Policy): Representation {
  const { contentType, cacheControl, vary } = policy;
  const flat = ["Content-Type", contentType, "Accept-Ranges", "bytes", "ETag", version.etag];
  if (version.modifiedAt !== -1) flat.push("Last-Modified", httpDate(version.modifiedAt));
  if (cacheControl !== "") flat.push("Cache-Control", cacheControl);
  if (coding !== null) flat.push("Content-Encoding", coding);
  if (vary.length > 0) flat.push("Vary", vary.join(", "));
  // What is in the folder may have been uploaded by anyone: a picture that is a page inside must stay a picture.
  flat.push("X-Content-Type-Options", "nosniff");
  return new Representation(size, version, flat);
}
