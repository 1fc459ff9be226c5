/**
 * Small files in memory, ready to be sent, within a budget of bytes. Pure.
 *
 * One budget for all folders. Each folder keeps its own map from request path to file, so a hit is one lookup and a mark. When room is needed, files
 * without the mark go, the oldest first; those with it lose the mark and get another round (the clock algorithm).
 */
import type { Coding } from "../http/negotiation.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Representation } from "./representation.ts";

/** One form of a kept file. */
export interface KeptForm {
  readonly coding: Coding | null;
  readonly representation: Representation;
  /** A string is latin-1: it leaves in one write together with the head. */
  readonly body: string | Buffer;
}

/** A file in memory. */
export class KeptFile {
  readonly forms: readonly [KeptForm, ...KeptForm[]];
  /** What the disk said about it and its forms; the same again means: unchanged. Empty: too new to tell. */
  readonly signature: string;
  readonly bytes: number;
  /** Clock time at which the disk was asked last. */
  checkedAt: number;
  isUsed = false;
  /** Requests that wait for the disk's answer; null: it is not being asked. */
  waiting: Exchange[] | null = null;

  constructor(forms: readonly [KeptForm, ...KeptForm[]], signature: string, checkedAt: number) {
    this.forms = forms;
    this.signature = signature;
    this.checkedAt = checkedAt;
    this.bytes = forms.reduce((sum, { body }) => sum + body.length + FORM_BYTES, 0);
  }
}

/** Fields, maps and keys, about. */
const FORM_BYTES = 1024;

export type KeptFiles = Map<string, KeptFile>;

export class FileMemory {
  readonly #budget: number;
  /** A larger file is read anew for each request. */
  readonly largest: number;
  /** In the order in which they came, or were given another round. */
  readonly #places = new Map<KeptFile, { readonly files: KeptFiles; readonly path: string }>();
  #bytes = 0;

  constructor(budget: number, largest: number = Math.min(262_144, budget >> 3)) {
    this.#budget = budget;
    this.largest = largest;
  }

  get bytes(): number {
    return this.#bytes;
  }

  keep(files: KeptFiles, path: string, file: KeptFile): void {
    this.drop(files, path);
    if (file.bytes > this.#budget) return;
    files.set(path, file);
    this.#places.set(file, { files, path });
    this.#bytes += file.bytes;
    let rounds = 2 * this.#places.size;
    for (const [other, place] of this.#places) {
      if (this.#bytes <= this.#budget || --rounds < 0) break;
      // Not one that requests wait for: nobody would answer them.
      if (other.isUsed || other.waiting !== null || other === file) {
        other.isUsed = false;
        this.#places.delete(other);
        this.#places.set(other, place);
      } else this.drop(place.files, place.path);
    }
  }

  drop(files: KeptFiles, path: string): void {
    const file = files.get(path);
    if (file === undefined) return;
    files.delete(path);
    this.#places.delete(file);
    this.#bytes -= file.bytes;
  }
}
