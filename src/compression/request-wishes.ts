/**
 * What a request says that matters for compressing its response, and the request as the application is to see it.
 *
 * A compressed response carries the application's strong validator as a weak one. The client sends that back: If-None-Match is compared weakly
 * anyhow, but applications that compare texts, and If-Match, which must be compared strongly (RFC 9110 section 13.1.1), would never match. So
 * "W/" is taken off again on the way in, for clients that may have got it from here. If-Range stays: a part of the compressed representation
 * cannot be had.
 */
import { HeaderBlock } from "../http/header-block.ts";
import { type Coding, chooseCoding } from "../http/negotiation.ts";
import type { RequestHead } from "../http/request-head.ts";

export interface RequestWishes {
  /** null: plain. */
  readonly coding: Coding | null;
  /** It carries something that says who the user is. */
  readonly isAuthenticated: boolean;
  /** If-None-Match as the client wrote it, where it had weak validators; else empty. */
  readonly weakNoneMatch: string;
  /** As the application is to see it. */
  readonly head: RequestHead;
}

/** Reads requests for one list of codings. */
export class WishReader {
  readonly #codings: readonly Coding[];

  constructor(codings: readonly Coding[]) {
    this.#codings = codings;
  }

  read(head: RequestHead): RequestWishes {
    const { names, values } = head.headers;
    let accepted = "";
    let isAuthenticated = false;
    let forbids = false;
    let hasWeakTag = false;
    let weakNoneMatch = "";
    for (let i = 0; i < names.length; i++) {
      switch (names[i]!.lower) {
        case "accept-encoding":
          accepted = accepted === "" ? values[i]! : `${accepted},${values[i]!}`;
          break;
        case "cookie":
        case "authorization":
          isAuthenticated = true;
          break;
        case "cache-control":
          // RFC 9111 section 5.2.1.6.
          if (values[i]!.toLowerCase().includes("no-transform")) forbids = true;
          break;
        case "if-none-match":
          if (!values[i]!.includes("W/")) break;
          weakNoneMatch += `${values[i]!},`;
          hasWeakTag = true;
          break;
        case "if-match":
          if (values[i]!.includes("W/")) hasWeakTag = true;
      }
    }
    const coding = accepted === "" || forbids ? null : chooseCoding(accepted, this.#codings);
    if (!hasWeakTag || coding === null) return { coding, isAuthenticated, weakNoneMatch: "", head };
    return { coding, isAuthenticated, weakNoneMatch, head: { ...head, headers: withStrongTags(head.headers) } };
  }
}

// Private

/** An entity-tag (RFC 9110 section 8.8.3); commas and spaces within the quotes are the tag's own. */
const WEAK_TAG = /W\/("[!\x23-\x7e\x80-\xff]*")/g;

function withStrongTags(headers: HeaderBlock): HeaderBlock {
  const values = headers.values.map((value, at) => {
    const { lower } = headers.names[at]!;
    return lower === "if-none-match" || lower === "if-match" ? value.replace(WEAK_TAG, "$1") : value;
  });
  const { names, isAscii, hasDuplicates, hasUnderscores, hasUpgrade } = headers;
  return new HeaderBlock(names, values, isAscii, hasDuplicates, hasUnderscores, hasUpgrade);
}
