/** What a finished handshake agreed on, in the terms of the ASGI `tls` extension. */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TlsDetails } from "../../http/exchange.ts";

const VERSIONS: Readonly<Record<string, number>> = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 };
/** A chain is as long as the client likes; what the app is told is bounded. */
const LONGEST_CHAIN = 10;
const CHAIN_CHARACTERS = 65_536;

export function tlsDetails(socket: TLSSocket, asksForCertificate: boolean): TlsDetails {
  const certificate = asksForCertificate ? socket.getPeerX509Certificate() : undefined;
  return {
    version: VERSIONS[socket.getProtocol() ?? ""] ?? 0,
    cipher: socket.getCipher().name,
    // A string, or false where the client named no server.
    serverName: (socket as { readonly servername?: string | false | null }).servername || "",
    clientChain: certificate === undefined ? [] : chainOf(certificate),
    clientName: certificate === undefined ? "" : distinguishedName(certificate.subject),
    clientError: certificate === undefined || socket.authorized ? "" : String(socket.authorizationError),
  };
}

/** OpenSSL's lines, first to last, are RFC 4514's string, last to first; the values are escaped as it demands already. */
export function distinguishedName(lines: string): string {
  return lines.split("\n").reverse().join(",");
}

// Private

function chainOf(leaf: X509Certificate): readonly string[] {
  const chain: string[] = [];
  let at: X509Certificate | undefined = leaf;
  let left = CHAIN_CHARACTERS;
  while (at !== undefined && chain.length < LONGEST_CHAIN) {
    const pem = at.toString();
    left -= pem.length;
    if (chain.includes(pem) || left < 0) break;
    chain.push(pem);
    at = at.issuerCertificate;
  }
  return chain;
}
