/**
 * What a client prefers: Accept-Encoding and Accept (RFC 9110 section 12.5). Read leniently, as nothing is lost by it: a member that breaks the
 * grammar counts as not there, and who accepts nothing of what is offered gets the plain thing. Linear in the length of the field.
 */

/** A content coding that responses may have (RFC 9110 section 8.4.1; RFC 7932; RFC 8878). */
export type Coding = "zstd" | "br" | "gzip";

/**
 * Of the codings `offered`, best first, the one to use; null: none (identity). A higher weight goes before our order. Without the field every
 * coding would be allowed (section 12.5.3), but who does not send it is seldom able to decode one.
 */
export function chooseCoding<T extends string>(field: string | undefined, offered: readonly T[]): T | null {
  if (field === undefined || field === "") return null;
  const weights = rememberedWeights(field);
  const any = weights.get("*");
  let best: T | null = null;
  let bestWeight = 0;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? any ?? 0;
    if (weight <= bestWeight) continue;
    best = coding;
    bestWeight = weight;
  }
  // "identity;q=1, gzip;q=0.5" asks for the plain thing. Where identity is not named it is acceptable, and wanted least.
  return best !== null && (weights.get("identity") ?? 0) > bestWeight ? null : best;
}

/** Of the forms that a thing has, the smallest first, the one to send; without its coding where none of them is acceptable. */
export function chooseForm<T extends { readonly coding: Coding | null }>(
  field: string | undefined,
  forms: readonly [T, ...T[]],
): T {
  const codings = forms.flatMap(({ coding }) => coding ?? []);
  const coding = chooseCoding(field, codings);
  return forms.find((form) => form.coding === coding) ?? forms[0];
}

/** Of the media types `offered` (lower-case, without parameters; the best first), the one that an Accept field prefers; null: none of them. */
export function chooseMediaType<T extends string>(field: string | undefined, offered: readonly T[]): T | null {
  if (field === undefined || field === "") return offered[0] ?? null;
  const ranges = members(field);
  let best: T | null = null;
  let bestWeight = 0;
  for (const type of offered) {
    const weight = typeWeight(type, ranges);
    if (weight <= bestWeight) continue;
    best = type;
    bestWeight = weight;
  }
  return best;
}

// Private

interface Member {
  /** Lower-case. */
  readonly value: string;
  readonly weight: number;
}

/** RFC 9110 section 12.4.2. */
const QVALUE = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;
const TOKEN_OR_RANGE = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/;

/** The members that keep to the grammar, with their weights. */
function members(field: string): Member[] {
  const found: Member[] = [];
  for (const text of field.toLowerCase().split(",")) {
    const [first = "", ...parameters] = text.split(";");
    const value = first.trim();
    if (!TOKEN_OR_RANGE.test(value)) continue;
    let weight = 1;
    for (const parameter of parameters) {
      const trimmed = parameter.trim();
      if (!trimmed.startsWith("q=")) continue;
      const digits = trimmed.slice(2);
      weight = QVALUE.test(digits) ? Number(digits) : -1;
      break;
    }
    if (weight >= 0) found.push({ value, weight });
  }
  return found;
}

/** Browsers send a handful of values. */
const REMEMBERED = 256;
const remembered = new Map<string, ReadonlyMap<string, number>>();

function rememberedWeights(field: string): ReadonlyMap<string, number> {
  const known = remembered.get(field);
  if (known !== undefined) return known;
  const weights = codingWeights(field);
  if (field.length > 256) return weights;
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(field, weights);
  return weights;
}

function codingWeights(field: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const { value, weight } of members(field)) {
    // RFC 9110 section 8.4.1.3: the old name of the same coding.
    const coding = value === "x-gzip" ? "gzip" : value;
    if (!weights.has(coding)) weights.set(coding, weight);
  }
  return weights;
}

/** The most specific range decides (section 12.5.1), whatever its weight. */
function typeWeight(type: string, ranges: readonly Member[]): number {
  let specificity = 0;
  let weight = 0;
  for (const { value: range, weight: own } of ranges) {
    const rank = range === type ? 3 : range === `${type.slice(0, type.indexOf("/"))}/*` ? 2 : range === "*/*" ? 1 : 0;
    if (rank <= specificity) continue;
    specificity = rank;
    weight = own;
  }
  return weight;
}
