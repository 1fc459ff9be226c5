/**
 * Files of maitred that it reads beside its own code. The build puts all code into one folder, so this file, in src/ as in dist/, stands one folder
 * below the root, whatever else is bundled with it.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);

/** The absolute path of a file or folder, named from the root of the project (`python/maitred/sendfile.py`). */
export function ownPath(name: string): string {
  return fileURLToPath(new URL(name, root));
}

/** What an operator reads whose reload needs a part of our code that had not been loaded, after an upgrade in place. */
export const REPLACED =
  "maitred's own files have been replaced since this process started: USR2 or a restart changes to the new version";

/** A part of our code that is loaded when it is first used is no longer there. */
export function isReplaced(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

/** Version of package.json. */
export function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(ownPath("package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
