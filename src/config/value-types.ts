/**
 * The kinds of value a setting can take: each turns the operator's text into a value, or says in words that finish the sentence
 * "--flag text …" what is wrong with it. Pure; whether a file or folder exists is asked later, by read-plan.ts.
 */

export type Parsed<T> =
  | { readonly type: "value"; readonly value: T }
  | { readonly type: "wrong"; readonly why: string };

export type ValueType<T> = (text: string) => Parsed<T>;

export function value<T>(value: T): Parsed<T> {
  return { type: "value", value };
}

export function wrong(why: string): { readonly type: "wrong"; readonly why: string } {
  return { type: "wrong", why };
}

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const wanted =
    most === Number.MAX_SAFE_INTEGER ? `a whole number of ${least} or more` : `a whole number from ${least} to ${most}`;
  return (text) => {
    if (!/^[+-]?\d+$/.test(text)) return wrong(`is not ${wanted}`);
    const number = Number(text);
    if (number < least) return wrong(`is too small: give ${wanted}`);
    if (number > most) return wrong(`is too large: give ${wanted}`);
    return value(number);
  };
}

/** A time span in milliseconds; a bare number is in seconds, as in gunicorn and uvicorn. Units: ms, s, m, h. */
export const duration: ValueType<number> = (text) => {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text);
  if (match === null) {
    return wrong(
      text.startsWith("-")
        ? "is negative: a time span is 0 or more"
        : 'is not a time span: write seconds, or a number with ms, s, m or h ("30", "1.5", "500ms", "2m")',
    );
  }
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? "s"] ?? 1000;
  const ms = Math.round(Number(match[1]) * unitMs);
  // Node's timers wrap round to 1 ms above 2^31-1 ms, about 24.8 days.
  if (ms > 2_147_483_647) return wrong("is longer than 24 days; 0 means no limit");
  return value(ms);
};

/** A time span that is not nothing. */
export const someDuration: ValueType<number> = (text) => {
  const parsed = duration(text);
  return parsed.type === "value" && parsed.value === 0 ? wrong("is too short: give more than 0") : parsed;
};

/** A size in bytes; units k, m and g count in 1024. */
export function bytes(most: number): ValueType<number> {
  return (text) => {
    const match = /^(\d+)(k|kb|kib|m|mb|mib|g|gb|gib)?$/i.exec(text);
    if (match === null) return wrong('is not a size: write bytes, or a number with k, m or g ("8190", "16k")');
    const unit = (match[2] ?? "").toLowerCase();
    const factor = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.charAt(0)] ?? 1;
    const size = Number(match[1]) * factor;
    return size > most ? wrong(`is too large: the most is ${most} bytes`) : value(size);
  };
}

/** Much memory: units k, M, G and T count in 1024. */
export const memory: ValueType<number> = (text) => {
  const match = /^(\d+)(?:([kmgt])(?:i?b)?)?$/i.exec(text);
  if (match === null) return wrong('is not a size: write bytes, or a number with M or G ("512M", "2G")');
  const size = Number(match[1]) * 1024 ** " kmgt".indexOf((match[2] ?? " ").toLowerCase());
  return Number.isSafeInteger(size) ? value(size) : wrong("is too large");
};

/** One of a few words, in any case; `aliases` maps other spellings onto them. */
export function choice<const T extends string>(
  words: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): ValueType<T> {
  return (text) => {
    const wanted = text.toLowerCase();
    const found =
      words.find((word) => word === wanted) ?? (Object.hasOwn(aliases, wanted) ? aliases[wanted] : undefined);
    return found === undefined ? wrong(`is not one of ${words.join(", ")}`) : value(found);
  };
}

/** A file mode as gunicorn reads one: 022 and 0o22 are octal, 0x12 hexadecimal, 18 decimal. */
export const umaskBits: ValueType<number> = (text) => {
  const octal = /^0o?([0-7]+)$/i.exec(text);
  const bits =
    octal !== null ? Number.parseInt(octal[1] ?? "0", 8) : /^(0x[\da-f]+|[1-9]\d*|0)$/i.test(text) ? Number(text) : NaN;
  if (Number.isNaN(bits)) return wrong('is not a umask: write it in octal with a leading 0 ("022")');
  return bits > 0o777 ? wrong("is not a umask: the most is 0777") : value(bits);
};

/** Any text that is not empty. */
export const text: ValueType<string> = (text) => (text === "" ? wrong("is empty") : value(text));

/** NAME=VALUE; the value may be empty and may contain more equals signs. */
export const assignment: ValueType<readonly [string, string]> = (text) => {
  const at = text.indexOf("=");
  if (at < 1) return wrong("is not NAME=VALUE");
  return value([text.slice(0, at), text.slice(at + 1)]);
};

/** A list separated by commas, without its empty items. */
export const commaList: ValueType<readonly string[]> = (text) =>
  value(
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );
