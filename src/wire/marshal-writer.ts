/**
 * Writes CPython's marshal format (PROTOCOL.md, "Marshal") into one growing buffer, with no intermediate objects.
 *
 * Hot path: about 1 µs per request goes through here. Short strings are copied by a loop because a call into the runtime costs more than
 * twenty bytes do; `reserve` is called once per value with its largest size, so that single writes need no check.
 */

/** The runtime's own fast writers and slicers; Node has them on every Buffer, its types do not. */
interface FastBuffer extends Buffer {
  latin1Write(text: string, at: number): number;
  utf8Write(text: string, at: number): number;
}

const SHORT_COPY = 24;

/** Anything beyond ASCII in a latin-1 string. */
const BEYOND_ASCII = /[\x80-\uffff]/;

export class MarshalWriter {
  bytes: FastBuffer;
  at = 0;

  constructor(capacity = 65_536) {
    this.bytes = Buffer.allocUnsafeSlow(capacity) as FastBuffer;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + count)) as FastBuffer;
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  #u32(value: number): void {
    const { bytes, at } = this;
    bytes[at] = value & 0xff;
    bytes[at + 1] = (value >>> 8) & 0xff;
    bytes[at + 2] = (value >>> 16) & 0xff;
    bytes[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  #latin1(text: string): void {
    const length = text.length;
    if (length > SHORT_COPY) {
      this.bytes.latin1Write(text, this.at);
    } else {
      const { bytes, at } = this;
      for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    }
    this.at += length;
  }

  /** A str that is known to be ASCII. */
  ascii(text: string): void {
    const length = text.length;
    this.reserve(length + 5);
    if (length < 256) {
      this.bytes[this.at++] = 0x7a; // z
      this.bytes[this.at++] = length;
    } else {
      this.bytes[this.at++] = 0x61; // a
      this.#u32(length);
    }
    this.#latin1(text);
  }

  /** A str of any characters: ASCII takes the short form, the rest UTF-8. */
  text(text: string): void {
    if (!BEYOND_ASCII.test(text)) return this.ascii(text);
    const length = Buffer.byteLength(text, "utf8");
    this.reserve(length + 5);
    this.bytes[this.at++] = 0x75; // u
    this.#u32(length);
    this.at += this.bytes.utf8Write(text, this.at);
  }

  /** bytes from a latin-1 string. */
  latin1Bytes(text: string): void {
    this.reserve(text.length + 5);
    this.bytes[this.at++] = 0x73; // s
    this.#u32(text.length);
    this.#latin1(text);
  }

  /** bytes from a buffer. */
  bytesOf(data: Buffer): void {
    this.reserve(data.length + 5);
    this.bytes[this.at++] = 0x73;
    this.#u32(data.length);
    data.copy(this.bytes, this.at);
    this.at += data.length;
  }

  int(value: number): void {
    this.reserve(5);
    this.bytes[this.at++] = 0x69; // i
    this.#u32(value);
  }

  /** A list's opening; its `count` items follow. */
  list(count: number): void {
    this.reserve(5);
    this.bytes[this.at++] = 0x5b; // [
    this.#u32(count);
  }

  /** A tuple's opening, fewer than 256 items. */
  tuple(count: number): void {
    this.reserve(2);
    this.bytes[this.at++] = 0x29; // )
    this.bytes[this.at++] = count;
  }

  /** A single type code: `{` opens a dict, `0` closes it, `N`, `T`, `F`. */
  code(char: number): void {
    this.reserve(1);
    this.bytes[this.at++] = char;
  }

  /** Bytes that were marshalled before. */
  raw(encoded: Buffer): void {
    const length = encoded.length;
    this.reserve(length);
    if (length > SHORT_COPY) {
      encoded.copy(this.bytes, this.at);
    } else {
      const { bytes, at } = this;
      for (let i = 0; i < length; i++) bytes[at + i] = encoded[i]!;
    }
    this.at += length;
  }

  /** A copy of what was written since `from`. */
  since(from: number): Buffer {
    return Buffer.from(this.bytes.subarray(from, this.at));
  }
}

/** An interned str: only for names from the program, never for what a client can choose (immortal in CPython 3.12 and 3.13). */
export function internedKey(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x5a, text.length]), Buffer.from(text, "latin1")]); // Z
}

/** A short ASCII str, not interned. */
export function plainKey(text: string): Buffer {
  const writer = new MarshalWriter(text.length + 8);
  writer.ascii(text);
  return writer.since(0);
}

/** A bytes object. */
export function bytesKey(text: string): Buffer {
  const writer = new MarshalWriter(text.length + 8);
  writer.latin1Bytes(text);
  return writer.since(0);
}
