/**
 * Checks that bytes are UTF-8 (RFC 3629) as they come, wherever they are cut: a wrong byte is told at once, not at the end of the message
 * (RFC 6455 section 8.1).
 */

export class Utf8Check {
  /** Continuation bytes that the character under way still needs, and the bounds of the next one. */
  #needed = 0;
  #least = 0x80;
  #most = 0xbf;

  /** False where these bytes cannot follow what came before. */
  push(bytes: Uint8Array): boolean {
    const { length } = bytes;
    let at = 0;
    while (at < length) {
      const byte = bytes[at++]!;
      if (this.#needed > 0) {
        if (byte < this.#least || byte > this.#most) return false;
        this.#needed--;
        this.#least = 0x80;
        this.#most = 0xbf;
      } else if (byte >= 0x80 && !this.#begin(byte)) return false;
    }
    return true;
  }

  /** True where no character is incomplete. Ready for the next message. */
  end(): boolean {
    const isWhole = this.#needed === 0;
    this.#needed = 0;
    this.#least = 0x80;
    this.#most = 0xbf;
    return isWhole;
  }

  /** RFC 3629 section 4, UTF8-2 to UTF8-4: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#least = 0xa0;
    else if (byte === 0xed) this.#most = 0x9f;
    else if (byte === 0xf0) this.#least = 0x90;
    else if (byte === 0xf4) this.#most = 0x8f;
    return true;
  }
}
