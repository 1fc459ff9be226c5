/**
 * Checks passwords off the event loop: in a thread of its own, which is started with the first question. What has been found right is remembered for
 * a while under a digest, so that the requests of one login do not cost a check each.
 *
 * Bounds: questions that wait, answers that are remembered.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../clock.ts";
import type { Log } from "../../telemetry/log.ts";
import { BoundedTable } from "../bounded-table.ts";
import { digest } from "../digest.ts";
import type { Question, Verdict } from "./password-thread.ts";

/** `busy`: too many wait already. */
export type Checked = "right" | "wrong" | "busy";

const MOST_WAITING = 64;
const MOST_REMEMBERED = 8192;

export class PasswordChecker {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Of what was right: until when it need not be asked again. */
  readonly #right = new BoundedTable<number>(MOST_REMEMBERED);
  /** Those who ask the same at the same time share one check. */
  readonly #asked = new Map<string, Promise<Checked>>();
  readonly #waiting = new Map<number, (matches: boolean | null) => void>();
  #thread: Worker | null = null;
  #lastId = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** True where it was found right a short while ago. */
  isKnown(password: string, hash: string): boolean {
    const until = this.#right.use(digest(hash, password));
    return until !== undefined && until > this.#clock.now();
  }

  /** Resolves always. */
  check(password: string, hash: string, rememberMs: number): Promise<Checked> {
    const key = digest(hash, password);
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    if (this.#waiting.size >= MOST_WAITING) return Promise.resolve("busy");
    const answer = this.#ask(password, hash).then((matches): Checked => {
      this.#asked.delete(key);
      if (matches === null) return "busy";
      if (!matches) return "wrong";
      const now = this.#clock.now();
      if (rememberMs > 0) this.#right.set(key, now + rememberMs, (until) => until <= now);
      return "right";
    });
    this.#asked.set(key, answer);
    return answer;
  }

  // Private

  #ask(password: string, hash: string): Promise<boolean | null> {
    const thread = (this.#thread ??= this.#start());
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      // Only while it works does it keep the process alive.
      if (this.#waiting.size === 0) thread.ref();
      this.#waiting.set(id, resolve);
      thread.postMessage({ id, password, hash } satisfies Question);
    });
  }

  #start(): Worker {
    // Beside this file before and after the build, which makes it an entry of its own (scripts/build).
    const name = import.meta.url.endsWith(".ts") ? "password-thread.ts" : "password-thread.js";
    const thread = new Worker(new URL(name, import.meta.url), { name: "passwords" });
    thread.unref();
    thread.on("message", ({ id, matches }: Verdict) => {
      this.#waiting.get(id)?.(matches);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) thread.unref();
    });
    const lost = (error?: Error): void => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      this.#log.error(`The thread that checks passwords ended${error === undefined ? "" : `: ${error.message}`}`);
      for (const resolve of this.#waiting.values()) resolve(null);
      this.#waiting.clear();
    };
    thread.on("error", lost);
    thread.on("exit", () => lost());
    return thread;
  }
}
