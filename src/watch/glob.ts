/** Patterns of files, as shells and uvicorn's --reload-include know them. Pure. */

/**
 * Whether a path meets a pattern. One without a slash is compared with the last part of the path, one with a slash with the last parts, and one that begins
 * with a slash with the whole. `*` and `?` stop at a slash, `**` does not, `[abc]` and `[!abc]` are one character.
 */
export function glob(pattern: string): (path: string) => boolean {
  const isWhole = pattern.startsWith("/");
  const expression = new RegExp(`${isWhole ? "^" : "(?:^|/)"}${translated(pattern)}$`, "su");
  return (path) => expression.test(path);
}

/** Where a pattern of whole paths begins to be one: the folder above its first wildcard. */
export function fixedFolder(pattern: string): string {
  const wildcard = pattern.search(/[*?[]/);
  const fixed = wildcard < 0 ? pattern : pattern.slice(0, wildcard);
  return fixed.slice(0, Math.max(1, fixed.lastIndexOf("/")));
}

export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

// Private

function translated(pattern: string): string {
  return pattern.replace(
    /\*\*\/|\*\*|\*|\?|\[(!?)([^\]/]+)\]|./gsu,
    (token: string, negated: string | undefined, set: string | undefined) => {
      if (token === "**/") return "(?:.*/)?";
      if (token === "**") return ".*";
      if (token === "*") return "[^/]*";
      if (token === "?") return "[^/]";
      if (set !== undefined) return `[${negated === "!" ? "^/" : ""}${set.replace(/[\\\][^&|~]/g, "\\$&")}]`;
      return token.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
    },
  );
}
