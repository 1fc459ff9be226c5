/**
 * What a setting is: one row of the table in settings/, from which flags, environment variables, --help and docs/settings.md all derive.
 * A row also knows how to read itself: the texts given for it in, a value or the reason why not out.
 */
import type { Parsed, ValueType } from "./value-types.ts";

/** One row of the table. `T` is what the operator's texts become; most rows without a fixed default use null for "not given". */
export interface Setting<T> {
  /** Name in the docs; the long flag without its dashes. */
  readonly key: string;
  /** Flags that give the value or, for a switch, turn it on. The first is the one that messages and docs use. */
  readonly flags: readonly string[];
  /** Flags that turn a switch off. */
  readonly offFlags: readonly string[];
  /** Environment variables, strongest first. */
  readonly env: readonly string[];
  /** What stands for the value in the help; null for a switch, which takes none. */
  readonly metavar: string | null;
  /** What the flag stands for where no word that it takes follows it; null: it needs one. */
  readonly alone: string | null;
  readonly repeatable: boolean;
  readonly fallback: T;
  /** The default as help and docs tell it; may be a rule rather than a value. Empty: nothing worth telling. */
  readonly fallbackText: string;
  /** One line, for --help. */
  readonly help: string;
  /** Paragraphs for docs/settings.md: what it does, how it differs from gunicorn and uvicorn. */
  readonly doc: string;
  /** `texts` holds at least one text, in the order given; a switch gets "true" or "false". */
  read(texts: readonly string[]): Parsed<T>;
}

/** A chapter of the table. */
export interface Section {
  readonly title: string;
  readonly settings: readonly Setting<unknown>[];
}

interface Words {
  readonly key: string;
  readonly flags: readonly string[];
  readonly env?: readonly string[];
  readonly fallbackText?: string;
  readonly help: string;
  readonly doc: string;
}

/** A setting with one value; given twice, the last one counts. */
export function single<T>(
  row: Words & { metavar: string; type: ValueType<T>; fallback: T; alone?: string },
): Setting<T> {
  return {
    ...row,
    alone: row.alone ?? null,
    env: row.env ?? [],
    offFlags: [],
    repeatable: false,
    fallbackText: row.fallbackText ?? plainText(row.fallback),
    read: (texts) => row.type(texts.at(-1) ?? ""),
  };
}

/** A setting whose flag may stand several times and whose values add up. */
export function repeated<T>(row: Words & { metavar: string; type: ValueType<T> }): Setting<readonly T[]> {
  return {
    ...row,
    alone: null,
    env: row.env ?? [],
    offFlags: [],
    repeatable: true,
    fallback: [],
    fallbackText: row.fallbackText ?? "",
    read(texts) {
      const values: T[] = [];
      for (const text of texts) {
        const parsed = row.type(text);
        if (parsed.type === "wrong") return parsed;
        values.push(parsed.value);
      }
      return { type: "value", value: values };
    },
  };
}

/** A switch: on, off or (null) not touched. */
export function toggle<T extends boolean | null>(
  row: Words & { offFlags?: readonly string[]; fallback: T },
): Setting<T | boolean> {
  return {
    ...row,
    alone: null,
    env: row.env ?? [],
    offFlags: row.offFlags ?? [],
    metavar: null,
    repeatable: false,
    fallbackText: row.fallbackText ?? (row.fallback === true ? "on" : ""),
    read(texts) {
      // The words click accepts, so that UVICORN_ACCESS_LOG=no and friends mean what they meant under uvicorn.
      const text = (texts.at(-1) ?? "").toLowerCase();
      if (["1", "true", "t", "yes", "y", "on"].includes(text)) return { type: "value", value: true };
      if (["0", "false", "f", "no", "n", "off"].includes(text)) return { type: "value", value: false };
      return { type: "wrong", why: "is neither true nor false" };
    },
  };
}

// Private

function plainText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
