/** Why this user cannot use a file or a folder as it is wanted. I/O: asks the kernel, changes nothing. */
import { accessSync, constants, statSync } from "node:fs";
import { absolutePath } from "./paths.ts";

/**
 * read: a file, or a folder's files. write: a file is written, or made. fill: files are made in a folder. make: so they are, and the folder too
 * where it is not there; whoever makes it can live without, so a disk that has become read-only is no trouble.
 */
export type PathUse = "read" | "write" | "fill" | "make";

/** A sentence about the path or one above it; null where nothing is in the way. */
export function pathTrouble(path: string, use: PathUse): string | null {
  const kind = kindOf(path);
  switch (use) {
    case "read":
      if (kind === "missing") return `${path} does not exist`;
      return may(path, kind === "folder" ? constants.R_OK | constants.X_OK : constants.R_OK)
        ? null
        : `${path} may not be read by this user`;
    case "write":
      if (kind === "folder") return `${path} is a folder`;
      if (kind === "other") return may(path, constants.W_OK) ? null : `${path} may not be written by this user`;
      return kindOf(above(path)) === "missing" ? `there is no folder ${above(path)}` : pathTrouble(above(path), "fill");
    case "fill":
      if (kind !== "folder") return `${path} is not a folder`;
      return may(path, constants.W_OK | constants.X_OK) ? null : `${path} may not be written to by this user`;
    case "make":
      if (kind === "missing" && path !== "/") return pathTrouble(above(path), "make");
      return kind === "folder" && isReadOnly(path) ? null : pathTrouble(path, "fill");
  }
}

// Private

function above(path: string): string {
  return absolutePath(path, "..");
}

function kindOf(path: string): "folder" | "other" | "missing" {
  try {
    return statSync(path).isDirectory() ? "folder" : "other";
  } catch (error) {
    // What stands behind a folder that may not be searched is there for all we know.
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "other" : "missing";
  }
}

function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
