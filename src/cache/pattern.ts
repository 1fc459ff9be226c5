/** Names of cookies, fields and query parameters as an operator writes them: `utm_*`, `preview=1`; `*` stands for any characters. */

/** Does a name with its value match? */
export type Matcher = (name: string, value: string) => boolean;

/** One matcher for all; null where there are none. `foldsCase`: names have no letter case. */
export function matcher(patterns: readonly string[], foldsCase: boolean = false): Matcher | null {
  if (patterns.length === 0) return null;
  const tests = patterns.map((pattern) => {
    const at = pattern.indexOf("=");
    const name = glob(at === -1 ? pattern : pattern.slice(0, at), foldsCase);
    const value = at === -1 ? null : glob(pattern.slice(at + 1), false);
    return (n: string, v: string): boolean => name.test(n) && (value === null || value.test(v));
  });
  return (name, value) => tests.some((test) => test(name, value));
}

function glob(pattern: string, foldsCase: boolean): RegExp {
  const source = pattern
    .split("*")
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}$`, foldsCase ? "is" : "s");
}
