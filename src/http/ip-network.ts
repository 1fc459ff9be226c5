/** The network that an address stands for where clients are counted: who has one IPv6 address has all of its /64 (RFC 6177, RFC 4291 section 2.5.4). */
import { parseIp } from "./ip-address.ts";

/** What names the network of so many bits; null where the text is no address. */
export function networkOf(address: string, v4Bits: number, v6Bits: number): string | null {
  const ip = parseIp(address);
  if (ip === null) return null;
  let bits = ip.words.length === 1 ? v4Bits : v6Bits;
  if (bits === ip.words.length * 32) return ip.text;
  const kept: string[] = [];
  for (const word of ip.words) {
    const mask = bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
    kept.push(((word & mask) >>> 0).toString(16));
    bits -= 32;
  }
  return kept.join(":");
}
