/**
 * Paths in one spelling, so that what an operator writes can be compared with what clients send without decoding it: every %-sequence that stands
 * for a character which needs none is that character, all others have capital digits (RFC 3986 sections 6.2.2.1 and 6.2.2.2), and a percent sign that begins none
 * is `%25`. `%2F`, `%3F`, `%25` stay what they are, so nothing changes its meaning.
 */

/** unreserved, sub-delims, ":" and "@" (RFC 3986, pchar). */
const PLAIN = /[\w.~!$&'()*+,;=:@-]/;

export function canonicalPath(path: string): string {
  if (!path.includes("%")) return path;
  return path.replace(/%([\dA-Fa-f]{2})?/g, (whole, digits: string | undefined) => {
    if (digits === undefined) return "%25";
    const char = String.fromCharCode(Number.parseInt(digits, 16));
    return PLAIN.test(char) && char <= "~" ? char : whole.toUpperCase();
  });
}

/** A path as an operator writes it, in that spelling. */
export function canonicalText(text: string): string {
  let spelled = "";
  for (const char of text) {
    if (char === "/" || char === "%" || (PLAIN.test(char) && char <= "~")) spelled += char;
    else
      for (const byte of new TextEncoder().encode(char))
        spelled += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return canonicalPath(spelled);
}
