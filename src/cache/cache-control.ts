/**
 * Cache-Control, read strictly (RFC 9111 section 5.2): directives in any letter case, with a token or a quoted string as argument, commas and
 * directives inside quotes being neither. Of a directive that stands twice the first counts (section 4.2.1).
 */

/** Name in lower case to argument; "" where it has none. A value that is no token and no quoted string stays as it is: it is no number either. */
export type Directives = ReadonlyMap<string, string>;

/** The greatest span that is told apart (RFC 9111 section 1.2.2). */
export const MOST_SECONDS = 2_147_483_648;

const DIRECTIVE = /[ \t]*([^\s,="]+)(=(?:"((?:[^"\\]|\\.)*)"|([^,"]*)))?([^,"]*)(?:,|$)/y;
const NO_DIRECTIVES: Directives = new Map();

/** The directives of all field lines of that name, in their order. */
export function parseDirectives(lines: readonly string[]): Directives {
  if (lines.length === 0) return NO_DIRECTIVES;
  const directives = new Map<string, string>();
  for (const line of lines) readLine(line, directives);
  return directives;
}

function readLine(line: string, directives: Map<string, string>): void {
  let at = 0;
  while (at < line.length) {
    DIRECTIVE.lastIndex = at;
    const match = DIRECTIVE.exec(line);
    if (match === null) {
      at = afterComma(line, at);
      continue;
    }
    at = DIRECTIVE.lastIndex;
    const [, name = "", , quoted, plain, rest = ""] = match;
    // What stands between the argument and the comma makes the argument something else ("max-age =3600", 'max-age="1" 2').
    const junk = rest.trim();
    const argument = quoted === undefined ? (plain ?? "").replace(/[ \t]+$/, "") : quoted.replaceAll(/\\(.)/g, "$1");
    const lower = name.toLowerCase();
    if (!directives.has(lower)) directives.set(lower, junk === "" ? argument : `${argument} ${junk}`);
  }
}

/** The place after the next comma that is not inside quotes. */
function afterComma(line: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at < line.length; at++) {
    const char = line[at];
    if (char === "\\" && isQuoted) at++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === "," && !isQuoted) return at + 1;
  }
  return line.length;
}

/** Seconds that a directive gives: undefined where it is absent, null where its argument is no delta-seconds (RFC 9111 section 1.2.2). */
export function secondsOf(directives: Directives, name: string): number | null | undefined {
  const text = directives.get(name);
  return text === undefined ? undefined : deltaSeconds(text);
}

/** A number of seconds; null where the text is none. What is too large is the largest. */
export function deltaSeconds(text: string): number | null {
  return /^\d+$/.test(text) ? Math.min(Number(text), MOST_SECONDS) : null;
}

/** The field names, in lower case, that `private="..."` or `no-cache="..."` speaks of; null where it speaks of the whole response, or is absent. */
export function namedFields(directives: Directives, name: "private" | "no-cache"): readonly string[] | null {
  const text = directives.get(name);
  if (text === undefined) return null;
  const names = text
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== "");
  return names.length === 0 ? null : names;
}

/** The directive is there and speaks of the whole response. */
export function isWhole(directives: Directives, name: "private" | "no-cache"): boolean {
  return directives.has(name) && namedFields(directives, name) === null;
}
