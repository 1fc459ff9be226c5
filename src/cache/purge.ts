/**
 * What is to be purged, as an operator says it, by a command or a PURGE request: paths, prefixes and tags of one host or of all.
 *
 *     /blog/1        this path with every query        /blog/1?page=2   exactly this
 *     /blog/*        everything that begins so          tag "article-1"  what the app has tagged so
 */

/** Where a response stands. */
export interface Place {
  /** "https://example.com" and what a proxy took from the path. */
  readonly base: string;
  readonly target: string;
}

export interface PurgeWish {
  /** Paths as above; empty where only tags or everything is meant. */
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  readonly isEverything: boolean;
  /** Of this host alone, with its port where that is not the scheme's own; null: of all. */
  readonly host: string | null;
  /** Past its time instead of gone: the app is asked whether it is still good. */
  readonly isSoft: boolean;
}

/** Whether a stored response is meant. */
export function purges(wish: PurgeWish): (place: Place, tags: readonly string[]) => boolean {
  const tests = wish.paths.map(pathTest);
  const wanted = new Set(wish.tags);
  const host = wish.host?.toLowerCase() ?? null;
  return ({ base, target }, tags) => {
    if (host !== null && hostOf(base) !== host) return false;
    return wish.isEverything || tests.some((test) => test(target)) || tags.some((tag) => wanted.has(tag));
  };
}

/** A wish as it came from elsewhere; null where it is none. */
export function purgeWish(given: unknown): PurgeWish | null {
  if (typeof given !== "object" || given === null) return null;
  const { paths, tags, isEverything, host, isSoft } = given as Partial<Record<keyof PurgeWish, unknown>>;
  const isTexts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((one) => typeof one === "string");
  if (!isTexts(paths) || !isTexts(tags) || (host !== null && typeof host !== "string")) return null;
  if (paths.some((path) => pathMistake(path) !== null)) return null;
  return { paths, tags, isEverything: isEverything === true, host, isSoft: isSoft === true };
}

/** What is wrong with a path; null where nothing is. */
export function pathMistake(path: string): string | null {
  if (!path.startsWith("/")) return `"${path}" is not a path: it does not begin with "/" (the host is given by --host)`;
  if (path.slice(0, -1).includes("*")) return `"${path}" has a "*" that is not at its end`;
  return null;
}

/** Tags as fields carry them: separated by spaces or commas. */
export function splitTags(text: string): readonly string[] {
  return text.split(/[ \t,]+/).filter((tag) => tag !== "");
}

function pathTest(path: string): (target: string) => boolean {
  if (path.endsWith("*")) {
    const start = path.slice(0, -1);
    return (target) => target.startsWith(start);
  }
  if (path.includes("?")) return (target) => target === path;
  return (target) => target === path || target.startsWith(`${path}?`);
}

/** "example.com:8000" of "https://example.com:8000/prefix". */
function hostOf(base: string): string {
  const start = base.indexOf("//") + 2;
  const end = base.indexOf("/", start);
  return end === -1 ? base.slice(start) : base.slice(start, end);
}
