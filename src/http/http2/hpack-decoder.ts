/**
 * HPACK decoding (RFC 7541) of one connection's header sections. Pure: the bytes of a whole section in, a flat list of names and values out.
 *
 * Bounds: the dynamic table by its size; the list by `listLimit`, beyond which it is decoded on, as the table must stay in step, but not kept.
 */
import {
  DEFAULT_TABLE_SIZE,
  DynamicTable,
  ENTRY_OVERHEAD,
  STATIC_COUNT,
  STATIC_NAMES,
  STATIC_VALUES,
} from "./hpack-table.ts";
import { huffmanDecode } from "./huffman.ts";

/** The section is longer than the list limit; the connection can go on. */
export const LIST_TOO_LARGE = "list too large";
/** The bytes are no HPACK: the connection is lost (RFC 9113 section 4.3, COMPRESSION_ERROR). */
export const BAD_SECTION = "bad section";

/** Sections up to this size are remembered: clients repeat themselves. */
const MEMO_BYTES = 1024;
const LARGEST_INTEGER = 2 ** 28;

export class HpackDecoder {
  readonly #table = new DynamicTable();
  readonly #listLimit: number;
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;
  #isBad = false;
  /** The last section that changed nothing in the table, and what it meant. */
  #memoBytes: Buffer = NOTHING;
  #memoTable = -1;
  #memo: readonly string[] = [];

  constructor(listLimit: number) {
    this.#listLimit = listLimit;
  }

  decode(bytes: Buffer): readonly string[] | typeof LIST_TOO_LARGE | typeof BAD_SECTION {
    const table = this.#table;
    const before = table.inserted;
    // Equal bytes mean an equal list as long as the table is the same; callers may compare lists by identity.
    if (this.#memoTable === before && bytes.equals(this.#memoBytes)) return this.#memo;
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
    this.#isBad = false;
    const flat: string[] = [];
    let size = 0;
    let mayResize = true;
    while (this.#at < this.#end) {
      const first = bytes[this.#at]!;
      if ((first & 0xe0) === 0x20) {
        const limit = this.#integer(0x1f);
        // Section 4.2: only at the beginning, and not above what we allow.
        if (!mayResize || limit > DEFAULT_TABLE_SIZE || this.#isBad) return BAD_SECTION;
        table.resize(limit);
        table.inserted++;
        continue;
      }
      mayResize = false;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = this.#integer(0x7f);
        if (index === 0 || index > STATIC_COUNT + table.length) return BAD_SECTION;
        name = this.#name(index);
        value = index <= STATIC_COUNT ? STATIC_VALUES[index]! : table.value(index - STATIC_COUNT);
      } else {
        const isKept = first >= 0x40;
        const index = this.#integer(isKept ? 0x3f : 0x0f);
        if (index > STATIC_COUNT + table.length) return BAD_SECTION;
        name = index === 0 ? this.#string() : this.#name(index);
        value = this.#string();
        if (this.#isBad) return BAD_SECTION;
        if (isKept) table.insert(name, value);
      }
      if (this.#isBad) return BAD_SECTION;
      size += name.length + value.length + ENTRY_OVERHEAD;
      if (size <= this.#listLimit) flat.push(name, value);
    }
    if (size > this.#listLimit) return LIST_TOO_LARGE;
    if (table.inserted === before && bytes.length <= MEMO_BYTES) {
      this.#memoBytes = Buffer.from(bytes);
      this.#memoTable = before;
      this.#memo = flat;
    }
    return flat;
  }

  // Private

  #name(index: number): string {
    return index <= STATIC_COUNT ? STATIC_NAMES[index]! : this.#table.name(index - STATIC_COUNT);
  }

  /** Section 5.1. `mask` is the prefix; its bits are what the first byte has of the number. */
  #integer(mask: number): number {
    let number = this.#bytes[this.#at++]! & mask;
    if (number < mask) return number;
    for (let weight = 1; ; weight *= 128) {
      if (this.#at >= this.#end || weight > LARGEST_INTEGER) return this.#bad();
      const byte = this.#bytes[this.#at++]!;
      number += (byte & 0x7f) * weight;
      if (byte < 0x80) return number > LARGEST_INTEGER ? this.#bad() : number;
    }
  }

  /** Section 5.2. */
  #string(): string {
    if (this.#isBad || this.#at >= this.#end) {
      this.#bad();
      return "";
    }
    const isHuffman = this.#bytes[this.#at]! >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    const stop = start + length;
    if (this.#isBad || stop > this.#end) {
      this.#bad();
      return "";
    }
    this.#at = stop;
    if (!isHuffman) return this.#bytes.toString("latin1", start, stop);
    const text = huffmanDecode(this.#bytes, start, stop);
    if (text === null) this.#bad();
    return text ?? "";
  }

  #bad(): number {
    this.#isBad = true;
    return 0;
  }
}

const NOTHING = Buffer.alloc(0);
