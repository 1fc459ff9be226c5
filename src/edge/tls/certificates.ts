/**
 * The operator's certificates, keys and authorities: read at the start, watched, read again when they change. What new handshakes get is
 * always one whole set that was checked; a set that is wrong leaves the old one in place.
 */
import { constants, createHash } from "node:crypto";
import { type FSWatcher, readFileSync, realpathSync, watch } from "node:fs";
import { dirname } from "node:path";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { Clock, Timer } from "../../clock.ts";
import type { TlsPlan } from "../../config/plan.ts";
import type { Log } from "../../telemetry/log.ts";
import { certificatesOf, type KeyPair, keyPair, reasonOf, TlsError } from "./key-pair.ts";

/** Mozilla's intermediate list, without the DHE suites, which only clients of before 2012 would need. */
const SUITES_13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
const SUITES_12 =
  "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" +
  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/** Certificate and key are two files, written one after the other: a change is looked at when nothing has changed for this long. */
const QUIET_MS = 300;
const RESTLESS_MS = 2000;
/** Where watching does not work (network file systems), changes are found this late. */
const LOOK_EVERY_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
const WARN_DAYS = 14;
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

export class Certificates {
  /** Called with each new set after the first. */
  onChange: (set: CertificateSet) => void = () => {};
  #set: CertificateSet;
  #fingerprint: string;
  readonly #plan: TlsPlan;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #timers: readonly Timer[];
  #quiet: Timer | null = null;
  #restlessSince = 0;

  /** Reads the files and begins to watch them. Throws TlsError. */
  constructor(plan: TlsPlan, clock: Clock, log: Log) {
    this.#plan = plan;
    this.#clock = clock;
    this.#log = log;
    const files = this.#read();
    this.#set = this.#check(files);
    this.#fingerprint = fingerprintOf(files);
    this.#watch();
    this.#tellExpiry();
    this.#timers = [
      clock.every(LOOK_EVERY_MS, () => this.reload("check")),
      clock.every(DAY_MS, () => this.#tellExpiry()),
    ];
  }

  get set(): CertificateSet {
    return this.#set;
  }

  /** Reads the files again. Unchanged ones make nothing new; wrong ones are told and leave what is there. */
  reload(why: "change" | "check" | "signal"): void {
    try {
      const files = this.#read();
      const fingerprint = fingerprintOf(files);
      this.#watch();
      if (fingerprint === this.#fingerprint) return;
      this.#set = this.#check(files);
      this.#fingerprint = fingerprint;
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      this.#log.error(`TLS certificates not reloaded, the old ones stay: ${error.message}`);
      return;
    }
    this.#log.info(
      `TLS certificates reloaded (${why === "signal" ? "SIGHUP" : "their files changed"}): ${this.#set.pairs.map(describe).join("; ")}`,
    );
    this.#tellExpiry();
    this.onChange(this.#set);
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#quiet?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  // Private

  #paths(): readonly string[] {
    const { certificates, caFile } = this.#plan;
    const files = certificates.flatMap(({ certfile, keyfile }) => [certfile, keyfile]);
    return caFile === null ? files : [...files, caFile];
  }

  #read(): ReadonlyMap<string, Buffer> {
    return new Map(this.#paths().map((path) => [path, contents(path)] as const));
  }

  #check(files: ReadonlyMap<string, Buffer>): CertificateSet {
    const { certificates, keyPassword, caFile, clientCertificates, leastVersion, ciphers } = this.#plan;
    const now = this.#clock.wall();
    const read = (path: string): Buffer => files.get(path)!;
    const pairs = certificates.map((pair) => keyPair(pair, read(pair.certfile), read(pair.keyfile), keyPassword, now));
    const authorities = caFile === null ? [] : certificatesOf(caFile, read(caFile)).map(String);
    const common: SecureContextOptions = {
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
    const options = pairs.map(({ chain, key }) => ({ ...common, cert: chain, key }));
    const contexts = options.map((one, at) => {
      try {
        return createSecureContext(one);
      } catch (error) {
        const reason = reasonOf(error);
        throw new TlsError(
          /cipher/i.test(reason)
            ? `--ciphers ${ciphers ?? ""}: ${reason}`
            : `the certificate in ${pairs[at]!.certfile} cannot be used: ${reason}`,
          { cause: error },
        );
      }
    });
    return { pairs, contexts, options: options[0]! };
  }

  /** Folders rather than files: whoever renews a certificate puts a new file in the place of the old one, or turns a symbolic link. */
  #watch(): void {
    const folders = new Set<string>();
    for (const path of this.#paths()) {
      folders.add(dirname(path));
      // Kubernetes turns the link ..data, certbot links from live/ to archive/.
      folders.add(realPath(dirname(path)));
      folders.add(dirname(realPath(path)));
    }
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#changed());
        watcher.on("error", () => {
          watcher.close();
          this.#watchers.delete(folder);
        });
        this.#watchers.set(folder, watcher);
      } catch (error) {
        this.#log.debug(`Cannot watch ${folder} (${reasonOf(error)}): its certificates are looked at every 10 minutes`);
      }
    }
  }

  #changed(): void {
    const now = this.#clock.now();
    // A folder in which something else changes all the time must not put it off for ever.
    if (this.#quiet === null) this.#restlessSince = now;
    else if (now - this.#restlessSince > RESTLESS_MS) return;
    this.#quiet?.cancel();
    this.#quiet = this.#clock.after(QUIET_MS, () => {
      this.#quiet = null;
      this.reload("change");
    });
  }

  #tellExpiry(): void {
    const now = this.#clock.wall();
    for (const pair of this.#set.pairs) {
      const days = (pair.expiresAt - now) / DAY_MS;
      if (days <= 0) this.#log.error(`The certificate in ${pair.certfile} has expired: clients refuse it. Renew it`);
      else if (days < WARN_DAYS) {
        const left = days < 1 ? "in less than a day" : `in ${Math.floor(days)} day${days < 2 ? "" : "s"}`;
        this.#log.warning(`The certificate in ${pair.certfile} expires ${left} (${date(pair)}): renew it`);
      }
    }
  }
}

/** A list of TLS 1.2's suites says nothing about TLS 1.3, as in Python; Node would take it for a wish to have no TLS 1.3. */
export function suites(asked: string | null): string {
  if (asked === null) return `${SUITES_13}:${SUITES_12}`;
  const names = asked.split(/[:, ]+/).filter((name) => name !== "");
  const has13 = names.some((name) => name.startsWith("TLS_"));
  const has12 = names.some((name) => !name.startsWith("TLS_"));
  return [...(has13 ? [] : [SUITES_13]), ...names, ...(has12 ? [] : [SUITES_12])].join(":");
}

function describe(pair: KeyPair): string {
  return `${pair.names.slice(0, 3).join(", ") || pair.certfile}${pair.names.length > 3 ? ", ..." : ""} until ${date(pair)}`;
}

function date({ expiresAt }: KeyPair): string {
  return new Date(expiresAt).toISOString().slice(0, 10);
}

function fingerprintOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash("sha256");
  for (const [path, bytes] of files) hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex");
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

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
