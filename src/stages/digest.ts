/** Short names for long or secret values, by a key that dies with the process: nobody outside can choose two that meet, or try a secret on one. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const KEY = randomBytes(32);

export function digest(...parts: readonly string[]): string {
  const hmac = createHmac("sha256", KEY);
  // Lengths first: ("ab", "c") and ("a", "bc") are not the same.
  for (const part of parts) hmac.update(`${part.length}:`).update(part, "utf8");
  return hmac.digest("base64");
}

/** In a time that does not tell where they differ; lengths are no secret. */
export function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
