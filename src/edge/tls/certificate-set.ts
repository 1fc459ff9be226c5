/** Certificates, keys and authorities as files, and the one whole set that they make. */
import { constants, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { TlsPlan } from "../../config/plan.ts";
import { certificatesOf, type KeyPair, keyPair, reasonOf, TlsError } from "./key-pair.ts";

/** Mozilla's intermediate list, without the DHE suites, which only clients of before 2012 would need. */
const SUITES_13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
const SUITES_12 =
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" +
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/** How long a session may be resumed, and its ticket be read. */
export const SESSION_SECONDS: number = 12 * 3600;

/** One checked set of certificates. */
export interface CertificateSet {
  readonly pairs: readonly KeyPair[];
  /** For each pair. */
  readonly contexts: readonly SecureContext[];
  /** What the first context was made of. */
  readonly options: SecureContextOptions;
}

/** Of all files, each once. */
export function pathsOf({ certificates, caFile }: TlsPlan): readonly string[] {
  const files = certificates.flatMap(({ certfile, keyfile }) => [certfile, keyfile]);
  return [...new Set(caFile === null ? files : [...files, caFile])];
}

type CertificateFiles = ReadonlyMap<string, Buffer>;

/** Throws TlsError where one cannot be read. */
export function readFiles(plan: TlsPlan): CertificateFiles {
  return new Map(pathsOf(plan).map((path) => [path, contents(path)] as const));
}

/** Throws TlsError for what is wrong first. `now` in milliseconds since 1970. */
export function checkedSet(plan: TlsPlan, files: CertificateFiles, now: number): CertificateSet {
  const { certificates, keyPassword } = plan;
  const read = (path: string): Buffer => files.get(path)!;
  const pairs = certificates.map((pair) => keyPair(pair, read(pair.certfile), read(pair.keyfile), keyPassword, now));
  const common = commonOptions(plan, files);
  const options = pairs.map(({ chain, key }) => ({ ...common, cert: chain, key }));
  const contexts = options.map((one, at) => contextOf(one, pairs[at]!, plan));
  return { pairs, contexts, options: options[0]! };
}

/** What is wrong with a set. */
export interface TlsTrouble {
  /** The setting that it is about, and which of its values. */
  readonly about: "certificate" | "authorities" | "ciphers";
  readonly at: number;
  readonly why: string;
}

/** All that is wrong, of every pair; and the good pairs. `now` is null where it does not matter that one is out of its time: it is served already. */
export function judgedSet(
  plan: TlsPlan,
  now: number | null,
): { readonly troubles: readonly TlsTrouble[]; readonly pairs: readonly KeyPair[] } {
  const troubles: TlsTrouble[] = [];
  const attempt = <T>(about: TlsTrouble["about"], at: number, act: () => T): T | null => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      troubles.push({ about, at, why: error.message });
      return null;
    }
  };
  const { caFile } = plan;
  if (caFile !== null) attempt("authorities", 0, () => certificatesOf(caFile, contents(caFile)));
  const pairs = plan.certificates.map((files, at) =>
    attempt("certificate", at, () =>
      keyPair(files, contents(files.certfile), contents(files.keyfile), plan.keyPassword, now ?? NaN),
    ),
  );
  // Ciphers are judged with a good pair only.
  const at = pairs.findIndex((pair) => pair !== null);
  const pair = pairs[at];
  const good = pairs.filter((one) => one !== null);
  if (pair === undefined || pair === null || troubles.some(({ about }) => about === "authorities"))
    return { troubles, pairs: good };
  const options = commonOptions(plan, caFile === null ? new Map() : new Map([[caFile, contents(caFile)]]));
  attempt("ciphers", at, () => contextOf({ ...options, cert: pair.chain, key: pair.key }, pair, plan));
  return { troubles, pairs: good };
}

/** A list of TLS 1.2's suites says nothing about TLS 1.3, as in Python; Node would take it for a wish to have no TLS 1.3. */
export function suites(asked: string | null): string {
  if (asked === null) return `${SUITES_13}:${SUITES_12}`;
  const names = asked.split(/[:, ]+/).filter((name) => name !== "");
  const has13 = names.some((name) => name.startsWith("TLS_"));
  const has12 = names.some((name) => !name.startsWith("TLS_"));
  return [...(has13 ? [] : [SUITES_13]), ...names, ...(has12 ? [] : [SUITES_12])].join(":");
}

// Private

function commonOptions(plan: TlsPlan, files: CertificateFiles): SecureContextOptions {
  const { caFile, clientCertificates, leastVersion, ciphers } = plan;
  const authorities = caFile === null ? [] : certificatesOf(caFile, files.get(caFile)!).map(String);
  return {
    minVersion: leastVersion,
    ciphers: suites(ciphers),
    // Client and server choose together: phones without AES in hardware prefer ChaCha20.
    honorCipherOrder: false,
    ca: authorities,
    // A session proves the client's certificate too: it is only resumed while the same authorities are believed.
    sessionIdContext: createHash("sha256")
      .update(clientCertificates + authorities.join(""))
      .digest("hex")
      .slice(0, 32),
    sessionTimeout: SESSION_SECONDS,
    // A handshake on an open connection is work for the server at little cost to the client (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function contextOf(options: SecureContextOptions, { certfile }: KeyPair, { ciphers }: TlsPlan): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const reason = reasonOf(error);
    throw new TlsError(
      /cipher/i.test(reason)
        ? `--ciphers ${ciphers ?? ""}: ${reason}`
        : `the certificate in ${certfile} cannot be used: ${reason}`,
      { cause: error },
    );
  }
}

function contents(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT"
        ? "does not exist"
        : code === "EACCES"
          ? "may not be read by this user"
          : code === "EISDIR"
            ? "is a folder"
            : `cannot be read: ${reasonOf(error)}`;
    throw new TlsError(`${path} ${why}`, { cause: error });
  }
}
