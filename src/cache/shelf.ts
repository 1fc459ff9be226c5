/** Where stored responses stand: a shelf for all that has scheme, host and the like in common, a resource on it per target, its variants in that. */
import type { HeaderBlock } from "../http/header-block.ts";
import type { StoredResponse } from "./stored-response.ts";
import { variantKey } from "./vary.ts";

/** More variants of one URL than this push out the oldest. */
export const MOST_VARIANTS = 64;

export class Shelf {
  readonly name: string;
  readonly resources: Map<string, Resource> = new Map();
  /** Nothing stands on it any more, and it is no longer where one would look. */
  isGone = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Scheme, host and prefix, without the cookies and fields that are part of the key. */
  get base(): string {
    const end = this.name.indexOf("\n");
    return end === -1 ? this.name : this.name.slice(0, end);
  }
}

export class Resource {
  readonly shelf: Shelf;
  readonly target: string;
  /** The newest first (RFC 9111 section 4: of several that match the most recent is used). */
  variants: StoredResponse[] = [];
  /** The only one, which varies by nothing; null where it must be looked for. */
  single: StoredResponse | null = null;

  constructor(shelf: Shelf, target: string) {
    this.shelf = shelf;
    this.target = target;
  }

  /** The variant for a request with these fields. */
  find(headers: HeaderBlock): StoredResponse | null {
    let varyText = "";
    let key = "";
    for (const variant of this.variants) {
      if (variant.varyText !== varyText) {
        varyText = variant.varyText;
        key = variantKey(variant.vary, headers);
      }
      if (variant.variantKey === key) return variant;
    }
    return null;
  }

  add(stored: StoredResponse): void {
    this.variants.unshift(stored);
    this.#note();
  }

  remove(stored: StoredResponse): void {
    const at = this.variants.indexOf(stored);
    if (at >= 0) this.variants.splice(at, 1);
    this.#note();
  }

  #note(): void {
    const [first] = this.variants;
    this.single = this.variants.length === 1 && first!.vary.length === 0 ? first! : null;
  }
}
