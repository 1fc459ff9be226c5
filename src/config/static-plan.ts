/** A folder whose files are served, resolved; and what holds where nobody said otherwise. */

export interface StaticPlan {
  /** Absolute path of the folder. */
  readonly root: string;
  /** The part of the decoded path that stands for the folder; empty: whole paths are looked up in it. */
  readonly prefix: string;
  /** One file of it that answers every request; null: the path says which. */
  readonly file: string | null;
  /** Files that stand for their folder. */
  readonly index: readonly string[];
  /** A file of the folder that answers where nothing is found, for a single-page app; without a slash at its beginning. null: 404. */
  readonly fallback: string | null;
  /** The pool that answers where nothing is found, and other methods than GET and HEAD; null: 404 and 405. */
  readonly pool: string | null;
  readonly listing: boolean;
  /** `.br`, `.zst` and `.gz` beside a file are sent to those who take them. */
  readonly precompressed: boolean;
  /** Cache-Control of files without a hash in their names, pages apart; 0: to be asked for each time, null: none. */
  readonly maxAgeMs: number | null;
  /** Which names have a hash in them: regular expressions on the path below the folder, or one of the words. */
  readonly immutable: "auto" | "all" | "none" | readonly string[];
  readonly dotfiles: boolean;
  /** Symbolic links may lead out of the folder. */
  readonly outsideLinks: boolean;
  /** For text; empty for none. */
  readonly charset: string;
  /** By extension, lower case without the dot. */
  readonly types: Readonly<Record<string, string>>;
}

/** All but where it is. */
export const staticDefaults: Omit<StaticPlan, "root" | "prefix"> = {
  file: null,
  index: ["index.html"],
  fallback: null,
  pool: null,
  listing: false,
  precompressed: true,
  maxAgeMs: 60_000,
  immutable: "auto",
  dotfiles: false,
  outsideLinks: false,
  charset: "utf-8",
  types: {},
};
