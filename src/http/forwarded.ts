/**
 * What a trusted proxy says about the client: `X-Forwarded-*` and `Forwarded` (RFC 7239), read so that nothing a client has put there counts.
 *
 * Addresses form a list to which each proxy appends whom it was called by. It is walked from the right over the hops that are proxies of ours;
 * the first that is none is the client, and everything left of it may be invented. Of a field with a single value the right-most one counts:
 * the nearest proxy wrote it.
 *
 * Where fields that are believed contradict each other, or Forwarded is malformed, a client's own field has passed a proxy that sets only the
 * other kind: the request is refused, since nobody can tell which is which. (To fall back to the proxy's address would be worse: it is often
 * 127.0.0.1, which applications believe more than others.)
 */
import { type ForwardedElement, parseForwarded } from "./forwarded-field.ts";
import type { HeaderBlock } from "./header-block.ts";
import { isHost } from "./http1/request-line.ts";
import { parseIp } from "./ip-address.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/** The fields that can be believed, by their lower-case names. */
export const FORWARDING_FIELDS = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "forwarded",
] as const;

export type ForwardingField = (typeof FORWARDING_FIELDS)[number];

export interface ClientAddress {
  readonly address: string;
  /** 0 where nobody told. */
  readonly port: number;
}

/** What is believed; null (0 for the port, "" for the prefix) where it was not told. */
export interface ClientClaims {
  readonly client: ClientAddress | null;
  readonly scheme: "http" | "https" | null;
  /** Value for the Host field. */
  readonly host: string | null;
  readonly port: number;
  /** Path under which the proxy has mounted us and which it has taken away. */
  readonly prefix: string;
}

/** Why the request cannot be served: a sentence for the log. */
export class BadForwarding {
  readonly detail: string;

  constructor(detail: string) {
    this.detail = detail;
  }
}

type Scheme = "http" | "https" | null;

export function readForwarding(
  block: HeaderBlock,
  trusted: TrustedProxies,
  believed: ReadonlySet<ForwardingField>,
): ClientClaims | BadForwarding {
  const given = fieldsOf(block);
  const legacy = (name: ForwardingField): string | undefined =>
    believed.has(name) ? given.get(name)?.join(",") : undefined;

  const hops = legacy("x-forwarded-for");
  const client = hops === undefined ? undefined : walk(hops.split(","), trusted).client;
  const scheme = believed.has("x-forwarded-proto") ? legacyScheme(given) : null;
  if (scheme instanceof BadForwarding) return scheme;

  const standard = believed.has("forwarded") ? standardClaims(given.get("forwarded"), trusted) : NOTHING;
  if (standard instanceof BadForwarding) return standard;
  if (client !== undefined && standard.client !== undefined && client?.address !== standard.client?.address)
    return new BadForwarding(contradiction("X-Forwarded-For", "name different clients"));
  if (scheme !== null && standard.scheme !== null && scheme !== standard.scheme)
    return new BadForwarding(contradiction("X-Forwarded-Proto", "name different schemes"));

  return {
    client: client ?? standard.client ?? null,
    scheme: scheme ?? standard.scheme,
    // A proxy that sets X-Forwarded-For need not know Forwarded, and lets a client's pass.
    host: validHost(lastOf(legacy("x-forwarded-host"))) ?? (hops === undefined ? validHost(standard.host) : null),
    port: validPort(lastOf(legacy("x-forwarded-port"))),
    prefix: validPrefix(lastOf(legacy("x-forwarded-prefix"))),
  };
}

// Private

/** `client` undefined: not told; null: told in a way that gives no address. */
interface StandardClaims {
  readonly client: ClientAddress | null | undefined;
  readonly scheme: Scheme;
  readonly host: string | null;
}

const NOTHING: StandardClaims = { client: undefined, scheme: null, host: null };

function contradiction(name: string, how: string): string {
  return `${name} and Forwarded ${how}; if your proxy sets one of them, name it in --trusted-headers`;
}

/** The values of the forwarding fields, by lower-case name, in order. */
function fieldsOf(block: HeaderBlock): ReadonlyMap<string, readonly string[]> {
  const given = new Map<string, string[]>();
  for (let i = 0; i < block.names.length; i++) {
    const name = block.names[i]!;
    if (!name.isForwarding) continue;
    const values = given.get(name.lower);
    if (values === undefined) given.set(name.lower, [block.values[i]!]);
    else values.push(block.values[i]!);
  }
  return given;
}

interface Walk {
  readonly client: ClientAddress | null;
  /** Index of the hop that ended it. */
  readonly at: number;
}

/**
 * The client among the hops, the nearest of which stands last: the last that is no proxy of ours; the first of all where all are. Null where
 * not even the nearest is an address. What is no address (RFC 7239 section 6: "unknown" and hidden names; nonsense) ends the walk: nobody knows
 * who wrote what stands left of it, and the client is the last proxy that is known.
 */
