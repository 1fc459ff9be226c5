/**
 * MD5 in a thousand rounds: `$1$` of crypt(3) and `$apr1$` of Apache's htpasswd, which differ in that word only. Old, and still what `htpasswd`
 * writes unless it is told otherwise.
 */
import { createHash } from "node:crypto";
import { crypt64 } from "./crypt64.ts";

const ORDER = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
  [-1, -1, 11],
];

/** The digest's text. `magic` is "$1$" or "$apr1$". */
export function md5Crypt(password: Buffer, magic: string, salt: string): string {
  const md5 = (...parts: readonly (Buffer | string)[]): Buffer => {
    const hash = createHash("md5");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const mixed = md5(password, salt, password);
  const start: Buffer[] = [password, Buffer.from(magic + salt)];
  for (let left = password.length; left > 0; left -= 16) start.push(mixed.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1)
    start.push((bits & 1) === 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  let digest = md5(...start);
  for (let round = 0; round < 1000; round++) {
    const parts: (Buffer | string)[] = [(round & 1) === 1 ? password : digest];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(password);
    parts.push((round & 1) === 1 ? digest : password);
    digest = md5(...parts);
  }
  return crypt64(digest, ORDER);
}
