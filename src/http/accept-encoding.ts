/** The content codings that a request takes (RFC 9110 section 12.5.3). Pure. */

export type Coding = "br" | "zstd" | "gzip";

/** What each coding is worth to a client, from 0 (not taken) to 1. */
export type Acceptance = Readonly<Record<Coding, number>>;

const NOTHING: Acceptance = { br: 0, zstd: 0, gzip: 0 };
/** Browsers send a handful of values. */
const REMEMBERED = 64;
const remembered = new Map<string, Acceptance>();

/** Reads an Accept-Encoding field. Without one any coding may be sent, but clients that send none often know none: nothing is taken. */
export function acceptance(field: string | undefined): Acceptance {
  if (field === undefined) return NOTHING;
  const known = remembered.get(field);
  if (known !== undefined) return known;
  const read = readField(field);
  if (field.length > 256) return read;
  if (remembered.size >= REMEMBERED) remembered.clear();
  remembered.set(field, read);
  return read;
}

// Private

function readField(field: string): Acceptance {
  const weights = new Map<string, number>();
  for (const item of field.split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    const quality = weight === undefined ? 1 : Number(weight.slice(2));
    weights.set(name, quality >= 0 && quality <= 1 ? quality : 0);
  }
  const any = weights.get("*") ?? 0;
  const of = (name: string, ...others: string[]): number => {
    for (const one of [name, ...others]) if (weights.has(one)) return weights.get(one)!;
    return any;
  };
  return { br: of("br"), zstd: of("zstd"), gzip: of("gzip", "x-gzip") };
}
