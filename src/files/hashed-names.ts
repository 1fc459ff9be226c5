/**
 * Names that change whenever the content does: such a file may be kept for ever. Pure.
 *
 * A name that only looks like one would be kept by browsers after it has changed, which nobody can take back; so dates, numbers and plain words are
 * not taken for hashes, at the price of a few real hashes without a letter, or without a digit, that are asked for again.
 */

/** Django's ManifestStaticFilesStorage, webpack, Parcel: `name.0123456789ab.css`, 8 to 64 hexadecimal digits, some of them letters. */
const HEX = /[.-](?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,64}\.(?:[a-z0-9]+\.)*[a-z0-9]+$/;
/** Vite and Rollup: `assets/name-DiwrgTda.js`, eight characters of base64url, which have a capital behind their beginning. */
const BASE64 =
  /(?:^|\/)assets\/[^/]*[-.](?=[^/.]*[a-z])(?=[^/.][^/.]*[A-Z])[A-Za-z0-9_-]{8}\.(?:[a-z0-9]+\.)*[a-z0-9]+$/;

/** Decides by the path of a file below its folder. */
export type NameTest = (path: string) => boolean;

/**
 * @param patterns "all", "none", regular expressions, or "auto": names with a hexadecimal hash.
 * @param isBuilt the folder is what a bundler made for a single-page app: its base64 hashes count too, which a person's name could look like elsewhere.
 */
export function hashedNames(patterns: "auto" | "all" | "none" | readonly string[], isBuilt: boolean): NameTest {
  if (patterns === "all") return () => true;
  if (patterns === "none") return () => false;
  const tests = patterns === "auto" ? (isBuilt ? [HEX, BASE64] : [HEX]) : patterns.map((source) => new RegExp(source));
  return (path) => tests.some((one) => one.test(path));
}
