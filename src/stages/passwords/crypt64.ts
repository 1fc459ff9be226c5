/** The base64 of crypt(3): least significant bits first, an alphabet of its own. Pure. */

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `order` gives the bytes three by three, most significant first; -1 is a zero byte that shortens the group. */
export function crypt64(bytes: Buffer, order: readonly (readonly number[])[]): string {
  let text = "";
  for (const group of order) {
    let bits = 0;
    let chars = 4;
    for (const at of group) {
      bits = (bits << 8) | (at < 0 ? 0 : bytes[at]!);
      if (at < 0) chars--;
    }
    for (; chars > 0; chars--, bits >>>= 6) text += ALPHABET[bits & 63];
  }
  return text;
}
