/** Certificates for the tests: an authority, what it signs, and files of them. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificate, pem } from "../../src/cli/cert/x509.ts";

const DAY_MS = 86_400_000;

export interface Identity {
  readonly name: string;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly privateKey: KeyObject;
}

interface Asked {
  readonly hosts?: readonly string[];
  /** From now. */
  readonly startsInDays?: number;
  readonly endsInDays?: number;
  /** null: it signs itself. */
  readonly by?: Identity | null;
  readonly isAuthority?: boolean;
}

export function identity(name: string, asked: Asked = {}): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = asked.by ?? null;
  const der = certificate(
    {
      issuer: issuer?.name ?? name,
      subject: name,
      hosts: asked.hosts ?? [],
      serial: randomBytes(8),
      notBefore: new Date(Date.now() + (asked.startsInDays ?? -1) * DAY_MS).toISOString(),
      notAfter: new Date(Date.now() + (asked.endsInDays ?? 90) * DAY_MS).toISOString(),
      publicKey: publicKey.export({ type: "spki", format: "der" }),
      isAuthority: asked.isAuthority ?? false,
    },
    (bytes) => sign("sha256", bytes, issuer?.privateKey ?? privateKey),
  );
  return {
    name,
    cert: pem("CERTIFICATE", der),
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    privateKey,
  };
}

export const authority: Identity = identity("maitred test authority", { isAuthority: true });

/** A server's certificate, signed by the authority. */
export function serverIdentity(name: string, asked: Asked = {}): Identity {
  return identity(name, { hosts: [name, "127.0.0.1"], by: authority, ...asked });
}

/** Writes NAME.pem and NAME.key into the folder and gives the flags that name them. */
export function writeIdentity(folder: string, { cert, key }: Identity, name = "server"): readonly string[] {
  const files = [join(folder, `${name}.pem`), join(folder, `${name}.key`)] as const;
  writeFileSync(files[1], key, { mode: 0o600 });
  writeFileSync(files[0], cert);
  return ["--certfile", files[0], "--keyfile", files[1]];
}
