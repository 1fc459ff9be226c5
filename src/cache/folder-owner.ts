/**
 * Whose the folder of the disk tier is: a file in it names the process. Two servers that do not know each other must not share one, because what the one
 * purges the other would go on serving. Those of an upgrade do know each other.
 */
import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseProcessStat } from "../telemetry/process-stat.ts";

const FILE = "owner";

export class FolderOwner {
  readonly #path: string;
  readonly #self = `${process.pid} ${startOf(process.pid)}\n`;

  /** @param takesOver is true where an older server hands over to this one. Throws where the folder is another server's. */
  constructor(folder: string, takesOver: boolean) {
    this.#path = join(folder, FILE);
    const other = takesOver ? null : this.#otherOwner();
    if (other !== null)
      throw new Error(`another server (pid ${other}) keeps its responses there; each needs a folder of its own`);
    try {
      writeFileSync(this.#path, this.#self, { mode: 0o600 });
    } catch {
      // A disk that is full now: what is on it can be read, and may give way.
    }
  }

  /** Another one may have it. */
  leave(): void {
    try {
      if (readFileSync(this.#path, "latin1") === this.#self) unlinkSync(this.#path);
    } catch {
      // It has gone, or cannot be removed: then it names a process that is no more.
    }
  }

  // Private

  /** The pid of a process that lives and has not left; null where there is none. */
  #otherOwner(): number | null {
    let text: string;
    try {
      text = readFileSync(this.#path, "latin1");
    } catch {
      return null;
    }
    const [, pid, start] = /^(\d+) (\d+)\n$/.exec(text) ?? [];
    if (pid === undefined || Number(pid) === process.pid) return null;
    const isAlive = start !== "0" && startOf(Number(pid)) === start;
    return isAlive ? Number(pid) : null;
  }
}

/** When a process has started; "0" where nobody can tell. */
function startOf(pid: number): string {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1")).startTicks ?? "0";
  } catch {
    return "0";
  }
}
