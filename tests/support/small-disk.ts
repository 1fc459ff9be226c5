/** A disk of a few megabytes, which a test may fill or make read-only: a tmpfs, where this machine lets us mount one. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export interface SmallDisk {
  readonly folder: string;
  /** Somebody else's file takes all the room there is. */
  fill(): void;
  /** It goes away again. */
  free(): void;
  protect(isReadOnly: boolean): void;
}

/** Why there is none here; false where there is. */
export function whyNoSmallDisk(): string | false {
  if (process.platform !== "linux") return "only Linux has tmpfs";
  const folder = newFolder();
  const { status, stderr, error } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  if (status !== 0) {
    rmdirSync(folder);
    return `cannot mount a tmpfs: ${error?.message ?? String(stderr).trim()}`;
  }
  spawnSync("umount", [folder]);
  rmdirSync(folder);
  return false;
}

export function smallDisk(bytes: number): SmallDisk {
  const folder = newFolder();
  run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder);
  mounted.push(folder);
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: () => {
      const file = openSync(ballast, "a");
      try {
        for (;;) writeSync(file, Buffer.alloc(4096));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast),
    protect: (isReadOnly) => run("mount", "-o", `remount,${isReadOnly ? "ro" : "rw"}`, folder),
  };
}

// Private

const mounted: string[] = [];

after(() => {
  // Whoever may still have a file open there: the name is gone at once, the disk when it is closed.
  for (const folder of mounted) {
    spawnSync("umount", ["--lazy", folder]);
    rmdirSync(folder);
  }
});

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "maitred-disk-"));
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${String(stderr)}`);
}
