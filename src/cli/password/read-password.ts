/** A password from a human or from a pipe. On a terminal it is not shown, and is asked for twice. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Null where none came, or the two differ. */
export async function readPassword(warn: (text: string) => void): Promise<string | null> {
  if (!process.stdin.isTTY) return await firstLine();
  // What is typed is edited as on any line, and echoed nowhere: the terminal is in raw mode before it is asked for.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const left = new Promise<null>((resolve) => {
    terminal.once("SIGINT", () => resolve(null));
    terminal.once("close", () => resolve(null));
  });
  const ask = async (prompt: string): Promise<string | null> => {
    warn(prompt);
    const answer = await Promise.race([terminal.question(""), left]);
    warn("\n");
    return answer;
  };
  try {
    const first = await ask("Password: ");
    const second = first === null ? null : await ask("Again: ");
    if (first !== second) warn("maitred: error: the two are not the same\n");
    return first === second ? first : null;
  } finally {
    terminal.close();
  }
}

// Private

async function firstLine(): Promise<string | null> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  return null;
}
