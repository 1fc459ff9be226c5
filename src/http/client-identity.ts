/**
 * Who a request comes from: the peer of its connection, or the client for whom a trusted proxy speaks. From a peer that is not trusted the
 * fields that would tell are removed, so that the application cannot fall for them either.
 *
 * One object per connection, made when the first such field appears. A connection that repeats a header section gets the same answer and the
 * same objects, and with them their encoded form.
 */
import { Peer } from "./exchange.ts";
import { BadForwarding, type ClientClaims, type ForwardingField, readForwarding } from "./forwarded.ts";
import type { HeaderBlock } from "./header-block.ts";
import { headerName } from "./header-names.ts";
import type { RequestHead } from "./request-head.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export interface ForwardingPolicy {
  readonly trusted: TrustedProxies;
  /** The fields that count when a trusted peer sends them; the others reach the app and mean nothing here. */
  readonly believed: ReadonlySet<ForwardingField>;
}

export interface Identified {
  readonly head: RequestHead;
  readonly peer: Peer;
}

const HOST = headerName("Host")!;

export class ClientIdentity {
  readonly #peer: Peer;
  readonly #policy: ForwardingPolicy;
  readonly #isTrusted: boolean;
  /** The last section, and what became of it. */
  #section: HeaderBlock | null = null;
  #headers: HeaderBlock | null = null;
  #client: Peer;

  constructor(peer: Peer, policy: ForwardingPolicy) {
    this.#peer = peer;
    this.#policy = policy;
    this.#isTrusted = policy.trusted.trustsPeer(peer.address);
    this.#client = peer;
  }

  /** The peer may speak for others. */
  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  /** What the request becomes; its section has a field that tells (`isForwarding`). */
  of(head: RequestHead): Identified | BadForwarding {
    if (head.headers !== this.#section) {
      const bad = this.#isTrusted ? this.#believe(head.headers) : this.#strip(head.headers);
      if (bad !== null) return bad;
      this.#section = head.headers;
    }
    const headers = this.#headers!;
    return { head: headers === head.headers ? head : { ...head, headers }, peer: this.#client };
  }

  // Private

  #strip(section: HeaderBlock): null {
    this.#headers = section.filtered((name) => !name.isForwarding);
    return null;
  }

  #believe(section: HeaderBlock): BadForwarding | null {
    const claims = readForwarding(section, this.#policy.trusted, this.#policy.believed);
    if (claims instanceof BadForwarding) {
      this.#section = null;
      return claims;
    }
    const client = clientOf(this.#peer, claims);
    if (!isSame(client, this.#client)) this.#client = client;
    const host = hostOf(section, claims, client);
    this.#headers = host === null ? section : section.replaced(HOST, host);
    return null;
  }
}

function clientOf(peer: Peer, claims: ClientClaims): Peer {
  const scheme = claims.scheme ?? peer.scheme;
  const { address, port } = claims.client ?? peer;
  const host = claims.host === null ? null : splitHost(claims.host);
  const serverPort = claims.port || host?.port || (host === null ? peer.serverPort : defaultPort(scheme));
  const serverName = host?.name ?? peer.serverName;
  return new Peer(address, port, serverName, serverPort, scheme, peer.tls, claims.prefix, peer.address);
}

/** The new value of Host: what was told, with the port that was told unless it is the scheme's own. Null where it stays. */
function hostOf(section: HeaderBlock, claims: ClientClaims, client: Peer): string | null {
  if (claims.host === null && claims.port === 0) return null;
  const host = claims.host ?? section.get("host") ?? "";
  if (claims.port === 0 || host === "") return host;
  const { name } = splitHost(host);
  return claims.port === defaultPort(client.scheme) ? name : `${name}:${claims.port}`;
}

function splitHost(host: string): { readonly name: string; readonly port: number } {
  const colon = host.lastIndexOf(":");
  if (colon === -1 || host.endsWith("]")) return { name: host, port: 0 };
  return { name: host.slice(0, colon), port: Number(host.slice(colon + 1)) };
}

function defaultPort(scheme: "http" | "https"): number {
  return scheme === "https" ? 443 : 80;
}

function isSame(a: Peer, b: Peer): boolean {
  return (
    a.address === b.address &&
    a.port === b.port &&
    a.scheme === b.scheme &&
    a.serverName === b.serverName &&
    a.serverPort === b.serverPort &&
    a.prefix === b.prefix
  );
}
