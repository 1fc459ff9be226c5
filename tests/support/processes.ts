/** Processes that are not our children: is one still there, what did it come from. Linux only (/proc). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** False for a zombie too: it has ended, only its parent has not asked. */
export function isAlive(pid: number): boolean {
  return status(pid) !== undefined && status(pid)?.state !== "Z";
}

/** From the process up to, and without, the given ancestor. */
export function ancestry(pid: number, ancestor: number): readonly number[] {
  const line: number[] = [];
  for (let at = pid; at > 1 && at !== ancestor; at = status(at)?.parent ?? 0) line.push(at);
  return line;
}

/** The children of a process whose command line matches. */
export function children(parent: number, command: RegExp): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => status(pid)?.parent === parent && command.test(commandLine(pid)));
}

/** What a process has open: paths, and names such as socket:[123]. */
export function openFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return readlinkSync(`${folder}/${name}`);
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return [];
  }
}

// Private

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function status(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    // The name, in brackets, may hold blanks: what counts comes after its end.
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "?", parent = "0"] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
