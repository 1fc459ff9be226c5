/**
 * The file of one stored response. A fixed head tells the lengths and checksums of what follows, so that one which was cut short or damaged is known
 * for it; times are of the wall clock, as the monotonic one begins anew with each start of the machine.
 *
 *     "maitred cache 1\n"  u32 length of the terms  u32 their CRC-32  u32 length of the body  u32 its CRC-32  terms as JSON (UTF-8)  body
 */
import type { Terms } from "./terms.ts";

const MAGIC = "maitred cache 1\n";
export const HEAD_BYTES: number = MAGIC.length + 16;
/** A target, its fields and what it varies by are not longer. */
const MOST_TERMS_BYTES = 1_048_576;

/** What is in the file beside the body. */
export interface Record {
  /** Scheme, host, and whatever else of the key stands beside the target. */
  readonly shelfName: string;
  readonly target: string;
  readonly terms: Terms;
}

export interface Head {
  readonly termsLength: number;
  readonly termsCheck: number;
  readonly bodyLength: number;
  readonly bodyCheck: number;
}

/** @param offset of the wall clock from the one of the terms. */
export function encodeRecord({ shelfName, target, terms }: Record, offset: number): Buffer {
  const times = { bornAt: terms.bornAt + offset, freshUntil: terms.freshUntil + offset };
  return Buffer.from(JSON.stringify({ shelfName, target, terms: { ...terms, ...times } }));
}

export function encodeHead(head: Head): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.write(MAGIC, "latin1");
  bytes.writeUInt32LE(head.termsLength, MAGIC.length);
  bytes.writeUInt32LE(head.termsCheck, MAGIC.length + 4);
  bytes.writeUInt32LE(head.bodyLength, MAGIC.length + 8);
  bytes.writeUInt32LE(head.bodyCheck, MAGIC.length + 12);
  return bytes;
}

/** null where the bytes are not the head of such a file. */
export function decodeHead(bytes: Buffer): Head | null {
  if (bytes.length < HEAD_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return null;
  const head = {
    termsLength: bytes.readUInt32LE(MAGIC.length),
    termsCheck: bytes.readUInt32LE(MAGIC.length + 4),
    bodyLength: bytes.readUInt32LE(MAGIC.length + 8),
    bodyCheck: bytes.readUInt32LE(MAGIC.length + 12),
  };
  return head.termsLength > 0 && head.termsLength <= MOST_TERMS_BYTES ? head : null;
}

/** @param bytes whose checksum was found right: they are ours. null where they are another version's nevertheless. */
export function decodeRecord(bytes: Buffer, offset: number): Record | null {
  let given: unknown;
  try {
    given = JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
  if (typeof given !== "object" || given === null) return null;
  const { shelfName, target, terms } = given as Partial<Record>;
  if (typeof shelfName !== "string" || typeof target !== "string" || typeof terms !== "object" || terms === null)
    return null;
  if (typeof terms.bornAt !== "number" || typeof terms.freshUntil !== "number" || !Array.isArray(terms.flat))
    return null;
  const times = { bornAt: terms.bornAt - offset, freshUntil: terms.freshUntil - offset };
  return { shelfName, target, terms: { ...terms, ...times } };
}
