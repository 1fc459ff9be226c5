/** The pid file (--pid). During a binary upgrade the new server's is FILE.2, as gunicorn's, until the older one has ended; then it takes FILE's place. */
import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";

export class PidFile {
  readonly #path: string | null;
  #written: string | null = null;

  constructor(path: string | null) {
    this.#path = path;
  }

  /** Throws where it cannot be written. */
  write(isSecond: boolean): void {
    if (this.#path === null) return;
    const path = isSecond ? `${this.#path}.2` : this.#path;
    writeFileSync(path, `${process.pid}\n`);
    this.#written = path;
  }

  /** The older server has ended. */
  promote(): void {
    if (this.#path === null || this.#written === null || this.#written === this.#path) return;
    try {
      renameSync(this.#written, this.#path);
      this.#written = this.#path;
    } catch {
      // somebody else removed it
    }
  }

  /** Unless it is another process's by now. */
  remove(): void {
    if (this.#written === null) return;
    try {
      if (readFileSync(this.#written, "utf8").trim() === String(process.pid)) unlinkSync(this.#written);
    } catch {
      // somebody else removed it
    }
  }
}
