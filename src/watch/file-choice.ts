/** Which files and folders --reload looks at. Pure: paths in, yes or no out. */
import { fixedFolder, glob, isGlob } from "./glob.ts";

export interface FileChoiceSettings {
  /** Absolute, watched with all below. */
  readonly folders: readonly string[];
  /** Absolute paths or patterns, watched wherever they are. */
  readonly files: readonly string[];
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly excludeFolders: readonly string[];
}

const ALWAYS_INCLUDED = ["*.py"];
/** uvicorn's. */
const EXCLUDED = [".*", ".py[cod]", ".sw.*", "~*"];
/** Large, and none of the application's own code. */
const FOREIGN_FOLDERS: ReadonlySet<string> = new Set(["__pycache__", "node_modules", "site-packages", "dist-packages"]);

export class FileChoice {
  readonly folders: readonly string[];
  /** Folders to look at without what lies below, for the sake of single files. */
  readonly #listed = new Set<string>();
  readonly #patterns: readonly ((path: string) => boolean)[];
  readonly #included: readonly ((path: string) => boolean)[];
  readonly #usual: readonly ((path: string) => boolean)[];
  readonly #excluded: readonly ((path: string) => boolean)[];
  readonly #unusual: readonly ((path: string) => boolean)[];
  readonly #excludeFolders: ReadonlySet<string>;
  readonly #asked: ReadonlySet<string>;

  constructor({ folders, files, include, exclude, excludeFolders }: FileChoiceSettings) {
    const patterns = files.filter(isGlob);
    this.folders = [...new Set([...folders, ...patterns.map(fixedFolder)])];
    this.#asked = new Set(folders);
    this.#patterns = patterns.map(glob);
    this.#included = include.map(glob);
    this.#usual = ALWAYS_INCLUDED.map(glob);
    this.#excluded = exclude.map(glob);
    this.#unusual = EXCLUDED.map(glob);
    this.#excludeFolders = new Set(excludeFolders);
    for (const file of files) if (!isGlob(file)) this.#listed.add(file);
  }

  /** Single files, whatever the patterns say of them. */
  get listed(): ReadonlySet<string> {
    return this.#listed;
  }

  /** Watches one more file; false where it is watched already. */
  list(file: string): boolean {
    if (this.#listed.has(file) || this.wantsFile(file)) return false;
    this.#listed.add(file);
    return true;
  }

  wantsFile(path: string): boolean {
    if (this.#listed.has(path) || this.#patterns.some((matches) => matches(path))) return true;
    if (!this.#isReached(path) || this.#excluded.some((matches) => matches(path))) return false;
    if (this.#included.some((matches) => matches(path))) return true;
    return this.#usual.some((matches) => matches(path)) && !this.#unusual.some((matches) => matches(path));
  }

  /** Whether to look into a folder found below one that is watched. `names` are those of what it holds. */
  wantsFolder(path: string, names: readonly string[]): boolean {
    if (this.#asked.has(path)) return true;
    const name = path.slice(path.lastIndexOf("/") + 1);
    // A virtual environment, whatever it is called (PEP 405).
    return this.wantsName(path, name) && !names.includes("pyvenv.cfg");
  }

  wantsName(path: string, name: string): boolean {
    if (name.startsWith(".") || FOREIGN_FOLDERS.has(name) || this.#excludeFolders.has(path)) return false;
    return !this.#excluded.some((matches) => matches(path));
  }

  /** Below one of the folders, with no folder between them that is left out. */
  #isReached(path: string): boolean {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (this.#asked.has(folder)) return true;
      if (!this.wantsName(folder, folder.slice(folder.lastIndexOf("/") + 1))) return false;
    }
    return this.#asked.has("/");
  }
}