function walk(hops: readonly (string | null)[], trusted: TrustedProxies): Walk {
  let client: ClientAddress | null = null;
  for (let at = hops.length - 1; at >= 0; at--) {
    const hop = hops[at]?.trim() ?? null;
    if (hop === "") continue; // an empty list element (RFC 9110 section 5.6.1)
    const node = hop === null ? null : parseNode(hop);
    if (node === null) return { client, at };
    client = { address: node.ip.text, port: node.port };
    if (!trusted.trustsHop(node.ip)) return { client, at };
  }
  return { client, at: 0 };
}

/** An address with or without a port: `192.0.2.1:80`, `[2001:db8::1]:80`, and as many proxies write it, `2001:db8::1`. */
const NODE = /^(?:\[([\da-fA-F:.]+)\]|([\d.]+)|([\da-fA-F:.]+(?:%[\w.-]+)?))$/;
/** RFC 7239 section 6.3: a port may be hidden too. */
const NODE_PORT = /^(.+[\].\d]):(?:(\d{1,5})|_[\w.-]+)$/;

function parseNode(text: string): { ip: NonNullable<ReturnType<typeof parseIp>>; port: number } | null {
  const ported = text.startsWith("[") || text.indexOf(":") === text.lastIndexOf(":") ? NODE_PORT.exec(text) : null;
  const match = NODE.exec(ported === null ? text : ported[1]!);
  if (match === null) return null;
  const ip = parseIp(match[1] ?? match[2] ?? match[3]!);
  const port = Number(ported?.[2] ?? 0);
  return ip === null ? null : { ip, port: port > 65_535 ? 0 : port };
}

/** X-Forwarded-Proto and the two spellings that gunicorn knows too (`secure_scheme_headers`). */
function legacyScheme(given: ReadonlyMap<string, readonly string[]>): Scheme | BadForwarding {
  const last = (name: string): string | null => lastOf(given.get(name)?.join(","));
  const ssl = last("x-forwarded-ssl")?.toLowerCase();
  const all: Scheme[] = [
    schemeOf(last("x-forwarded-proto")),
    schemeOf(last("x-forwarded-protocol")),
    ssl === "on" ? "https" : ssl === "off" ? "http" : null,
  ];
  const told = new Set(all.filter((scheme) => scheme !== null));
  if (told.size > 1)
    return new BadForwarding("X-Forwarded-Proto, X-Forwarded-Protocol and X-Forwarded-Ssl name different schemes");
  return told.has("https") ? "https" : told.has("http") ? "http" : null;
}

function standardClaims(lines: readonly string[] | undefined, trusted: TrustedProxies): StandardClaims | BadForwarding {
  if (lines === undefined) return NOTHING;
  const elements: ForwardedElement[] = [];
  for (const line of lines) {
    const parsed = parseForwarded(line);
    if (parsed === null) return new BadForwarding("the Forwarded field is malformed (RFC 7239)");
    elements.push(...parsed);
  }
  if (elements.length === 0) return NOTHING;
  const { client, at } = walk(
    elements.map((element) => element.for),
    trusted,
  );
  // The element that ended the walk was written by a proxy of ours, so its other words count too.
  const { proto, host } = elements[at]!;
  const tells = elements.some((element) => element.for !== null);
  return { client: tells ? client : undefined, scheme: schemeOf(proto), host };
}

function lastOf(list: string | undefined): string | null {
  if (list === undefined) return null;
  const items = list.split(",");
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i]!.trim();
    if (item !== "") return item;
  }
  return null;
}

/** `ws` and `wss` are what some proxies say of a WebSocket handshake, `ssl` is the word in X-Forwarded-Protocol. */
function schemeOf(word: string | null): Scheme {
  switch (word?.toLowerCase()) {
    case "https":
    case "wss":
    case "ssl":
      return "https";
    case "http":
    case "ws":
      return "http";
    default:
      return null;
  }
}

function validHost(text: string | null): string | null {
  return text !== null && text !== "" && isHost(text) ? text : null;
}

function validPort(text: string | null): number {
  if (text === null || !/^\d{1,5}$/.test(text)) return 0;
  const port = Number(text);
  return port > 65_535 ? 0 : port;
}

/** Segments that need no decoding. `//host` would make a link to another site out of SCRIPT_NAME; dot segments would leave it. */
const PREFIX = /^(?:\/[A-Za-z0-9\-._~!$&'()*+;=:@]+)+$/;
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;

function validPrefix(text: string | null): string {
  const prefix = text?.replace(/\/$/, "") ?? "";
  return PREFIX.test(prefix) && !DOT_SEGMENT.test(prefix) ? prefix : "";
}
