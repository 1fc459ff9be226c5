/** Where things are: the checkout, the examples, the Python that runs them, a folder that is gone after the tests. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const repository: string = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** The folder of an example. */
export function example(name: string): string {
  return join(repository, "examples", name);
}

/** The folder of the small applications that only tests use. */
export const testApps: string = join(repository, "tests/apps");

export function examplesPython(): string {
  const python = join(repository, ".tools/examples/bin/python");
  if (!existsSync(python)) throw new Error(`there is no ${python}: run scripts/setup-wagtail first`);
  return python;
}

/** A new folder, short enough for a Unix socket's path, removed when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "maitred-"));
  folders.push(folder);
  return folder;
}

/** Words before a command that run it without root's rights, none where there are none to lose; `why` that cannot be done. */
export function asNobody(): { readonly before: readonly string[] } | { readonly why: string } {
  if (process.getuid?.() !== 0) return { before: [] };
  const before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const [first, ...words] = [...before, process.execPath, "-e", `fs.accessSync("${repository}/bin/maitred")`] as const;
  const tried = spawnSync(first!, words, { cwd: "/", encoding: "utf8" });
  return tried.status === 0 ? { before } : { why: "nobody cannot run this checkout, or there is no setpriv" };
}

/** A port of 127.0.0.1 that nobody has, for who must know it before it is bound. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Private

const folders: string[] = [];

// Here and not in temporaryFolder(): called inside a hook, after() would belong to that hook and remove the folder at once.
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
