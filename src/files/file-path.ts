/**
 * From the path of a request to the name of a file below a folder, or the reason why it names none. Pure, and the first of two walls: the second
 * (open-file.ts) asks the kernel where the opened file really is.
 *
 * What could be read in two ways is refused rather than tidied up: whoever decides by paths (routes, access rules, a cache before us) has then
 * seen the same path as the disk.
 */

export type FilePath =
  /** `path` has no slash at its ends; empty: the folder itself. `isFolder`: the request's path ends in a slash. */
  | { readonly type: "path"; readonly path: string; readonly isFolder: boolean }
  /** No file can have this name: 400. */
  | { readonly type: "malformed" }
  /** Not shown to anyone: 404. */
  | { readonly type: "hidden" };

const MALFORMED: FilePath = { type: "malformed" };
const HIDDEN: FilePath = { type: "hidden" };
const CONTROLS = /[\0-\x1f\x7f\\]/;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * @param raw percent-encoded path below the route's own, with or without a slash at its beginning.
 * @param dotfiles names that begin with a dot are shown; `.well-known` always is (RFC 8615).
 */
export function filePath(raw: string, dotfiles: boolean): FilePath {
  const path = raw.includes("%") || BEYOND_ASCII.test(raw) ? decoded(raw) : raw;
  if (path === null || CONTROLS.test(path)) return MALFORMED;
  const segments = path.split("/");
  if (segments[0] === "") segments.shift();
  const isFolder = segments.length === 0 || segments.at(-1) === "";
  if (isFolder) segments.pop();
  let isHidden = false;
  for (const [at, segment] of segments.entries()) {
    // "//" and "/./" are other names of a path that has one already.
    if (segment === "" || segment === "." || segment === "..") return MALFORMED;
    if (segment.startsWith(".") && !dotfiles && !(at === 0 && segment === ".well-known")) isHidden = true;
  }
  return isHidden ? HIDDEN : { type: "path", path: segments.join("/"), isFolder };
}

/** A name as a part of a URL's path. */
export function encodedName(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

// Private

const BEYOND_ASCII = /[^\0-\x7f]/;
const ESCAPE = /%([0-9a-f]{2})?/gi;

/** Percent-decoded once, and strictly: no half escapes, no slash that was not one, nothing but shortest-form UTF-8. Null where it is not so. */
function decoded(raw: string): string | null {
  let isSound = true;
  const bytes = raw.replace(ESCAPE, (_, hex: string | undefined) => {
    if (hex === undefined || hex.toLowerCase() === "2f") isSound = false;
    return String.fromCharCode(Number.parseInt(hex ?? "0", 16));
  });
  if (!isSound) return null;
  if (!BEYOND_ASCII.test(bytes)) return bytes;
  try {
    return strict.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return null;
  }
}
