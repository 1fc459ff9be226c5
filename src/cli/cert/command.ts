/** `maitred cert`: writes a certificate for development and its key. */
import { closeSync, mkdirSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgv } from "../../config/argv.ts";
import { selfSigned } from "./self-signed.ts";

export const certUsage = `Usage: maitred cert --self-signed [--host NAME]... [--out FOLDER] [--days N] [--force]

Writes a certificate for development, signed by itself, and its key: FOLDER/cert.pem and FOLDER/key.pem.

      --self-signed                 What to make; there is nothing else yet
      --host NAME                   Host name or IP address it is good for; repeatable (localhost, 127.0.0.1, ::1)
      --out FOLDER                  Where to write; made when it is not there (.)
      --days N                      How long it is valid (90)
      --force                       Overwrite files that are there
  -h, --help                        Print this text and leave
`;

const flags = new Map([
  ["--self-signed", false],
  ["--force", false],
  ["--host", true],
  ["--out", true],
  ["--days", true],
  ["--help", false],
  ["-h", false],
]);

const ALWAYS = ["localhost", "127.0.0.1", "::1"];

/** Returns the exit code: 0, 2 for mistakes on the line, 1 where files cannot be written. */
export function certCommand(
  argv: readonly string[],
  print: (text: string) => void,
  warn: (text: string) => void,
): number {
  const { given, positionals, mistakes: wrong } = parseArgv(argv, flags);
  const all = (flag: string): readonly string[] =>
    given.filter((one) => one.flag === flag).map(({ text }) => text ?? "");
  if (all("--help").length + all("-h").length > 0) {
    print(certUsage);
    return 0;
  }
  const hosts = [...new Set([...all("--host"), ...ALWAYS])];
  const days = all("--days").at(-1) ?? "90";
  const mistakes = [
    ...wrong,
    ...positionals.map((word) => `${word} is not an option of maitred cert`),
    ...(all("--self-signed").length === 0
      ? ["maitred cert makes nothing but self-signed certificates: add --self-signed"]
      : []),
    ...hosts
      .filter((host) => !/^(\*\.)?[a-z0-9._-]+$|^[0-9a-f:.]+$/i.test(host))
      .map((host) => `--host ${host} is neither a host name nor an IP address`),
    ...(/^[1-9]\d{0,3}$/.test(days) ? [] : [`--days ${days} is not a whole number from 1 to 9999`]),
  ];
  if (mistakes.length > 0) {
    for (const mistake of mistakes) warn(`maitred: error: ${mistake}\n`);
    warn("see maitred cert --help\n");
    return 2;
  }

  const folder = all("--out").at(-1) ?? ".";
  const files = { certificate: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const made = selfSigned(hosts, Number(days), Date.now());
  try {
    mkdirSync(folder, { recursive: true });
    writePair(files, made, all("--force").length > 0);
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    warn(
      code === "EEXIST"
        ? `maitred: error: ${path ?? folder} exists already: give --force to overwrite it, or another folder with --out\n`
        : `maitred: error: cannot write ${path ?? folder}: ${message}\n`,
    );
    return 1;
  }
  print(`${files.certificate} and ${files.key} are good for ${hosts.join(", ")}, for ${days} days.
Browsers warn of it until it is made known to them; curl takes it with --cacert ${files.certificate}.

  maitred --certfile ${files.certificate} --keyfile ${files.key} MODULE:APP
`);
  return 0;
}

// Private

/** Both or none: a key beside somebody else's certificate would be worse than an error. */
function writePair(
  files: { readonly certificate: string; readonly key: string },
  made: { readonly certificate: string; readonly key: string },
  force: boolean,
): void {
  if (force) for (const path of [files.key, files.certificate]) removeIfThere(path);
  write(files.key, made.key, 0o600);
  try {
    write(files.certificate, made.certificate, 0o644);
  } catch (error) {
    unlinkSync(files.key);
    throw error;
  }
}

/** "wx": fails where something is there, also a dangling link; a new file, so that the mode counts from its first byte on. */
function write(path: string, text: string, mode: number): void {
  const file = openSync(path, "wx", mode);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
