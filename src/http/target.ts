/**
 * Percent-decoding of a path (RFC 3986 section 2.1), once for WSGI and once for ASGI.
 * An invalid %-sequence stays as it is, as Python's `unquote` leaves it; `+` means itself in a path.
 */

const INVALID = -1;

/** The path's bytes as latin-1 characters: WSGI's PATH_INFO (PEP 3333, "Unicode Issues"). */
export function decodePathLatin1(path: string): string {
  let mark = path.indexOf("%");
  if (mark === -1) return path;
  let decoded = "";
  let copied = 0;
  while (mark !== -1) {
    const byte = byteAt(path, mark);
    if (byte === INVALID) {
      mark = path.indexOf("%", mark + 1);
      continue;
    }
    decoded += path.substring(copied, mark) + String.fromCharCode(byte);
    copied = mark + 3;
    mark = path.indexOf("%", copied);
  }
  return decoded + path.substring(copied);
}

/** The path as text: ASGI's `path`. Bytes that are not UTF-8 become U+FFFD. */
export function decodePathUtf8(path: string): string {
  const bytes = decodePathLatin1(path);
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** The byte that the %-sequence at `mark` stands for. */
function byteAt(path: string, mark: number): number {
  const high = hexDigit(path.charCodeAt(mark + 1));
  const low = hexDigit(path.charCodeAt(mark + 2));
  return high === INVALID || low === INVALID ? INVALID : high * 16 + low;
}

/** Not `parseInt`: it takes "%+1" and "% 1" for numbers. NaN, past the end, is no digit either. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : INVALID;
}
