/**
 * The line before each chunk: chunk-size [ chunk-ext ] CRLF (RFC 9112 section 7.1), read byte by byte across any split.
 * Extensions are checked against the grammar and dropped, as the RFC asks of those who know none.
 *
 *     size ─▶ name ─▶ token-value | quoted ⇄ escape ─▶ after-quoted ─▶ lf
 *       └───────┴─────────────────────────────────────────────────────▶ lf
 *
 * Stricter than the RFC in one place: it would have us accept "bad" white space around `;` and `=` (section 7.1.1), and we refuse it.
 * Parsers disagree about it, and no client sends it.
 */
import { ProtocolError, badRequest } from "./protocol-error.ts";

/** Bytes of extensions in one body. Each chunk may carry some, so without this a body of 1-byte chunks is an endless head (CVE-2024-22019). */
const EXTENSION_LIMIT = 16 * 1024;

/** 2^53 has 14 hexadecimal digits; two more are left for zeros in front. */
const DIGIT_LIMIT = 16;

type State = "size" | "name" | "value" | "token-value" | "quoted" | "escape" | "after-quoted" | "lf";

const HT = 9;
const LF = 10;
const CR = 13;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Value of a hexadecimal digit, 255 for any other byte. */
const HEX: Uint8Array = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  HEX["0123456789abcdef".charCodeAt(i)] = i;
  HEX["0123456789ABCDEF".charCodeAt(i)] = i;
}

/** 1 for tchar (RFC 9110 section 5.6.2). */
const TCHAR: Uint8Array = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  TCHAR[char.charCodeAt(0)] = 1;

export class ChunkLine {
  /** Bytes of the chunk, once `read` has found the line's end. 0 is the last chunk. */
  size = 0;
  /** Set once the line is known to be invalid. */
  fault: ProtocolError | null = null;
  #state: State = "size";
  #digits = 0;
  /** The name under way has a character already. */
  #hasName = false;
  #extensionBytes = 0;

  /** A new body begins. */
  startBody(): void {
    this.#extensionBytes = 0;
    this.startLine();
  }

  /** A new chunk of the same body begins. */
  startLine(): void {
    this.size = 0;
    this.fault = null;
    this.#digits = 0;
    this.#state = "size";
  }

  /** Looks at the bytes from `from` on. Returns the index after the line's LF, or -1: incomplete, or `fault` is set. */
  read(bytes: Buffer, from: number): number {
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (this.#state === "size") {
        const digit = HEX[byte]!;
        if (digit !== 255) {
          this.size = this.size * 16 + digit;
          if (++this.#digits > DIGIT_LIMIT || this.size > Number.MAX_SAFE_INTEGER) return this.#fail(BAD_SIZE);
          continue;
        }
        if (this.#digits === 0) return this.#fail(BAD_SIZE);
      } else if (this.#state === "lf") {
        if (byte !== LF) return this.#fail(BAD_LINE_END);
        return i + 1;
      } else if (++this.#extensionBytes > EXTENSION_LIMIT) return this.#fail(EXTENSIONS_TOO_LONG);
      const next = this.#next(this.#state, byte);
      if (next === null)
        return this.#fail(byte === LF ? BAD_LINE_END : this.#state === "size" ? BAD_SIZE : BAD_EXTENSION);
      this.#state = next;
    }
    return -1;
  }

  /** The state after `byte`, or null where the grammar has no way on. */
  #next(state: Exclude<State, "lf">, byte: number): State | null {
    switch (state) {
      case "size":
      case "after-quoted":
        return this.#lineOrNext(byte);
      case "name":
        if (TCHAR[byte] === 1) {
          this.#hasName = true;
          return "name";
        }
        if (!this.#hasName) return null;
        return byte === EQUALS ? "value" : this.#lineOrNext(byte);
      case "value":
        return byte === QUOTE ? "quoted" : TCHAR[byte] === 1 ? "token-value" : null;
      case "token-value":
        return TCHAR[byte] === 1 ? "token-value" : this.#lineOrNext(byte);
      case "quoted":
        if (byte === QUOTE) return "after-quoted";
        return byte === BACKSLASH ? "escape" : isText(byte) ? "quoted" : null;
      case "escape":
        return isText(byte) ? "quoted" : null;
    }
  }

  /** What may follow a complete size or extension: another extension, or the end. */
  #lineOrNext(byte: number): State | null {
    if (byte === CR) return "lf";
    if (byte !== SEMICOLON) return null;
    this.#hasName = false;
    return "name";
  }

  #fail(fault: ProtocolError): -1 {
    this.fault = fault;
    return -1;
  }
}

/** HTAB, SP, visible ASCII or obs-text (RFC 9110 section 5.6.4). */
function isText(byte: number): boolean {
  return byte === HT || (byte >= 0x20 && byte !== 0x7f);
}

const BAD_SIZE = badRequest("MAITRED_BAD_CHUNK_SIZE", "a chunk size is not a hexadecimal number below 2^53");
const BAD_LINE_END = badRequest("MAITRED_BAD_CHUNK_LINE_END", "a chunk size line does not end in CRLF");
const BAD_EXTENSION = badRequest("MAITRED_BAD_CHUNK_EXTENSION", "a chunk extension is malformed");
const EXTENSIONS_TOO_LONG = new ProtocolError(
  413,
  "MAITRED_CHUNK_EXTENSIONS_TOO_LONG",
  "the body has more than 16 KiB of chunk extensions",
);
