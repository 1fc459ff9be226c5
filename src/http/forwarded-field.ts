/**
 * The Forwarded field (RFC 7239 section 4): elements separated by commas, each what one proxy says about the side it received from.
 * Strict: a proxy writes correct syntax, so a mistake is a client's text in front of it, and an open quote there could swallow what the proxy
 * appended.
 */

/** What one proxy said. Values without quotes; null where it did not say. */
export interface ForwardedElement {
  readonly for: string | null;
  readonly proto: string | null;
  readonly host: string | null;
}

/**
 * One forwarded-pair, and what ends it. The value is a token or a quoted-string (RFC 9110 section 5.6). Each run of blanks is matched by one
 * part of the expression only, so that a long one costs no more than its length.
 */
const PAIR =
  /[\t ]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)")[\t ]*)?(;|,|$)/y;

/** The elements of one field line, first proxy first; null where it is malformed. */
export function parseForwarded(line: string): ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let pairs = new Map<string, string>();
  PAIR.lastIndex = 0;
  for (;;) {
    const match = PAIR.exec(line);
    if (match === null) return null;
    const [, name, token, quoted, end] = match;
    if (name !== undefined) {
      const lower = name.toLowerCase();
      // RFC 7239 section 4: each parameter at most once.
      if (pairs.has(lower)) return null;
      pairs.set(lower, token ?? quoted!.replace(/\\(.)/gs, "$1"));
    }
    if (end === ";") continue;
    // A list may have empty elements (RFC 9110 section 5.6.1).
    if (pairs.size > 0) elements.push(elementOf(pairs));
    if (end !== ",") return elements;
    pairs = new Map();
  }
}

function elementOf(pairs: ReadonlyMap<string, string>): ForwardedElement {
  return { for: pairs.get("for") ?? null, proto: pairs.get("proto") ?? null, host: pairs.get("host") ?? null };
}
