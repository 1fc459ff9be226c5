/** Under which key a limit counts a request. */
import type { LimitKey } from "../config/sites/limits.ts";
import type { Exchange, Peer } from "../http/exchange.ts";
import { networkOf } from "../http/ip-network.ts";
import { digest } from "./digest.ts";

type KeyOf = (exchange: Exchange) => string;

/** Longer values are named by their digest: the table's memory is bounded, whatever clients send. */
const LONGEST_VALUE = 64;
/** A peer without an address has come through a Unix socket. */
const UNIX = "unix:";

export function keyOf(key: LimitKey): KeyOf {
  switch (key.type) {
    case "all":
      return () => "";
    case "address":
      return byAddress(key.v4Bits, key.v6Bits);
    case "header":
      return byValue((exchange) => exchange.head.headers.get(key.name));
    case "cookie":
      return byValue((exchange) => cookieOf(exchange, key.name));
  }
}

/** The first cookie of that name (RFC 6265 section 4.2); undefined where there is none. */
export function cookieOf({ head }: Exchange, name: string): string | undefined {
  const { names, values } = head.headers;
  // HTTP/2 clients may send one field for each (RFC 9113 section 8.2.3).
  for (let i = 0; i < names.length; i++) {
    if (names[i]!.kind !== "cookie") continue;
    for (const pair of values[i]!.split(";")) {
      const at = pair.indexOf("=");
      if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
  }
  return undefined;
}

// Private

/** One object stands for all requests of a client on its connection, so its key is worked out once. */
function byAddress(v4Bits: number, v6Bits: number): KeyOf {
  const known = new WeakMap<Peer, string>();
  return ({ peer }) => {
    let key = known.get(peer);
    if (key === undefined) known.set(peer, (key = networkOf(peer.address, v4Bits, v6Bits) ?? UNIX));
    return key;
  };
}

/** Who leaves the field away must not go free: it counts by its address, apart from the values. */
function byValue(valueOf: (exchange: Exchange) => string | undefined): KeyOf {
  const otherwise = byAddress(32, 64);
  return (exchange) => {
    const value = valueOf(exchange);
    if (value === undefined || value === "") return `@${otherwise(exchange)}`;
    return value.length <= LONGEST_VALUE ? `=${value}` : `#${digest(value)}`;
  };
}
