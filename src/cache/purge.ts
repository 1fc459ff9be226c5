/**
 * What is to be purged, as an operator says it, by a command or a PURGE request: paths, prefixes and tags of one host or of all.
 *
 *     /blog/1        this path with every query        /blog/1?page=2   exactly this
 *     /blog/*        everything that begins so          tag "article-1"  what the app has tagged so
 */
import type { Place } from "./response-cache.ts";

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
