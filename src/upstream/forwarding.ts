/**
 * What an upstream is told about the client: X-Forwarded-* or Forwarded (RFC 7239), and Via (RFC 9110 section 7.6.3). Pure.
 *
 * Lists grow at their end, by the address of whoever connected to us. What a client says of itself has been removed before, unless a trusted proxy
 * said it (client-identity.ts); the fields that we tell replace those received.
 */
import type { ForwardingStyle } from "../config/sites/upstream.ts";
import type { Peer } from "../http/exchange.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import type { HttpVersion } from "../http/request-head.ts";

/** Our name in Via. */
const PSEUDONYM = "maitred";
/** A request that has passed us so often goes in circles: its upstream leads back to us. */
const MOST_PASSES = 10;
const OWN_PASS = /(?:^|,)[ \t]*(?:[^ \t,]*[ \t]+)maitred(?=[ \t,]|$)/g;

/** Fields of ours that replace those received: lower-case names. */
const X_FORWARDED: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
]);

/** Whether a field that tells who the client is (`HeaderName.isForwarding`) goes on as it came. */
export function keepsForwarding(lower: string, style: ForwardingStyle): boolean {
  return style !== "none" && lower !== "forwarded" && !X_FORWARDED.has(lower);
}

/** Adds the fields to `flat`. `host` is what the client asked for, `prefix` what is taken from its path. */
export function addForwarding(
  flat: string[],
  style: ForwardingStyle,
  peer: Peer,
  headers: HeaderBlock,
  host: string,
  prefix: string,
): void {
  if (style === "none") return;
  if (style !== "forwarded") {
    const chain = joined(headers, "x-forwarded-for") ?? (peer.proxyAddress === null ? "" : peer.address);
    const from = peer.proxyAddress ?? peer.address;
    const addresses = [chain, from].filter((address) => address !== "").join(", ");
    if (addresses !== "") flat.push("X-Forwarded-For", addresses);
    flat.push("X-Forwarded-Proto", peer.scheme);
    if (host !== "") flat.push("X-Forwarded-Host", host);
    if (peer.serverPort > 0) flat.push("X-Forwarded-Port", String(peer.serverPort));
    const whole = peer.prefix + prefix;
    if (whole !== "") flat.push("X-Forwarded-Prefix", whole);
  }
  if (style !== "x-forwarded") flat.push("Forwarded", forwarded(peer, headers, host));
}

/** The value of Via for the upstream; null where the request goes in circles. */
export function viaOf(headers: HeaderBlock, version: HttpVersion): string | null {
  const received = joined(headers, "via");
  if (received === null) return `${version} ${PSEUDONYM}`;
  if ((received.match(OWN_PASS)?.length ?? 0) >= MOST_PASSES) return null;
  return `${received}, ${version} ${PSEUDONYM}`;
}

// Private

function forwarded(peer: Peer, headers: HeaderBlock, host: string): string {
  const about = `${host === "" ? "" : `;host=${quoted(host)}`};proto=${peer.scheme}`;
  if (peer.proxyAddress === null) {
    const before = joined(headers, "forwarded");
    return `${before === null ? "" : `${before}, `}for=${node(peer.address)}${about}`;
  }
  const client = joined(headers, "forwarded") ?? `for=${node(peer.address)}${about}`;
  return `${client}, for=${node(peer.proxyAddress)}`;
}

/** RFC 7239 section 6: IPv6 in brackets, and so quoted; who has no address is unknown. */
function node(address: string): string {
  if (address === "") return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}

function quoted(text: string): string {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** All lines of a field as one list; null where there is none. */
function joined(headers: HeaderBlock, lower: string): string | null {
  const lines: string[] = [];
  for (let i = 0; i < headers.names.length; i++)
    if (headers.names[i]!.lower === lower && headers.values[i] !== "") lines.push(headers.values[i]!);
  return lines.length === 0 ? null : lines.join(", ");
}
