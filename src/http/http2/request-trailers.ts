/**
 * The trailer section of an HTTP/2 request (RFC 9113 section 8.1). Nobody reads it, and it is checked as that of HTTP/1.1 is: what would change framing or
 * routing is refused, as dropping it hides an attempt (RFC 9110 section 6.5.1).
 */
import { headerName } from "../header-names.ts";
import { isFieldValue } from "./request-head.ts";

/** Names and values in turns. */
export function isTrailerSection(flat: readonly string[]): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    // Not a pseudo-header field either: their names are no tokens.
    const name = headerName(flat[i]!);
    if (name === undefined || name.raw !== name.lower || !isFieldValue(flat[i + 1]!)) return false;
    switch (name.kind) {
      case "host":
      case "content-length":
      case "connection":
      case "keep-alive":
      case "proxy-connection":
      case "transfer-encoding":
      case "upgrade":
        return false;
      default:
    }
  }
  return true;
}
