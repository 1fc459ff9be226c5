/** The fields of a response as a list, name, value, name, value ..., and the questions that are asked of it. Names in questions are in lower case. */

/** The values of a field, in their order. */
export function valuesOf(flat: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < flat.length; i += 2)
    if (flat[i]!.length === name.length && flat[i]!.toLowerCase() === name) values.push(flat[i + 1]!);
  return values;
}

/** The first value of a field. */
export function valueOf(flat: readonly string[], name: string): string | undefined {
  for (let i = 0; i < flat.length; i += 2)
    if (flat[i]!.length === name.length && flat[i]!.toLowerCase() === name) return flat[i + 1]!;
  return undefined;
}

/** The same list without some fields. */
export function without(flat: readonly string[], drops: (lower: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < flat.length; i += 2) if (!drops(flat[i]!.toLowerCase())) kept.push(flat[i]!, flat[i + 1]!);
  return kept;
}

/** The same list without the fields of these names. */
export function withoutFields(flat: readonly string[], names: ReadonlySet<string>): string[] {
  return without(flat, (lower) => names.has(lower));
}

/** Of the list the fields of these names alone. */
export function onlyFields(flat: readonly string[], names: ReadonlySet<string>): string[] {
  return without(flat, (lower) => !names.has(lower));
}

/** The members of a list field (RFC 9110 section 5.6.1), trimmed, without empty ones. Not for fields with quoted strings. */
export function members(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(",").map((one) => one.trim())).filter((one) => one !== "");
}
