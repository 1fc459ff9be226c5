/** Splits GUNICORN_CMD_ARGS into words as Python's shlex.split (POSIX mode) does: quotes and backslashes, no variables, no globs. */
import { value, wrong, type Parsed } from "./value-types.ts";

export function shellWords(text: string): Parsed<readonly string[]> {
  const words: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
      at++;
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return wrong("has a single quote that is not closed");
      word = (word ?? "") + text.slice(at + 1, end);
      at = end + 1;
    } else if (char === '"') {
      word ??= "";
      for (at++; text.charAt(at) !== '"'; at++) {
        if (at >= text.length) return wrong("has a double quote that is not closed");
        // Inside double quotes a backslash escapes only a quote or a backslash.
        if (text.charAt(at) === "\\" && /["\\]/.test(text.charAt(at + 1))) at++;
        word += text.charAt(at);
      }
      at++;
    } else if (char === "\\") {
      if (at + 1 >= text.length) return wrong("ends in a backslash");
      word = (word ?? "") + text.charAt(at + 1);
      at += 2;
    } else {
      word = (word ?? "") + char;
      at++;
    }
  }
  if (word !== null) words.push(word);
  return value(words);
}
