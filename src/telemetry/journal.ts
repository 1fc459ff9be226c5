/**
 * Lines to a stream or a file, gathered and written in one call per turn or so. One writer per destination; nothing is opened unless asked for.
 * Bound: past PENDING_LIMIT bytes that the destination does not take, lines are dropped and counted; a stuck log must not take the server down.
 */
import { closeSync, openSync, write, writeSync } from "node:fs";

const FLUSH_AFTER_MS = 50;
const FLUSH_AT_BYTES = 32_768;
const PENDING_LIMIT = 16 * 1024 * 1024;

export class Journal {
  readonly #path: string;
  #fd: number;
  #pending = "";
  #timer: NodeJS.Timeout | null = null;
  #isWriting = false;
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
    if (this.#pending.length > FLUSH_AT_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_AFTER_MS).unref();
  }

  /** Writes what is left, at once and synchronously. */
  flushSync(): void {
    this.#stopTimer();
    let rest = Buffer.from(this.#pending, "utf8");
    this.#pending = "";
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      }
    }
  }

  /** Opens the file anew (after logrotate). */
  reopen(): void {
    if (this.#path === "-") return;
    this.flushSync();
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, "a", 0o644);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #flush(): void {
    this.#stopTimer();
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
        this.#timer ??= setTimeout(() => {
          this.#timer = null;
          this.#write(bytes);
        }, FLUSH_AFTER_MS).unref();
        return;
      }
      if (error === null && written < bytes.length) return this.#write(bytes.subarray(written));
      this.#isWriting = false;
      if (this.#pending.length > 0) this.line("");
    });
  }
}
