/**
 * The header section of one request: parallel arrays of names and values in the order received, plus what was noticed while reading them.
 * Immutable once made and shared: a connection that sends the same section again gets the same object, and with it the encoded form.
 */
import type { HeaderName } from "./header-names.ts";

export class HeaderBlock {
  readonly names: readonly HeaderName[];
  /** Values as latin-1 strings, without leading and trailing white space (RFC 9110 section 5.5). */
  readonly values: readonly string[];
  /** No value has a character beyond ASCII: the wire may take its short way. */
  readonly isAscii: boolean;
  /** Some name stands twice (case-insensitively): WSGI must join the values. */
  readonly hasDuplicates: boolean;
  /** Some name has an underscore: it must not pose as its dashed twin. */
  readonly hasUnderscores: boolean;
  /** There is an Upgrade field: the request may ask for another protocol. */
  readonly hasUpgrade: boolean;
  /** Some field tells who the client behind a proxy is: see client-identity.ts. */
  readonly isForwarding: boolean;
  /** The wire's encoded form, kept here by the wire so that a repeated section is encoded once. */
  encoded: Buffer | null = null;
  /** The encoder whose form that is (a reload can bring another). */
  encodedFor: object | null = null;
  /** What workers remember of requests with this section, kept here by the wire. */
  templates: (object | undefined)[] | null = null;
  /** What the response cache has made of it, kept here by the cache. */
  cacheFacts: object | null = null;

  constructor(
    names: readonly HeaderName[],
    values: readonly string[],
    isAscii: boolean,
    hasDuplicates: boolean,
    hasUnderscores: boolean,
    hasUpgrade: boolean = false,
  ) {
    this.names = names;
    this.values = values;
    this.isAscii = isAscii;
    this.hasDuplicates = hasDuplicates;
    this.hasUnderscores = hasUnderscores;
    this.hasUpgrade = hasUpgrade;
    this.isForwarding = names.some((name) => name.isForwarding);
  }

  /** The same section with only the fields that `keeps` lets through. */
  filtered(keeps: (name: HeaderName) => boolean): HeaderBlock {
    const names: HeaderName[] = [];
    const values: string[] = [];
    for (let i = 0; i < this.names.length; i++) {
      if (!keeps(this.names[i]!)) continue;
      names.push(this.names[i]!);
      values.push(this.values[i]!);
    }
    return new HeaderBlock(names, values, this.isAscii, this.hasDuplicates, this.hasUnderscores);
  }

  /** The same section with another value for a field, which is added where it is missing. */
  replaced(name: HeaderName, value: string): HeaderBlock {
    const at = this.names.findIndex(({ lower }) => lower === name.lower);
    const names = at === -1 ? [name, ...this.names] : this.names;
    const values = at === -1 ? [value, ...this.values] : this.values.with(at, value);
    return new HeaderBlock(names, values, this.isAscii, this.hasDuplicates, this.hasUnderscores);
  }

  /** The first value of a field, by its lower-case name. For cold paths: it searches. */
  get(lower: string): string | undefined {
    for (let i = 0; i < this.names.length; i++) if (this.names[i]!.lower === lower) return this.values[i];
    return undefined;
  }

  /** All values of a field that is a list, joined as one (RFC 9110 section 5.3). For cold paths. */
  joined(lower: string): string | undefined {
    let joined: string | undefined;
    for (let i = 0; i < this.names.length; i++) {
      if (this.names[i]!.lower !== lower) continue;
      joined = joined === undefined ? this.values[i]! : `${joined}, ${this.values[i]!}`;
      if (!this.hasDuplicates) break;
    }
    return joined;
  }
}

/** A section without fields. */
export const NO_HEADERS: HeaderBlock = new HeaderBlock([], [], true, false, false);
