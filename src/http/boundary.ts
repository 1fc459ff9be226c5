/** What stands between the parts of a multipart body (RFC 2046 section 5.1.1): nobody who had a hand in the body can have guessed it. */
import { randomBytes } from "node:crypto";

export function boundary(): string {
  return randomBytes(16).toString("hex");
}
