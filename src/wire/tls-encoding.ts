/**
 * What TLS agreed on, as the app sees it: `scope["extensions"]["tls"]` (ASGI, "TLS Extension" 0.2), and in the environ the names that Apache's
 * mod_ssl gave them. Encoded once per connection.
 */
import type { TlsDetails } from "../http/exchange.ts";
import { internedKey, type MarshalWriter } from "./marshal-writer.ts";

const DICT = 0x7b;
const DICT_END = 0x30;
const NONE = 0x4e;

/** IANA's numbers of the cipher suites that OpenSSL offers by default, by OpenSSL's names. */
const CIPHER_SUITES: ReadonlyMap<string, number> = new Map([
  ["TLS_AES_128_GCM_SHA256", 0x1301],
  ["TLS_AES_256_GCM_SHA384", 0x1302],
  ["TLS_CHACHA20_POLY1305_SHA256", 0x1303],
  ["ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b],
  ["ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c],
  ["ECDHE-RSA-AES128-GCM-SHA256", 0xc02f],
  ["ECDHE-RSA-AES256-GCM-SHA384", 0xc030],
  ["ECDHE-RSA-CHACHA20-POLY1305", 0xcca8],
  ["ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9],
  ["DHE-RSA-CHACHA20-POLY1305", 0xccaa],
  ["DHE-RSA-AES128-GCM-SHA256", 0x9e],
  ["DHE-RSA-AES256-GCM-SHA384", 0x9f],
  ["DHE-RSA-AES128-SHA256", 0x67],
  ["DHE-RSA-AES256-SHA256", 0x6b],
  ["ECDHE-ECDSA-AES128-SHA256", 0xc023],
  ["ECDHE-ECDSA-AES256-SHA384", 0xc024],
  ["ECDHE-RSA-AES128-SHA256", 0xc027],
  ["ECDHE-RSA-AES256-SHA384", 0xc028],
  ["ECDHE-ECDSA-AES128-SHA", 0xc009],
  ["ECDHE-ECDSA-AES256-SHA", 0xc00a],
  ["ECDHE-RSA-AES128-SHA", 0xc013],
  ["ECDHE-RSA-AES256-SHA", 0xc014],
  ["AES128-GCM-SHA256", 0x9c],
  ["AES256-GCM-SHA384", 0x9d],
  ["AES128-SHA256", 0x3c],
  ["AES256-SHA256", 0x3d],
  ["AES128-SHA", 0x2f],
  ["AES256-SHA", 0x35],
]);

const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [0x0301, "TLSv1"],
  [0x0302, "TLSv1.1"],
  [0x0303, "TLSv1.2"],
  [0x0304, "TLSv1.3"],
]);

const SCOPE = {
  tls: internedKey("tls"),
  serverCert: internedKey("server_cert"),
  chain: internedKey("client_cert_chain"),
  name: internedKey("client_cert_name"),
  error: internedKey("client_cert_error"),
  version: internedKey("tls_version"),
  cipher: internedKey("cipher_suite"),
} as const;

/** Appends the key `tls` and its dict to an ASGI scope. */
export function putTlsScope(writer: MarshalWriter, tls: TlsDetails): void {
  writer.raw(SCOPE.tls);
  writer.code(DICT);
  writer.raw(SCOPE.serverCert);
  writer.code(NONE);
  writer.raw(SCOPE.chain);
  writer.list(tls.clientChain.length);
  for (const certificate of tls.clientChain) writer.text(certificate);
  writer.raw(SCOPE.name);
  putTextOrNone(writer, tls.clientName);
  writer.raw(SCOPE.error);
  putTextOrNone(writer, tls.clientError);
  writer.raw(SCOPE.version);
  writer.int(tls.version);
  writer.raw(SCOPE.cipher);
  const suite = CIPHER_SUITES.get(tls.cipher);
  if (suite === undefined) writer.code(NONE);
  else writer.int(suite);
  writer.code(DICT_END);
}

function putTextOrNone(writer: MarshalWriter, text: string): void {
  if (text === "") writer.code(NONE);
  else writer.text(text);
}

/** Appends mod_ssl's variables to a WSGI environ; of the client's certificate only where it sent one. */
export function putTlsEnviron(writer: MarshalWriter, tls: TlsDetails): void {
  const variables: Record<string, string> = {
    HTTPS: "on",
    SSL_PROTOCOL: PROTOCOLS.get(tls.version) ?? `0x${tls.version.toString(16)}`,
    SSL_CIPHER: tls.cipher,
    SSL_CLIENT_VERIFY: verified(tls),
  };
  if (tls.serverName !== "") variables["SSL_TLS_SNI"] = tls.serverName;
  if (tls.clientName !== "") variables["SSL_CLIENT_S_DN"] = tls.clientName;
  if (tls.clientChain[0] !== undefined) variables["SSL_CLIENT_CERT"] = tls.clientChain[0];
  for (const [name, value] of Object.entries(variables)) {
    writer.raw(internedKey(name));
    // Native strings of latin-1 characters, each a byte of UTF-8 (PEP 3333, "A Note On String Types").
    writer.text(Buffer.from(value, "utf8").toString("latin1"));
  }
}

function verified(tls: TlsDetails): string {
  if (tls.clientError !== "") return `FAILED:${tls.clientError}`;
  return tls.clientChain.length > 0 ? "SUCCESS" : "NONE";
}
