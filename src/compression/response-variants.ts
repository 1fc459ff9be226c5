/**
 * What the fields of a response say about compressing it, and what they become: with Vary where another client would get it compressed, and with
 * Content-Encoding where this one does. Pure; worked out once per list of fields, since an app sends the same lists again and again.
 */
import type { Coding } from "../http/negotiation.ts";
import { ResponseFields, responseFields } from "../http/response-fields.ts";
import { EVENT_STREAM, mediaType, type MediaTypes } from "./media-types.ts";

export class ResponseVariants {
  /** The types that it was worked out for: routes may have different ones. */
  readonly types: MediaTypes;
  readonly #fields: ResponseFields;
  /** Its fields allow compression, and its type asks for it. */
  readonly suits: boolean;
  readonly isEventStream: boolean;
  /** Meant for everybody: nothing in it is secret. */
  readonly isPublic: boolean;
  readonly setsCookie: boolean;
  /** With quotes and, where it is weak, with W/; empty where there is none. */
  readonly etag: string;
  #plain: ResponseFields | null = null;
  readonly #coded = new Map<Coding, ResponseFields>();

  constructor(fields: ResponseFields, types: MediaTypes) {
    this.types = types;
    this.#fields = fields;
    let type = "";
    let isForbidden = false;
    let isPublic = false;
    let setsCookie = false;
    let etag = "";
    const { flat } = fields;
    for (let i = 0; i < flat.length; i += 2) {
      const value = flat[i + 1]!;
      switch (flat[i]!.toLowerCase()) {
        case "content-type":
          type = value;
          break;
        // Whoever encoded it knows why; a part of a representation is not to be encoded on its own (RFC 9110 section 14.4).
        case "content-encoding":
        case "content-range":
          isForbidden = true;
          break;
        case "cache-control":
          // RFC 9111 section 5.2.2.6.
          if (NO_TRANSFORM.test(value)) isForbidden = true;
          if (PUBLIC.test(value)) isPublic = true;
          break;
        case "set-cookie":
          setsCookie = true;
          break;
        case "etag":
          etag = value;
      }
    }
    this.suits = !isForbidden && type !== "" && types.has(type);
    this.isEventStream = this.suits && mediaType(type) === EVENT_STREAM;
    this.isPublic = isPublic;
    this.setsCookie = setsCookie;
    this.etag = etag;
  }

  /** Uncompressed, where others may get it compressed. */
  get plain(): ResponseFields {
    this.#plain ??= make(withVary([...this.#fields.flat]));
    return this.#plain;
  }

  coded(coding: Coding): ResponseFields {
    let coded = this.#coded.get(coding);
    if (coded === undefined) this.#coded.set(coding, (coded = make(codedFields(this.#fields.flat, coding))));
    return coded;
  }

  /** Of a 304 for a client that has the compressed representation: its validator is the one that came with that. */
  get confirming(): ResponseFields {
    return make(withVary(weakened(this.#fields.flat)));
  }
}

/** What `fields` come to for these types; looked at once. */
export function variantsOf(fields: ResponseFields, types: MediaTypes): ResponseVariants {
  const { variants } = fields;
  if (variants instanceof ResponseVariants && variants.types === types) return variants;
  return (fields.variants = new ResponseVariants(fields, types));
}

/** Trailers that still hold when the body has been compressed. */
export function trailersOf(trailers: ResponseFields | null): ResponseFields | null {
  if (trailers === null) return null;
  const kept: string[] = [];
  for (let i = 0; i < trailers.flat.length; i += 2)
    if (!OF_THE_PLAIN.has(trailers.flat[i]!.toLowerCase())) kept.push(trailers.flat[i]!, trailers.flat[i + 1]!);
  return kept.length === trailers.flat.length ? trailers : kept.length === 0 ? null : make(kept);
}

/** "W/" before a strong validator: the same content, other bytes (RFC 9110 section 8.8.1). */
export function weakTag(etag: string): string {
  return etag.startsWith('"') ? `W/${etag}` : etag;
}

// Private

const NO_TRANSFORM = /(?:^|[,\s])no-transform(?:[,;\s]|$)/i;
const PUBLIC = /(?:^|[,\s])(?:public|immutable)(?:[,;\s]|$)/i;

/**
 * They speak of bytes that the client does not get. Content-Digest is of the content as sent, Repr-Digest of the encoded representation
 * (RFC 9530 sections 2 and 3), Digest and Content-MD5 their forerunners; ranges would be of the compressed form (RFC 9110 section 14.1.2).
 */
const OF_THE_PLAIN: ReadonlySet<string> = new Set([
  "content-length",
  "content-md5",
  "content-digest",
  "repr-digest",
  "digest",
  "accept-ranges",
]);

function codedFields(flat: readonly string[], coding: Coding): readonly string[] {
  const kept: string[] = [];
  const weak = weakened(flat);
  for (let i = 0; i < weak.length; i += 2)
    if (!OF_THE_PLAIN.has(weak[i]!.toLowerCase())) kept.push(weak[i]!, weak[i + 1]!);
  kept.push("Content-Encoding", coding);
  return withVary(kept);
}

function weakened(flat: readonly string[]): string[] {
  return flat.map((value, at) => (at % 2 === 1 && flat[at - 1]!.toLowerCase() === "etag" ? weakTag(value) : value));
}

/** Adds Accept-Encoding to Vary (RFC 9110 section 12.5.5), in the line that is there, unless it says so already. */
function withVary(flat: string[]): readonly string[] {
  let last = -1;
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i]!.toLowerCase() !== "vary") continue;
    for (const name of flat[i + 1]!.toLowerCase().split(",")) {
      const trimmed = name.trim();
      if (trimmed === "*" || trimmed === "accept-encoding") return flat;
    }
    last = i;
  }
  if (last < 0) flat.push("Vary", "Accept-Encoding");
  else flat[last + 1] = flat[last + 1]!.trim() === "" ? "Accept-Encoding" : `${flat[last + 1]!}, Accept-Encoding`;
  return flat;
}

/** The fields were good, and what is added is. */
function make(flat: readonly string[]): ResponseFields {
  const fields = responseFields(flat);
  if (fields instanceof ResponseFields) return fields;
  throw new Error(`compression made a bad field ${fields.name}: ${fields.reason}`);
}
