/**
 * The operator's certificates, keys and authorities: read at the start, watched, read again when they change. What new handshakes get is
 * always one whole set that was checked; a set that is wrong leaves the old one in place.
 */
import { createHash } from "node:crypto";
import { type FSWatcher, realpathSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { Clock, Timer } from "../../clock.ts";
import type { TlsPlan } from "../../config/plan.ts";
import type { Log } from "../../telemetry/log.ts";
import { type CertificateSet, checkedSet, pathsOf, readFiles } from "./certificate-set.ts";
import { expiryDate, expiryOf, type KeyPair, reasonOf, TlsError } from "./key-pair.ts";

/** Certificate and key are two files, written one after the other: a change is looked at when nothing has changed for this long. */
const QUIET_MS = 300;
const RESTLESS_MS = 2000;
/** Where watching does not work (network file systems), changes are found this late. */
const LOOK_EVERY_MS = 10 * 60_000;
const DAY_MS = 86_400_000;
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
    const files = readFiles(plan);
    this.#set = checkedSet(plan, files, clock.wall());
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
      const files = readFiles(this.#plan);
      const fingerprint = fingerprintOf(files);
      this.#watch();
      if (fingerprint === this.#fingerprint) return;
      this.#set = checkedSet(this.#plan, files, this.#clock.wall());
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

  /** Folders rather than files: whoever renews a certificate puts a new file in the place of the old one, or turns a symbolic link. */
  #watch(): void {
    const folders = new Set<string>();
    for (const path of pathsOf(this.#plan)) {
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
      const told = expiryOf(pair, now);
      if (told !== null) this.#log[told.isOver ? "error" : "warning"](told.text);
    }
  }
}

function describe(pair: KeyPair): string {
  return `${pair.names.slice(0, 3).join(", ") || pair.certfile}${pair.names.length > 3 ? ", ..." : ""} until ${expiryDate(pair)}`;
}

function fingerprintOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash("sha256");
  for (const [path, bytes] of files) hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex");
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
