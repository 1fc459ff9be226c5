/**
 * Lines to a stream or a file, gathered and written in one call per turn or so. One writer per destination; nothing is opened unless asked for.
 * Bound: past PENDING_LIMIT bytes that the destination does not take, lines are dropped and counted; a stuck log must not take the server down.
 */
import { closeSync, openSync, write, writeSync } from "node:fs";

const FLUSH_AFTER_MS = 50;
const FLUSH_AT_BYTES = 32_768;
const PENDING_LIMIT = 16 * 1024 * 1024;
/** A destination that takes nothing for so long at the end is left: a stop must not hang on it. */
const STUCK_AFTER_MS = 1000;
const NOTHING = Buffer.alloc(0);

export class Journal {
  readonly #path: string;
  #fd: number;
  #pending = "";
  #timer: NodeJS.Timeout | null = null;
  #isWriting = false;
  /** Bytes that a full pipe did not take; they are tried again. `#isWriting` stays true meanwhile. */
  #refused: Buffer | null = null;
  #dropped = 0;

  /** `path` "-" is the given standard descriptor. Throws where a file cannot be opened. */
  constructor(path: string, standard: 1 | 2) {
    this.#path = path;
    this.#fd = path === "-" ? standard : openSync(path, "a", 0o644);
  }

  /** Adds a line (with its newline). */
  line(text: string): void {
    if (this.#pending.length > PENDING_LIMIT) {
      this.#dropped++;
      return;
    }
    this.#pending += text;
    if (this.#pending.length > FLUSH_AT_BYTES && !this.#isWriting) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_AFTER_MS).unref();
  }

  /** Writes what is left, at once and synchronously; what a full pipe does not take within STUCK_AFTER_MS is lost. */
  flushSync(): void {
    this.#stopTimer();
    let rest = Buffer.concat([this.#refused ?? NOTHING, Buffer.from(this.#pending, "utf8")]);
    this.#pending = "";
    if (this.#refused !== null) this.#isWriting = false;
    this.#refused = null;
    const giveUpAt = performance.now() + STUCK_AFTER_MS;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || performance.now() > giveUpAt) return;
      }
    }
  }

  /** Opens the file anew (after logrotate). Throws where that is not possible, and goes on with the old one. */
  reopen(): void {
    if (this.#path === "-") return;
    const fd = openSync(this.#path, "a", 0o644);
    this.flushSync();
    closeSync(this.#fd);
    this.#fd = fd;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #flush(): void {
    this.#stopTimer();
    if (this.#refused !== null) {
      const bytes = this.#refused;
      this.#refused = null;
      return this.#write(bytes);
    }
    if (this.#isWriting || this.#pending === "") return;
    if (this.#dropped > 0) {
      this.#pending += `maitred: ${this.#dropped} log lines were dropped: ${this.#path} took no more\n`;
      this.#dropped = 0;
    }
    this.#isWriting = true;
    const bytes = Buffer.from(this.#pending, "utf8");
    this.#pending = "";
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null && error.code === "EAGAIN") {
        // A full pipe: its reader is slow.
        this.#refused = bytes;
        this.#timer ??= setTimeout(() => this.#flush(), FLUSH_AFTER_MS).unref();
        return;
      }
      if (error === null && written < bytes.length) return this.#write(bytes.subarray(written));
      this.#isWriting = false;
      if (this.#pending.length > 0) this.line("");
    });
  }
}
