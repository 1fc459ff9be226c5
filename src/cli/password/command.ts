/** `maitred password`: the hash of a password, for `basic-auth` in the configuration or for a file of users. */
import { parseArgv } from "../../config/argv.ts";
import { LONGEST_PASSWORD, makeHash } from "../../stages/passwords/password-hash.ts";
import { readPassword } from "./read-password.ts";

export const passwordUsage = `Usage: maitred password [NAME]

Asks for a password and prints its hash (scrypt), for basic-auth in the configuration; with NAME as a line of a
file of users. Where there is no terminal, the password is the first line of standard input.

  -h, --help                        Print this text and leave
`;

const flags = new Map([
  ["--help", false],
  ["-h", false],
]);

/** Returns the exit code: 0, 2 for mistakes on the line, 1 where there is no password. */
export async function passwordCommand(
  argv: readonly string[],
  print: (text: string) => void,
  warn: (text: string) => void,
): Promise<number> {
  const { given, positionals, mistakes: wrong } = parseArgv(argv, flags);
  if (given.length > 0 && wrong.length === 0) {
    print(passwordUsage);
    return 0;
  }
  const [name, ...more] = positionals;
  const mistakes = [
    ...wrong,
    ...more.map(() => `there is one name too many: a password on the command line would be seen by everyone`),
    ...(name !== undefined && /[:\0-\x1f\x7f]/.test(name) ? ["the name has a colon or a control character"] : []),
  ];
  if (mistakes.length > 0) {
    for (const mistake of mistakes) warn(`maitred: error: ${mistake}\n`);
    warn("see maitred password --help\n");
    return 2;
  }
  const password = await readPassword(warn);
  const problem = password === null ? "there is no password" : problemOf(password);
  if (password === null || problem !== null) {
    warn(`maitred: error: ${problem}\n`);
    return 1;
  }
  print(`${name === undefined ? "" : `${name}:`}${makeHash(password)}\n`);
  return 0;
}

// Private

function problemOf(password: string): string | null {
  if (password === "") return "the password is empty";
  // RFC 7617 section 2.
  if (/[\0-\x1f\x7f]/.test(password)) return "the password has a control character, which browsers do not send";
  return Buffer.byteLength(password) > LONGEST_PASSWORD
    ? `the password is longer than ${LONGEST_PASSWORD} bytes`
    : null;
}
