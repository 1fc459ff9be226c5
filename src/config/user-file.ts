/** Names and password hashes, as htpasswd writes them: `name:hash`, one a line; `#` begins a comment. Pure. */
import { hashProblem } from "./password-text.ts";

export interface UserTable {
  readonly hashes: ReadonlyMap<string, string>;
  /** Lines that let nobody in, each as a sentence that begins with file and line; no hash is repeated. */
  readonly problems: readonly string[];
  /** What can be read, and is probably not meant. */
  readonly remarks: readonly string[];
}

/** `path` is for messages. */
export function readUsers(text: string, path: string): UserTable {
  const hashes = new Map<string, string>();
  const problems: string[] = [];
  const remarks: string[] = [];
  for (const [at, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const place = `${path}:${at + 1}`;
    const colon = line.indexOf(":");
    if (colon < 1) {
      problems.push(`${place}: this is not name:hash`);
      continue;
    }
    const name = line.slice(0, colon);
    // As in /etc/passwd, what follows a second colon is something else; no hash has one.
    const hash = line.slice(colon + 1).split(":")[0]!;
    const problem = hashProblem(hash);
    if (problem !== null) problems.push(`${place}: what stands for user ${JSON.stringify(name)} ${problem}`);
    else if (hashes.has(name))
      remarks.push(`${place}: user ${JSON.stringify(name)} stands there already; the first counts`);
    else hashes.set(name, hash);
  }
  return { hashes, problems, remarks };
}
