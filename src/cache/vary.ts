/**
 * Variants (RFC 9111 section 4.1): which request fields tell the responses of one URL apart, and when two requests are the same in them. Values
 * are brought into a form that means the same: white space around commas does not count, nor does letter case where the field has none, nor the
 * order of codings. The order of languages stays: many applications take the first one.
 */
import type { HeaderBlock } from "../http/header-block.ts";

/** Fields whose values have no letter case. */
const CASELESS: ReadonlySet<string> = new Set(["accept", "accept-encoding", "accept-language", "accept-charset"]);
const UNORDERED: ReadonlySet<string> = new Set(["accept-encoding"]);

/** The names of all Vary lines, in lower case, sorted; null where one is `*`. */
export function varyNames(lines: readonly string[]): readonly string[] | null {
  if (lines.length === 0) return [];
  const names = new Set<string>();
  for (const line of lines)
    for (const part of line.split(",")) {
      const name = part.trim().toLowerCase();
      if (name === "*") return null;
      if (name !== "") names.add(name);
    }
  return [...names].sort();
}

/** What tells this request's variant from others. */
export function variantKey(names: readonly string[], headers: HeaderBlock): string {
  return names.map((name) => normalized(name, headers)).join("\n");
}

/** Absent differs from empty. */
function normalized(name: string, { names, values }: HeaderBlock): string {
  let joined: string | null = null;
  for (let i = 0; i < names.length; i++)
    if (names[i]!.lower === name) joined = joined === null ? values[i]! : `${joined},${values[i]!}`;
  if (joined === null) return "-";
  const parts = joined.split(",").map((part) => part.trim());
  const cased = CASELESS.has(name) ? parts.map((part) => part.toLowerCase()) : parts;
  return `=${(UNORDERED.has(name) ? cased.sort() : cased).join(",")}`;
}
