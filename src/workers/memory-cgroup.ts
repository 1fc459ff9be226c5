/**
 * Has the kernel killed one of us for lack of memory? The counters of our cgroup know: `oom_kill` in v2's memory.events and in v1's
 * memory.oom_control. I/O: reads a few small files at the start and after a death by SIGKILL.
 */
import { readFileSync } from "node:fs";

export interface OomVerdict {
  /** True: the kernel did it. False: it did not. Null: there is no counter to ask. */
  readonly isOom: boolean | null;
  /** The smallest limit above us; null = none. */
  readonly limitBytes: number | null;
}

interface Place {
  /** From our cgroup up to the root. */
  readonly folders: readonly string[];
  readonly counterFile: string;
  readonly limitFile: string;
}

/** v1 says "no limit" with a number near 2^63. */
const NO_LIMIT_BYTES = 2 ** 60;

export class MemoryCgroup {
  readonly #places: readonly Place[];
  readonly #read: (path: string) => string | null;
  #counter: number | null;
  /** Kills counted that no death has been explained with yet: two workers can die between two looks. */
  #unexplained = 0;

  /** `root` is where the cgroup file systems are mounted, `membership` the text of /proc/self/cgroup. */
  constructor(root: string, membership: string, read: (path: string) => string | null = contents) {
    this.#read = read;
    this.#places = placesOf(root, membership);
    this.#counter = this.#oomKills();
  }

  /** The cgroup of this process. */
  static own(root: string): MemoryCgroup {
    return new MemoryCgroup(root, contents("/proc/self/cgroup") ?? "");
  }

  /** One of our processes was killed by SIGKILL, and not by us. */
  judge(): OomVerdict {
    const before = this.#counter;
    this.#counter = this.#oomKills();
    const { limitBytes } = this;
    if (this.#counter === null) return { isOom: null, limitBytes };
    this.#unexplained += Math.max(0, this.#counter - (before ?? 0));
    if (this.#unexplained === 0) return { isOom: false, limitBytes };
    this.#unexplained--;
    return { isOom: true, limitBytes };
  }

  #oomKills(): number | null {
    for (const { folders, counterFile } of this.#places) {
      for (const folder of folders) {
        const count = /^oom_kill (\d+)$/m.exec(this.#read(`${folder}/${counterFile}`) ?? "")?.[1];
        if (count !== undefined) return Number(count);
      }
    }
    return null;
  }

  /** The smallest memory limit above us; null = none. */
  get limitBytes(): number | null {
    let smallest: number | null = null;
    for (const { folders, limitFile } of this.#places) {
      for (const folder of folders) {
        const bytes = Number((this.#read(`${folder}/${limitFile}`) ?? "max").trim());
        if (bytes < NO_LIMIT_BYTES && (smallest === null || bytes < smallest)) smallest = bytes;
      }
    }
    return smallest;
  }
}

/** Where our counters may be (cgroups(7)): `0::/path` is v2's line, `N:memory:/path` v1's. */
function placesOf(root: string, membership: string): Place[] {
  const places: Place[] = [];
  for (const line of membership.split("\n")) {
    const [hierarchy, controllers, ...rest] = line.split(":");
    const path = rest.join(":");
    if (hierarchy === "0" && controllers === "")
      places.push({ folders: foldersOf(root, path), counterFile: "memory.events", limitFile: "memory.max" });
    else if (controllers?.split(",").includes("memory") === true) {
      const folders = foldersOf(`${root}/memory`, path);
      places.push({ folders, counterFile: "memory.oom_control", limitFile: "memory.limit_in_bytes" });
    }
  }
  return places;
}

/** A container often sees its own cgroup as the root of the mount, whatever path it is told. */
function foldersOf(root: string, path: string): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== "..");
  return Array.from({ length: names.length + 1 }, (_, left) =>
    [root, ...names.slice(0, names.length - left)].join("/"),
  );
}

function contents(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
