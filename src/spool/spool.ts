/**
 * The folder for bodies that do not fit in memory, and the room that all of its files share. A file is made exclusively, readable by this user
 * alone, and loses its name at once where /proc offers another way to it: so nothing is left behind, however maitred ends.
 */
import { randomBytes } from "node:crypto";
import { existsSync, openSync, unlinkSync } from "node:fs";
import { BLOCK_BYTES, SpoolFile, type SpoolRoom } from "./spool-file.ts";

export interface SpoolSettings {
  readonly folder: string;
  /** What all files may hold together. */
  readonly maxBytes: number;
}

/** Blocks kept for the next file. */
const SPARE_BLOCKS = 4;
/** The same trouble is told once in this time. */
const TELL_EVERY_MS = 60_000;

export class Spool implements SpoolRoom {
  readonly #settings: SpoolSettings;
  readonly #warn: (message: string) => void;
  readonly #now: () => number;
  readonly #hasProc: boolean = existsSync("/proc/self/fd");
  readonly #spare: Buffer[] = [];
  readonly #told = new Map<string, number>();
  #used = 0;

  /** `warn` gets a sentence for the operator; `now` is the clock's time in milliseconds. */
  constructor(settings: SpoolSettings, warn: (message: string) => void, now: () => number) {
    this.#settings = settings;
    this.#warn = warn;
    this.#now = now;
  }

  /** Bytes in all files. */
  get used(): number {
    return this.#used;
  }

  /** A new empty file, or null where none can be made (told to the operator). Its maker closes it. */
  open(): SpoolFile | null {
    if (this.#settings.maxBytes === 0) return null;
    const name = `${this.#settings.folder}/maitred-${process.pid}-${randomBytes(8).toString("hex")}`;
    try {
      const fd = openSync(name, "wx+", 0o600);
      if (!this.#hasProc) return new SpoolFile(this, fd, name, name);
      unlinkSync(name);
      return new SpoolFile(this, fd, `/proc/${process.pid}/fd/${fd}`, null);
    } catch (error) {
      this.tell(
        "open",
        `No file can be made in ${this.#settings.folder} (--spool-dir), bodies are streamed: ${(error as Error).message}`,
      );
      return null;
    }
  }

  /** Takes room for so many bytes; false where there is none. */
  reserve(bytes: number): boolean {
    if (this.#used + bytes > this.#settings.maxBytes) {
      this.tell(
        "full",
        `No room for ${bytes} bytes more: spool files hold ${this.#used} of ${this.#settings.maxBytes} bytes (--spool-max)`,
      );
      return false;
    }
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }

  /** Told once a minute for each kind of trouble. */
  tell(kind: string, message: string): void {
    const now = this.#now();
    if (now - (this.#told.get(kind) ?? -Infinity) < TELL_EVERY_MS) return;
    this.#told.set(kind, now);
    this.#warn(message);
  }

  get folder(): string {
    return this.#settings.folder;
  }

  takeBlock(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  giveBlock(block: Buffer): void {
    if (this.#spare.length < SPARE_BLOCKS) this.#spare.push(block);
  }
}
