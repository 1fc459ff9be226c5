/**
 * Tells which of the chosen files have changed, come or gone: at once where the kernel says so (a watch on each folder, so that files saved under another
 * name and renamed are seen), else by looking at all of them from time to time. Either way a file has changed when its time, size or inode has.
 *
 * Bounded by the number of files and folders chosen. `close` ends everything.
 */
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock, Timer } from "../clock.ts";
import type { FileChoice } from "./file-choice.ts";

export interface FileWatcherSettings {
  readonly engine: "auto" | "inotify" | "poll";
  readonly pollMs: number;
}

/** A look at the files may take this share of the time at most. */
const POLL_SHARE = 0.1;

export class FileWatcher {
  readonly #choice: FileChoice;
  readonly #settings: FileWatcherSettings;
  readonly #clock: Clock;
  readonly #onChange: (path: string) => void;
  readonly #onTrouble: (message: string) => void;
  /** Path to time, size and inode. */
  readonly #files = new Map<string, string>();
  readonly #watches = new Map<string, FSWatcher>();
  #isPolling = false;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(
    choice: FileChoice,
    settings: FileWatcherSettings,
    clock: Clock,
    onChange: (path: string) => void,
    onTrouble: (message: string) => void,
  ) {
    this.#choice = choice;
    this.#settings = settings;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#onTrouble = onTrouble;
  }

  /** How it learns of changes, and how many files it watches: for the log. */
  get description(): string {
    const how = this.#isPolling ? `looking every ${this.#settings.pollMs} ms` : "told by the kernel";
    return `${this.#files.size} file${this.#files.size === 1 ? "" : "s"}, ${how}`;
  }

  start(): void {
    if (this.#settings.engine === "poll") this.#poll();
    else this.#lookAtAll(false);
  }

  /** Watches these too, unless they are. */
  add(files: readonly string[]): void {
    for (const file of files) {
      if (!this.#choice.list(file)) continue;
      this.#watch(dirname(file));
      this.#look(file, false);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#unwatch();
  }

  // Private

  #lookAtAll(tells: boolean): void {
    const seen = new Set<string>();
    const visited = new Set<string>();
    for (const folder of this.#choice.folders) this.#lookInto(folder, true, tells, seen, visited);
    for (const file of this.#choice.listed) {
      this.#watch(dirname(file));
      this.#look(file, tells);
      seen.add(file);
    }
    for (const path of this.#files.keys()) if (!seen.has(path)) this.#look(path, tells);
  }

  #lookInto(folder: string, isRoot: boolean, tells: boolean, seen: Set<string>, visited: Set<string>): void {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return; // Gone again, or not ours to read.
    }
    const names = entries.map(({ name }) => name);
    if (!isRoot && !this.#choice.wantsFolder(folder, names)) return;
    const identity = inodeOf(folder);
    if (visited.has(identity)) return; // A link that leads back.
    visited.add(identity);
    // Once more under the watch: what is saved while we look is seen twice rather than not at all.
    if (this.#watch(folder)) {
      try {
        entries = readdirSync(folder, { withFileTypes: true });
      } catch {
        return;
      }
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && isFolder(path))) {
        if (this.#choice.wantsName(path, entry.name)) this.#lookInto(path, false, tells, seen, visited);
      } else if (this.#choice.wantsFile(path)) {
        this.#look(path, tells);
        seen.add(path);
      }
    }
  }

  /** Compares a file with what is known of it. */
  #look(path: string, tells: boolean): void {
    const before = this.#files.get(path);
    const now = signatureOf(path);
    if (now === before) return;
    if (now === undefined) this.#files.delete(path);
    else this.#files.set(path, now);
    if (tells) this.#onChange(path);
  }

  #poll(): void {
    this.#isPolling = true;
    this.#lookAtAll(false);
    const again = (delayMs: number): void => {
      if (this.#isClosed) return;
      this.#timer = this.#clock.after(delayMs, () => {
        const begin = this.#clock.now();
        this.#lookAtAll(true);
        again(Math.max(this.#settings.pollMs, (this.#clock.now() - begin) / POLL_SHARE));
      });
    };
    again(this.#settings.pollMs);
  }

  /** Asks the kernel about a folder; true where that is new. */
  #watch(folder: string): boolean {
    if (this.#isPolling || this.#isClosed || this.#watches.has(folder)) return false;
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => this.#onEvent(folder, event, name));
      watcher.on("error", (error) => this.#onWatchError(folder, error));
      this.#watches.set(folder, watcher);
      return true;
    } catch (error) {
      this.#onWatchError(folder, error as NodeJS.ErrnoException);
      return false;
    }
  }

  #onEvent(folder: string, event: string, name: string | null): void {
    if (this.#isClosed || this.#isPolling) return;
    if (name === null) return this.#lookAtAll(true);
    const path = join(folder, name);
    if (isFolder(path)) {
      // Perhaps another folder in its place, which the old watch knows nothing of.
      if (event === "rename") this.#forget(path);
      if (this.#choice.wantsName(path, name) && this.#isSearched(folder))
        this.#lookInto(path, false, true, new Set(), new Set());
      return;
    }
    if (this.#choice.wantsFile(path)) this.#look(path, true);
    else if (this.#watches.has(path)) this.#forget(path);
  }

  /** A folder that is watched with all below, not only for the sake of single files in it. */
  #isSearched(folder: string): boolean {
    return this.#choice.folders.some((one) => folder === one || folder.startsWith(one === "/" ? "/" : `${one}/`));
  }

  /** A folder has gone, with everything in it. */
  #forget(folder: string): void {
    const below = `${folder}/`;
    for (const [path, watcher] of this.#watches) {
      if (path !== folder && !path.startsWith(below)) continue;
      watcher.close();
      this.#watches.delete(path);
    }
    for (const path of this.#files.keys()) if (path.startsWith(below)) this.#look(path, true);
  }

  /** The kernel watches no more folders (fs.inotify.max_user_watches, open files), or this one is gone. */
  #onWatchError(folder: string, error: NodeJS.ErrnoException): void {
    this.#watches.get(folder)?.close();
    this.#watches.delete(folder);
    if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES" || error.code === "EPERM")
      return;
    if (this.#isPolling || this.#isClosed) return;
    this.#onTrouble(
      `The kernel does not watch ${folder} (${error.message}): looking at the files every ${this.#settings.pollMs} ms instead`,
    );
    this.#unwatch();
    this.#poll();
  }

  #unwatch(): void {
    for (const watcher of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }
}

function signatureOf(path: string): string | undefined {
  try {
    const { mtimeNs, size, ino } = statSync(path, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}

function inodeOf(path: string): string {
  try {
    const { dev, ino } = statSync(path);
    return `${dev} ${ino}`;
  } catch {
    return path;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
