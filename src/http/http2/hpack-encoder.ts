/**
 * HPACK encoding (RFC 7541) of the header sections that we send. Pure: fields in, bytes out, into a buffer that is given.
 *
 * Strings are not Huffman-coded. What repeats between responses goes into the dynamic table and is one byte from then on; what does not (a
 * length, a cookie) is sent as it is.
 */
import {
  DEFAULT_TABLE_SIZE,
  DynamicTable,
  ENTRY_OVERHEAD,
  STATIC_COUNT,
  STATIC_NAMES,
  STATIC_VALUES,
} from "./hpack-table.ts";

const STATIC_INDEX = new Map<string, number>();
const STATIC_NAME_INDEX = new Map<string, number>();
for (let index = STATIC_COUNT; index > 0; index--) {
  STATIC_INDEX.set(`${STATIC_NAMES[index]!}\0${STATIC_VALUES[index]!}`, index);
  STATIC_NAME_INDEX.set(STATIC_NAMES[index]!, index);
}

/** Sections up to this size are remembered. */
const MEMO_BYTES = 512;
/** Entries longer than this would push everything else out. */
const LONGEST_ENTRY = 1024;
/** Values that differ between responses. */
const UNIQUE: ReadonlySet<string> = new Set([
  "content-length",
  "content-range",
  "etag",
  "last-modified",
  "location",
  "x-request-id",
  "age",
  "expires",
]);
/** RFC 7541 section 7.1.3: values that must not stay in any table, here or in a proxy behind. */
const SENSITIVE: ReadonlySet<string> = new Set(["set-cookie", "authorization", "www-authenticate"]);

const NOTHING = Buffer.alloc(0);

export class HpackEncoder {
  readonly #table = new DynamicTable();
  /** Serial number of an entry of the table, by name and value. */
  readonly #places = new Map<string, number>();
  /** The lowest of the table's sizes that have not been told, -1 where all have. */
  #untold = -1;
  /** Where the section at hand goes; forgotten afterwards, as an idle connection's encoder would keep another's buffer. */
  #bytes: Buffer = NOTHING;
  #at = 0;
  /** The section encoded last, if that left the table as it was, and its bytes (as a string, which keeps no pool of buffers alive): responses repeat themselves. */
  #memo: readonly string[] | null = null;
  #memoBytes = "";
  #memoTable = 0;

  constructor() {
    this.#table.onEvicted = (name, value) => this.#places.delete(`${name}\0${value}`);
  }

  /** Most bytes that `encode` writes for these fields. */
  static bound(flat: readonly string[]): number {
    let bytes = 16;
    for (const text of flat) bytes += text.length + 6;
    return bytes;
  }

  /** The client's SETTINGS_HEADER_TABLE_SIZE: we use no more of it than the default. */
  resize(limit: number): void {
    const own = Math.min(limit, DEFAULT_TABLE_SIZE);
    if (own === this.#table.limit) return;
    this.#table.resize(own);
    this.#untold = this.#untold === -1 ? own : Math.min(this.#untold, own);
  }

  /** Writes a section into `bytes` from `at` on, which has room for `bound`. Returns where it ends. Names are in lower case. */
  encode(flat: readonly string[], bytes: Buffer, at: number): number {
    // Hot: a tenth of a small response's time. Without it everything would be the same.
    if (flat === this.#memo && this.#table.inserted === this.#memoTable && this.#untold === -1)
      return at + bytes.write(this.#memoBytes, at, "latin1");
    const before = this.#table.inserted;
    this.#bytes = bytes;
    this.#at = at;
    if (this.#untold !== -1) {
      // Section 4.2: the smallest size counts, as it has evicted, and then the one that holds.
      if (this.#untold !== this.#table.limit) this.#integer(0x20, 0x1f, this.#untold);
      this.#integer(0x20, 0x1f, this.#table.limit);
      this.#untold = -1;
    }
    const start = this.#at;
    for (let i = 0; i < flat.length; i += 2) this.#field(flat[i]!, flat[i + 1]!);
    if (this.#table.inserted === before && this.#at - start <= MEMO_BYTES) {
      this.#memo = flat;
      this.#memoBytes = bytes.toString("latin1", start, this.#at);
      this.#memoTable = before;
    }
    this.#bytes = NOTHING;
    return this.#at;
  }

  // Private

  #field(name: string, value: string): void {
    const nameIndex = STATIC_NAME_INDEX.get(name) ?? 0;
    if (SENSITIVE.has(name)) return this.#literal(0x10, 0x0f, nameIndex, name, value);
    if (UNIQUE.has(name)) return this.#literal(0x00, 0x0f, nameIndex, name, value);
    const key = `${name}\0${value}`;
    const place = this.#places.get(key);
    if (place !== undefined) return this.#integer(0x80, 0x7f, STATIC_COUNT + this.#table.inserted - place);
    const index = nameIndex === 0 ? undefined : STATIC_INDEX.get(key);
    if (index !== undefined) return this.#integer(0x80, 0x7f, index);
    if (name.length + value.length + ENTRY_OVERHEAD > Math.min(LONGEST_ENTRY, this.#table.limit))
      return this.#literal(0x00, 0x0f, nameIndex, name, value);
    this.#literal(0x40, 0x3f, nameIndex, name, value);
    this.#places.set(key, this.#table.inserted);
    this.#table.insert(name, value);
  }

  #literal(pattern: number, mask: number, nameIndex: number, name: string, value: string): void {
    this.#integer(pattern, mask, nameIndex);
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #integer(pattern: number, mask: number, number: number): void {
    if (number < mask) {
      this.#bytes[this.#at++] = pattern | number;
      return;
    }
    this.#bytes[this.#at++] = pattern | mask;
    let rest = number - mask;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #string(text: string): void {
    this.#integer(0, 0x7f, text.length);
    this.#at += this.#bytes.write(text, this.#at, "latin1");
  }
}
