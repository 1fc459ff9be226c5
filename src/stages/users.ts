/**
 * The users of a route: those of the configuration, and those of a file, which is read again when it has changed. The time of its last change is asked
 * for at most once a second, and only while requests come. A file that cannot be read, or has a line that is no user's, leaves all users as they were:
 * half a list would shut somebody out, or let somebody in whom the other half would not. That is told once for each edition of the file.
 */
import { readFile, stat } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { readUsers } from "../config/user-file.ts";

const ASK_EVERY_MS = 1000;
/** A list of passwords is not longer. */
const MOST_BYTES = 16 * 1024 * 1024;

export class Users {
  readonly #path: string | null;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #own: ReadonlyMap<string, string>;
  #read: ReadonlyMap<string, string> = new Map();
  /** What was read last; empty before the first. And what was looked at last, which may have been wrong. */
  #stamp = "";
  #looked = "";
  #askedAt = -Infinity;
  #reading: Promise<void> | null = null;
  /** The last trouble that was told, so that it is told once. */
  #told = "";

  constructor(own: readonly (readonly [string, string])[], path: string | null, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#own = new Map(own);
    if (path !== null) void this.fresh();
  }

  /** A user's hash; undefined for nobody. */
  hashOf(name: string): string | undefined {
    return this.#own.get(name) ?? this.#read.get(name);
  }

  /** Some user's hash: to spend the same time on names that nobody has. */
  get anyHash(): string | undefined {
    for (const hash of this.#own.values()) return hash;
    for (const hash of this.#read.values()) return hash;
    return undefined;
  }

  /** Null where the users are up to date; else resolves when they are. */
  fresh(): Promise<void> | null {
    if (this.#path === null) return null;
    if (this.#reading !== null) return this.#stamp === "" ? this.#reading : null;
    const now = this.#clock.now();
    if (now - this.#askedAt < ASK_EVERY_MS) return null;
    this.#askedAt = now;
    this.#reading = this.#readIfChanged(this.#path).finally(() => (this.#reading = null));
    return this.#reading;
  }

  // Private

  async #readIfChanged(path: string): Promise<void> {
    try {
      const { mtimeMs, ctimeMs, size, ino } = await stat(path);
      const stamp = `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
      if (stamp === this.#looked) return;
      if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes`);
      const { hashes, problems, remarks } = readUsers(await readFile(path, "utf8"), path);
      this.#looked = stamp;
      if (problems.length > 0) throw new Error(problems.join("; "));
      for (const remark of remarks) this.#log.warning(remark);
      if (this.#stamp !== "") this.#log.info(`${path} has changed: ${hashes.size} user${hashes.size === 1 ? "" : "s"}`);
      this.#read = hashes;
      this.#stamp = stamp;
      this.#told = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#told) this.#log.error(`Users not read again, the old ones stay: ${message}`);
      this.#told = message;
      // What comes back as it was is good news, and is read.
      if ("code" in (error as object)) this.#looked = "";
    }
  }
}
