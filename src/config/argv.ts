/**
 * Command lines to a list of what was given, with the grammar that gunicorn (argparse) and uvicorn (click) share: "-w4", "-w 4",
 * "--workers 4", "--workers=4", options before and after the application, "--" ends the options. Unlike argparse it takes no
 * abbreviations ("--work 4"): a new setting must not change what an old command line means. Knows flags only by their shape.
 */
import { nearest } from "./suggest.ts";

/** One flag as it was given. `text` is null for a switch. */
export interface Given {
  readonly flag: string;
  readonly text: string | null;
}

export interface Argv {
  readonly given: readonly Given[];
  readonly positionals: readonly string[];
  readonly mistakes: readonly string[];
}

/** A flag that may stand alone (argparse's `nargs="?"`): what it means then, and which words it takes for its value. */
export interface Alone {
  readonly text: string;
  takes(word: string): boolean;
}

/** `takesValue` knows every flag: true when a value follows it. */
export function parseArgv(
  argv: readonly string[],
  takesValue: ReadonlyMap<string, boolean>,
  alone: ReadonlyMap<string, Alone> = new Map(),
): Argv {
  const given: Given[] = [];
  const positionals: string[] = [];
  const mistakes: string[] = [];

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") {
      positionals.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }

    const { flag, rest } = splitWord(word, takesValue);
    const needsValue = takesValue.get(flag);
    if (needsValue === undefined) {
      const near = nearest(flag, takesValue.keys());
      mistakes.push(`unknown option ${flag}${near === null ? "" : `, did you mean ${near}?`}`);
      // The value of a mistyped option must not be taken for the application: one mistake, one line.
      const next = argv[at + 1];
      if (
        near !== null &&
        takesValue.get(near) === true &&
        rest === null &&
        next !== undefined &&
        !next.startsWith("-")
      )
        at++;
    } else if (!needsValue) {
      if (rest !== null) mistakes.push(`${flag} is a switch and takes no value, but "${rest}" was given`);
      given.push({ flag, text: null });
    } else if (rest !== null) {
      given.push({ flag, text: rest });
    } else {
      const next = argv[at + 1];
      const mayStandAlone = alone.get(flag);
      if (mayStandAlone !== undefined && (next === undefined || !mayStandAlone.takes(next))) {
        given.push({ flag, text: mayStandAlone.text });
      } else if (next === undefined || isFlag(next, takesValue)) {
        mistakes.push(`${flag} needs a value${next === undefined ? "" : `, but ${next} follows it`}`);
      } else {
        given.push({ flag, text: next });
        at++;
      }
    }
  }
  return { given, positionals, mistakes };
}

// Private

/** A word that begins with a dash, in two: the flag, and the value that stands in the same word. */
function splitWord(word: string, takesValue: ReadonlyMap<string, boolean>): { flag: string; rest: string | null } {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  if (word.startsWith("--") || takesValue.has(name))
    return { flag: name, rest: equals < 0 ? null : word.slice(equals + 1) };
  const short = word.slice(0, 2);
  if (takesValue.get(short) === true) return { flag: short, rest: word.slice(2) };
  return { flag: name, rest: equals < 0 ? null : word.slice(equals + 1) };
}

/** "-" and "-1" are values; so is a word that only looks like a flag, such as an access log format. */
function isFlag(word: string, takesValue: ReadonlyMap<string, boolean>): boolean {
  return word === "--" || (word.startsWith("-") && takesValue.has(splitWord(word, takesValue).flag));
}
