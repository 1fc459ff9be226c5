/** A key and a certificate for development, signed by itself. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { certificate, pem } from "./x509.ts";

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const HOUR_MS = 3_600_000;

/** `now` in milliseconds since 1970. */
export function selfSigned(hosts: readonly string[], days: number, now: number): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = `maitred development (${hosts[0] ?? ""})`.slice(0, 64);
  const der = certificate(
    {
      issuer: subject,
      subject,
      hosts,
      serial: randomBytes(16),
      // Another machine's clock may be a little behind.
      notBefore: new Date(now - HOUR_MS).toISOString(),
      notAfter: new Date(now + days * 24 * HOUR_MS).toISOString(),
      publicKey: publicKey.export({ type: "spki", format: "der" }),
      isAuthority: false,
    },
    (bytes) => sign("sha256", bytes, privateKey),
  );
  return { certificate: pem("CERTIFICATE", der), key: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
}
