/**
 * Which offer of permessage-deflate is taken, and on which terms (RFC 7692 section 7.1).
 *
 * Neither side keeps its context between messages: the answer says so in both directions, which it may whatever the offer (sections 7.1.1.1
 * and 7.1.1.2). So a WebSocket that is open and silent has no compressor in memory.
 */

export interface DeflateTerms {
  /** Most bits of our window. */
  readonly windowBits: number;
  /** Value of Sec-WebSocket-Extensions in the answer. */
  readonly answer: string;
}

/** zlib makes no raw deflate with a window of 8 bits. */
const LEAST_BITS = 9;
const MOST_BITS = 15;
const BITS = /^(?:[89]|1[0-5])$/;

/** The first offer that can be taken; null for none. */
export function deflateTerms(offers: readonly string[]): DeflateTerms | null {
  for (const offer of offers) {
    const terms = termsOf(offer);
    if (terms !== null) return terms;
  }
  return null;
}

function termsOf(offer: string): DeflateTerms | null {
  const [name, ...parameters] = offer.split(";").map((part) => part.trim());
  if (name !== "permessage-deflate") return null;
  const seen = new Set<string>();
  let windowBits = MOST_BITS;
  let limitsOurs = false;
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    const key = (equals === -1 ? parameter : parameter.slice(0, equals)).trim();
    const raw = equals === -1 ? null : parameter.slice(equals + 1).trim();
    const value = raw !== null && /^".*"$/.test(raw) ? raw.slice(1, -1) : raw;
    if (seen.has(key)) return null;
    seen.add(key);
    switch (key) {
      case "server_no_context_takeover":
      case "client_no_context_takeover":
        if (value !== null) return null;
        break;
      case "server_max_window_bits":
        if (value === null || !BITS.test(value) || Number(value) < LEAST_BITS) return null;
        windowBits = Number(value);
        limitsOurs = true;
        break;
      case "client_max_window_bits":
        // Whatever the client uses can be read with the largest window.
        if (value !== null && !BITS.test(value)) return null;
        break;
      default:
        return null;
    }
  }
  const bits = limitsOurs ? `; server_max_window_bits=${windowBits}` : "";
  return {
    windowBits,
    answer: `permessage-deflate; server_no_context_takeover; client_no_context_takeover${bits}`,
  };
}
