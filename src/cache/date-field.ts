/** Dates in a response's fields. Letter case is forgiven: many caches do, and no date is another one by it. */
import { parseHttpDate } from "../http/http-date.ts";
import { valueOf } from "../http/field-lines.ts";

export function dateOf(flat: readonly string[], name: string): number | null {
  const text = valueOf(flat, name);
  return text === undefined ? null : readDate(text);
}

export function readDate(text: string): number | null {
  return parseHttpDate(text) ?? parseHttpDate(capitalized(text));
}

function capitalized(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())
    .replace(/\bGmt$/, "GMT");
}
