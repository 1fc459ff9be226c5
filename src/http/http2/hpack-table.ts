/** The tables of HPACK (RFC 7541 sections 2.3 and 4): the static one, and the dynamic one that both ends keep alike. */

/** Appendix A, from index 1 on. */
const STATIC =
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|" +
  ":status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|" +
  "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|content-length|" +
  "content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|" +
  "if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|" +
  "set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate";

export const STATIC_NAMES: readonly string[] = ["", ...STATIC.split("|").map((entry) => entry.split("=")[0]!)];
export const STATIC_VALUES: readonly string[] = ["", ...STATIC.split("|").map((entry) => entry.split("=")[1] ?? "")];
export const STATIC_COUNT: number = STATIC_NAMES.length - 1;

/** Section 4.1: what an entry counts beside its name and value. */
export const ENTRY_OVERHEAD = 32;
/** SETTINGS_HEADER_TABLE_SIZE where nobody said otherwise. */
export const DEFAULT_TABLE_SIZE = 4096;

/** First in, first out; index 1 is the newest entry. Bounded by `limit` in bytes as section 4.1 counts them. */
export class DynamicTable {
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  /** Place of the oldest entry; what is before it has been evicted. */
  #first = 0;
  #size = 0;
  #limit: number = DEFAULT_TABLE_SIZE;
  /** Entries ever inserted; it also tells whether the table has changed. */
  inserted = 0;
  /** Called with what leaves, oldest first. */
  onEvicted: ((name: string, value: string) => void) | null = null;

  get length(): number {
    return this.#names.length - this.#first;
  }

  get limit(): number {
    return this.#limit;
  }

  name(index: number): string {
    return this.#names[this.#names.length - index]!;
  }

  value(index: number): string {
    return this.#values[this.#values.length - index]!;
  }

  resize(limit: number): void {
    this.#limit = limit;
    this.#evictTo(limit);
  }

  /** An entry larger than the table empties it and is not kept (section 4.4). */
  insert(name: string, value: string): boolean {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evictTo(this.#limit - size);
    this.inserted++;
    if (size > this.#limit) return false;
    this.#names.push(name);
    this.#values.push(value);
    this.#size += size;
    return true;
  }

  #evictTo(size: number): void {
    while (this.#size > size && this.length > 0) {
      const name = this.#names[this.#first]!;
      const value = this.#values[this.#first]!;
      this.#size -= name.length + value.length + ENTRY_OVERHEAD;
      this.#first++;
      this.onEvicted?.(name, value);
    }
    // No entry counts less than 32 bytes, so what was evicted is soon the larger part.
    if (this.#first > 64 && this.#first * 2 > this.#names.length) {
      this.#names.splice(0, this.#first);
      this.#values.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
