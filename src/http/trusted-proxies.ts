/**
 * Whom to believe: the list of `--forwarded-allow-ips` and `--proxy-allow-from`. Two questions are asked of it, and they differ for `*`:
 * may this *peer* tell who its client is, and is this address, read from what it told, another proxy whose word counts (a *hop*)?
 */
import { type IpAddress, type IpRange, isInRange, parseIp, parseRange } from "./ip-address.ts";

const LOOPBACK = "127.0.0.0/8 ::1";
/** RFC 1918, RFC 4193, and link-local addresses (RFC 3927, RFC 4291 section 2.5.6). */
const PRIVATE = `${LOOPBACK} 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 fc00::/7 fe80::/10`;

const PRESETS: Readonly<Record<string, string>> = { loopback: LOOPBACK, private: PRIVATE, unix: "", none: "" };

export class TrustedProxies {
  /** The list as it was written. */
  readonly text: string;
  readonly #ranges: readonly IpRange[];
  readonly #everyPeer: boolean;
  readonly #unix: boolean;

  private constructor(text: string, ranges: readonly IpRange[], everyPeer: boolean, unix: boolean) {
    this.text = text;
    this.#ranges = ranges;
    this.#everyPeer = everyPeer;
    this.#unix = unix;
  }

  /** Reads a list separated by commas; a string ends the sentence "the list …". */
  static parse(text: string): TrustedProxies | string {
    const words = text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
    if (words.length === 0) return 'is empty: write "none" to believe nobody';
    const ranges: IpRange[] = [];
    for (const word of words) {
      const lower = word.toLowerCase();
      // No remote client has a loopback address, so as a hop it is always a proxy on this machine.
      const preset = word === "*" ? LOOPBACK : Object.hasOwn(PRESETS, lower) ? PRESETS[lower]! : null;
      if (lower === "none" && words.length > 1) return 'has "none" together with others';
      if (preset === null) {
        const range = parseRange(word);
        if (range === null) return `has "${word}", ${whatIsWrong(word)}`;
        ranges.push(range);
      } else if (preset !== "") ranges.push(...preset.split(" ").map((one) => parseRange(one)!));
    }
    // As gunicorn: who can open the Unix socket was decided by its file's permissions.
    return new TrustedProxies(words.join(","), ranges, words.includes("*"), words[0]!.toLowerCase() !== "none");
  }

  /** @param address of the connection's other end; empty for a Unix socket. */
  trustsPeer(address: string): boolean {
    if (address === "") return this.#unix;
    if (this.#everyPeer) return true;
    const ip = parseIp(address);
    return ip !== null && this.trustsHop(ip);
  }

  /** `*` says nothing about hops: who believes everything that stands in a header believes its forger. */
  trustsHop(ip: IpAddress): boolean {
    return this.#ranges.some((range) => isInRange(ip, range));
  }
}

function whatIsWrong(word: string): string {
  if (/^[a-z][\w.-]*$/i.test(word))
    return "and names are not looked up: give an address, a range (172.16.0.0/12), loopback, private, unix or *";
  return "which is not an address, a range (10.0.0.0/8), loopback, private, unix or *";
}
