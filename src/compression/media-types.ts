/** Which media types are compressed: the patterns of the configuration, made ready for lookups. */

/** Frames of a stream are small, its connection lives long, and each would hold a compressor: only who names it gets it. */
export const EVENT_STREAM = "text/event-stream";

export class MediaTypes {
  readonly #exact = new Set<string>();
  readonly #prefixes: string[] = [];
  readonly #suffixed: { readonly prefix: string; readonly suffix: string }[] = [];
  /** Content-Type values seen and what they came to; bounded, as the app chooses them. */
  readonly #known = new Map<string, boolean>();

  /** `patterns` are lower-case: "text/css", "text/*", "application/*+json". */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const star = pattern.indexOf("*");
      if (star < 0) this.#exact.add(pattern);
      else if (star === pattern.length - 1) this.#prefixes.push(pattern.slice(0, star));
      else this.#suffixed.push({ prefix: pattern.slice(0, star), suffix: pattern.slice(star + 1) });
    }
  }

  /** `contentType` is the field's value, with its parameters. */
  has(contentType: string): boolean {
    const known = this.#known.get(contentType);
    if (known !== undefined) return known;
    const found = this.#look(mediaType(contentType));
    if (this.#known.size >= 256) this.#known.clear();
    this.#known.set(contentType, found);
    return found;
  }

  #look(type: string): boolean {
    if (this.#exact.has(type)) return true;
    if (type === EVENT_STREAM) return false;
    return (
      this.#prefixes.some((prefix) => type.startsWith(prefix)) ||
      this.#suffixed.some(({ prefix, suffix }) => type.startsWith(prefix) && type.endsWith(suffix))
    );
  }
}

/** Lower-case, without parameters (RFC 9110 section 8.3.1). */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
