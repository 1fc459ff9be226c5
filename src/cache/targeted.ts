/**
 * Which field says how long: CDN-Cache-Control (RFC 9213) takes the place of Cache-Control and Expires where it is a valid dictionary of
 * Structured Fields (RFC 8941 section 3.2) with something in it; Surrogate-Control, its older kin (W3C Edge Architecture), likewise.
 */
import { type Directives, parseDirectives } from "./cache-control.ts";

const KEY = /^[a-z*][a-z0-9_.*-]*$/;
/** Bare items that a dictionary's value may be: integer, decimal, string, token, byte sequence, boolean. */
const ITEM =
  /^(?:-?\d{1,15}|-?\d{1,12}\.\d{1,3}|"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*|:[A-Za-z0-9+/=]*:|\?[01])$/;
const PARAMETER = /^[ ]*[a-z*][a-z0-9_.*-]*(?:=.+)?$/;
/** Directives whose argument must be an integer. */
const NUMERIC = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);

/** The directives of a targeted field; null where it is absent, empty or not valid, and then the next field decides. */
export function parseTargeted(lines: readonly string[]): Directives | null {
  const text = lines.join(",").trim();
  if (text === "") return null;
  const directives = new Map<string, string>();
  for (const member of split(text, ",")) {
    const [first = "", ...parameters] = split(member.trim(), ";");
    const equals = first.indexOf("=");
    const name = equals === -1 ? first.trimEnd() : first.slice(0, equals);
    const item = equals === -1 ? "" : first.slice(equals + 1);
    if (!KEY.test(name) || (equals !== -1 && !ITEM.test(item))) return null;
    if (parameters.some((parameter) => !PARAMETER.test(parameter))) return null;
    // The wrong type makes the field another one than it pretends to be.
    if (NUMERIC.has(name) && !/^\d+$/.test(item)) return null;
    if (item === "?0") continue;
    directives.set(name, item === "?1" ? "" : item.replaceAll('"', ""));
  }
  return directives;
}

/** Surrogate-Control: `max-age=60+30` (fresh, then stale while it is asked for anew), `no-store`, `content="..."`. */
export function parseSurrogate(lines: readonly string[]): Directives | null {
  const directives = new Map(parseDirectives(lines));
  const [fresh, stale] = directives.get("max-age")?.split("+") ?? [];
  if (fresh !== undefined) directives.set("max-age", fresh.trim());
  if (stale !== undefined) directives.set("stale-while-revalidate", stale.trim());
  return directives.has("max-age") || directives.has("no-store") ? directives : null;
}

/** Splits outside of quotes. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isQuoted && char === "\\") at++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
