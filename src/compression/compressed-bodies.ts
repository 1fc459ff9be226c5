/**
 * Whole bodies, compressed. A Buffer that comes again is compressed once: what the cache and the files in memory give is the same object each time,
 * and what was made of it is kept for as long as that is. Who asks for it while it is being made waits for it.
 */
import type { Exchange } from "../http/exchange.ts";
import type { Coding } from "../http/negotiation.ts";
import type { CompressionBudget } from "./budget.ts";
import { compressElsewhere, compressHere, HERE_BYTES, type Levels } from "./codecs.ts";

/** The compressed body; null: it goes as it is. */
type Then = (compressed: Buffer | null) => void;

interface Kept {
  /** Undefined while it is being made. */
  bytes: Buffer | null | undefined;
  waiting: Then[];
}

export class CompressedBodies {
  readonly #levels: Levels;
  readonly #budget: CompressionBudget;
  readonly #kept = new WeakMap<Buffer, Map<string, Kept>>();

  constructor(levels: Levels, budget: CompressionBudget) {
    this.#levels = levels;
    this.#budget = budget;
  }

  /** `mayComeAgain`: the Buffer is the giver's own, and never changes. */
  get(body: Buffer, mayComeAgain: boolean, coding: Coding, isPadded: boolean, exchange: Exchange, then: Then): void {
    if (!mayComeAgain || isPadded) return this.#make(body, coding, isPadded, exchange, then);
    let variants = this.#kept.get(body);
    if (variants === undefined) this.#kept.set(body, (variants = new Map<string, Kept>()));
    const known = variants.get(coding);
    if (known !== undefined) {
      if (known.bytes === undefined) known.waiting.push(then);
      else then(known.bytes);
      return;
    }
    const kept: Kept = { bytes: undefined, waiting: [] };
    variants.set(coding, kept);
    // Whoever asked first may leave; the others still want it.
    this.#make(body, coding, false, null, (bytes, isFinal) => {
      kept.bytes = bytes;
      if (!isFinal) variants.delete(coding);
      then(bytes);
      for (const waiting of kept.waiting.splice(0)) waiting(bytes);
    });
  }

  // Private

  /** `isFinal` is false where there was no CPU for it: another time there may be. */
  #make(
    body: Buffer,
    coding: Coding,
    isPadded: boolean,
    exchange: Exchange | null,
    then: (compressed: Buffer | null, isFinal: boolean) => void,
  ): void {
    // What has become larger goes as it was.
    const worth = (bytes: Buffer | null): Buffer | null =>
      bytes !== null && bytes.length < body.length ? bytes : null;
    const budget = this.#budget;
    if (body.length <= HERE_BYTES[coding]) {
      const bytes = budget.here(() => compressHere(body, coding, this.#levels, isPadded));
      if (bytes !== null) return then(worth(bytes), true);
    }
    if (budget.isCrowded) {
      budget.refused();
      return then(null, false);
    }
    budget.onThread(() => {
      if (exchange?.state === "done") return budget.threadFree();
      compressElsewhere(body, coding, this.#levels, isPadded, (bytes) => {
        budget.threadFree();
        then(worth(bytes), true);
      });
    });
  }
}
