/** Names and password hashes, as htpasswd writes them: `name:hash`, one a line; `#` begins a comment. Pure. */
import { hashProblem } from "../config/password-text.ts";

export interface UserTable {
  readonly hashes: ReadonlyMap<string, string>;
  /** Lines that let nobody in, each as a sentence with its number; no hash is repeated. */
  readonly problems: readonly string[];
}

export function readUsers(text: string): UserTable {
  const hashes = new Map<string, string>();
  const problems: string[] = [];
  for (const [at, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    if (colon < 1) {
      problems.push(`line ${at + 1} is not name:hash`);
      continue;
    }
    const name = line.slice(0, colon);
    // As in /etc/passwd, what follows a second colon is something else; no hash has one.
    const hash = line.slice(colon + 1).split(":")[0]!;
    const problem = hashProblem(hash);
    if (problem !== null) problems.push(`line ${at + 1}, user ${JSON.stringify(name)}: it ${problem}`);
    else if (hashes.has(name))
      problems.push(`line ${at + 1}: user ${JSON.stringify(name)} stands there already; the first counts`);
    else hashes.set(name, hash);
  }
  return { hashes, problems };
}
