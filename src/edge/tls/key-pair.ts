/**
 * A certificate and its key, read and checked as far as that can be done before a client sees them: PEM, belonging together, in time.
 * What is wrong is told in one sentence that names the file.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** Something about the operator's TLS files or settings; the message is for them. */
export class TlsError extends Error {
  override name = "TlsError";
}

const DAY_MS = 86_400_000;
const WARN_DAYS = 14;

export interface KeyPairFiles {
  readonly certfile: string;
  readonly keyfile: string;
}

export interface KeyPair {
  readonly certfile: string;
  /** PEM of the certificate and its chain, leaf first. */
  readonly chain: string;
  /** PEM of the key, without a password. */
  readonly key: string;
  /** Host names that the certificate is good for. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Throws TlsError. `now` in milliseconds since 1970. */
export function keyPair(
  { certfile, keyfile }: KeyPairFiles,
  certificate: Buffer,
  key: Buffer,
  password: string | null,
  now: number,
): KeyPair {
  const chain = certificatesOf(certfile, certificate);
  const leaf = chain[0]!;
  const privateKey = privateKeyOf(keyfile, key, password);
  if (!leaf.checkPrivateKey(privateKey)) {
    const other = chain.findIndex((candidate) => candidate.checkPrivateKey(privateKey));
    throw new TlsError(
      other === -1
        ? `the key in ${keyfile} does not belong to the certificate in ${certfile} (${subjectOf(leaf)})`
        : `${certfile} has its certificates in the wrong order: the key in ${keyfile} belongs to number ${other + 1}, which must be first`,
    );
  }
  const expiresAt = Date.parse(leaf.validTo);
  if (expiresAt <= now)
    throw new TlsError(`the certificate in ${certfile} (${subjectOf(leaf)}) expired on ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > now) {
    throw new TlsError(
      `the certificate in ${certfile} (${subjectOf(leaf)}) is not valid before ${leaf.validFrom}: is this machine's clock right?`,
    );
  }
  return {
    certfile,
    chain: chain.map(String).join(""),
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    names: namesOf(leaf),
    expiresAt,
  };
}

/** The certificates of a PEM file, one at least. Throws TlsError. */
export function certificatesOf(file: string, bytes: Buffer): readonly X509Certificate[] {
  const text = bytes.toString("latin1");
  const blocks = text.match(
    /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (TRUSTED |X509 )?CERTIFICATE-----/g,
  );
  if (blocks === null) {
    if (bytes.length === 0) throw new TlsError(`${file} is empty`);
    if (text.includes("PRIVATE KEY-----"))
      throw new TlsError(`${file} holds a private key and no certificate: are --certfile and --keyfile exchanged?`);
    if (bytes[0] === 0x30)
      throw new TlsError(`${file} is not PEM (it looks like DER): openssl x509 -inform der -in ${file} -out cert.pem`);
    throw new TlsError(`${file} holds no certificate: it must have a "-----BEGIN CERTIFICATE-----" block`);
  }
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new TlsError(`certificate ${at + 1} in ${file} is damaged (${reasonOf(error)})`, { cause: error });
    }
  });
}

/** What an operator should hear about its end; null where that is far. */
export function expiryOf(pair: KeyPair, now: number): { readonly isOver: boolean; readonly text: string } | null {
  const days = (pair.expiresAt - now) / DAY_MS;
  if (days >= WARN_DAYS) return null;
  if (days <= 0)
    return { isOver: true, text: `The certificate in ${pair.certfile} has expired: clients refuse it. Renew it` };
  const left = days < 1 ? "in less than a day" : `in ${Math.floor(days)} day${days < 2 ? "" : "s"}`;
  return {
    isOver: false,
    text: `The certificate in ${pair.certfile} expires ${left} (${expiryDate(pair)}): renew it`,
  };
}

export function expiryDate({ expiresAt }: KeyPair): string {
  return new Date(expiresAt).toISOString().slice(0, 10);
}

/** What OpenSSL says, without the address of its source line. */
export function reasonOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "reason" in error && typeof error.reason === "string")
    return error.reason;
  return error instanceof Error ? error.message : String(error);
}

// Private

function privateKeyOf(file: string, bytes: Buffer, password: string | null): KeyObject {
  const text = bytes.toString("latin1");
  if (!text.includes("PRIVATE KEY-----")) {
    if (bytes.length === 0) throw new TlsError(`${file} is empty`);
    if (text.includes("-----BEGIN CERTIFICATE-----"))
      throw new TlsError(`${file} holds certificates but no private key: give the key's file with --keyfile`);
    if (bytes[0] === 0x30)
      throw new TlsError(`${file} is not PEM (it looks like DER): openssl pkey -inform der -in ${file} -out key.pem`);
    throw new TlsError(`${file} holds no private key: it must have a "-----BEGIN PRIVATE KEY-----" block`);
  }
  const isEncrypted = /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text);
  if (isEncrypted && password === null) {
    throw new TlsError(
      `the key in ${file} has a password: give it as UVICORN_SSL_KEYFILE_PASSWORD or with --ssl-keyfile-password`,
    );
  }
  try {
    return createPrivateKey(isEncrypted ? { key: bytes, passphrase: password ?? "" } : { key: bytes });
  } catch (error) {
    throw new TlsError(
      isEncrypted
        ? `the key in ${file} cannot be decrypted: the password is wrong (${reasonOf(error)})`
        : `the key in ${file} is damaged (${reasonOf(error)})`,
      { cause: error },
    );
  }
}

/** RFC 9525: the subject's alternative names; the common name counts only where there are none. */
function namesOf(certificate: X509Certificate): readonly string[] {
  const alternative = (certificate.subjectAltName ?? "")
    .split(", ")
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => entry.slice("DNS:".length));
  if (certificate.subjectAltName !== undefined) return alternative;
  const common = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  return common === undefined ? [] : [common];
}

function subjectOf(certificate: X509Certificate): string {
  return namesOf(certificate)[0] ?? (certificate.subject?.replaceAll("\n", ", ") || "no name");
}
