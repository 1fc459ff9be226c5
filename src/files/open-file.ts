/**
 * Opens a file below a folder, and asks the kernel what it has opened: a regular file, and one that is really below the folder, whatever symbolic links
 * were passed or put in the way meanwhile. The descriptor that passed is the one that is read, so there is nothing between the check and the use.
 */
import { close, constants, fstat, open, readlink, realpath, stat, type Stats } from "node:fs";

/** Not blocking, so that a pipe in a file's place holds no thread; never our terminal. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export type Opened =
  | { readonly type: "file"; readonly descriptor: number; readonly stats: Stats }
  /** Below the folder, as `file` is. `descriptor` is -1 unless it was asked for. */
  | { readonly type: "folder"; readonly descriptor: number }
  | { readonly type: "missing" }
  /** `status`: 403, 500, or 503 where we have no descriptor left. */
  | { readonly type: "refused"; readonly status: number; readonly why: string };

const MISSING: Opened = { type: "missing" };
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);
const FORBIDDEN: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENXIO", "ENODEV"]);
const EXHAUSTED: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM"]);

export class Folder {
  readonly root: string;
  readonly #allowsOutside: boolean;
  /** Where the folder really is; asked again when a file seems to be outside: a deployment may have switched a link. */
  #realRoot: string | null = null;

  constructor(root: string, allowsOutside: boolean) {
    this.root = root;
    this.#allowsOutside = allowsOutside;
  }

  /**
   * `path` is below the folder, without a slash at its beginning; empty for the folder itself. Whoever gets a descriptor closes it.
   * @param keepsFolder a folder stays open too.
   */
  open(path: string, done: (opened: Opened) => void, keepsFolder: boolean = false): void {
    const whole = path === "" ? this.root : `${this.root}/${path}`;
    open(whole, FLAGS, (error, descriptor) => {
      if (error !== null) return done(refusal(error));
      const end = (opened: Opened): void => close(descriptor, () => done(opened));
      fstat(descriptor, (failure, stats) => {
        if (failure !== null) return end(refusal(failure));
        const isFolder = stats.isDirectory();
        if (!isFolder && !stats.isFile())
          return end({ type: "refused", status: 403, why: "it is neither a file nor a folder" });
        this.#isInside(descriptor, whole, stats, (outside) => {
          if (outside !== null) return end({ type: "refused", status: 403, why: outside });
          if (isFolder && !keepsFolder) return end({ type: "folder", descriptor: -1 });
          if (isFolder) return done({ type: "folder", descriptor });
          done({ type: "file", descriptor, stats });
        });
      });
    });
  }

  /** A name for an open folder that leads nowhere else: its path, where there is no better one (macOS). */
  nameOf(path: string, descriptor: number): string {
    return process.platform === "linux" ? `/proc/self/fd/${descriptor}` : `${this.root}/${path}`;
  }

  // Private

  /** Gives null where it is, else why it is not. */
  #isInside(descriptor: number, whole: string, stats: Stats, done: (why: string | null) => void): void {
    if (this.#allowsOutside) return done(null);
    realPathOf(descriptor, whole, stats, (path) => {
      if (path === null) return done("where it really is cannot be told");
      if (this.#realRoot !== null && isBelow(path, this.#realRoot)) return done(null);
      realpath(this.root, (error, root) => {
        if (error !== null) return done(`its folder: ${error.message}`);
        this.#realRoot = root;
        done(isBelow(path, root) ? null : "a symbolic link leads out of the folder");
      });
    });
  }
}

// Private

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);
}

/** Where an open file is. Without /proc (macOS): what the name leads to now, if that is the very file. */
function realPathOf(descriptor: number, whole: string, opened: Stats, done: (path: string | null) => void): void {
  readlink(`/proc/self/fd/${descriptor}`, (error, path) => {
    if (error === null) return done(path);
    realpath(whole, (failure, found) => {
      if (failure !== null) return done(null);
      stat(found, (lost, now) =>
        done(lost === null && now.dev === opened.dev && now.ino === opened.ino ? found : null),
      );
    });
  });
}

function refusal({ code = "", message }: NodeJS.ErrnoException): Opened {
  if (ABSENT.has(code)) return MISSING;
  if (FORBIDDEN.has(code)) return { type: "refused", status: 403, why: message };
  return { type: "refused", status: EXHAUSTED.has(code) ? 503 : 500, why: message };
}
