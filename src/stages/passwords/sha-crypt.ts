/** SHA-256 and SHA-512 in many rounds: `$5$` and `$6$` of crypt(3) (Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512"). */
import { createHash } from "node:crypto";
import { crypt64 } from "./crypt64.ts";

export const DEFAULT_ROUNDS = 5000;

const ORDERS = { sha256: order(10, 30, 21), sha512: order(21, 63, 22) } as const;

export function shaCrypt(kind: "sha256" | "sha512", password: Buffer, salt: string, rounds: number): string {
  const sha = (parts: readonly (Buffer | string)[]): Buffer => {
    const hash = createHash(kind);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const mixed = sha([password, salt, password]);
  const start: (Buffer | string)[] = [password, salt, repeated(mixed, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) start.push((bits & 1) === 1 ? mixed : password);
  let digest = sha(start);
  const passwords = repeated(sha(Array.from(password, () => password)), password.length);
  const salts = repeated(sha(Array.from({ length: 16 + digest[0]! }, () => salt)), Buffer.byteLength(salt));
  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1;
    const parts = [isOdd ? passwords : digest];
    if (round % 3 !== 0) parts.push(salts);
    if (round % 7 !== 0) parts.push(passwords);
    parts.push(isOdd ? digest : passwords);
    digest = sha(parts);
  }
  return crypt64(digest, ORDERS[kind]);
}

// Private

function repeated(bytes: Buffer, length: number): Buffer {
  const all = Buffer.alloc(length);
  for (let at = 0; at < length; at += bytes.length) bytes.copy(all, at);
  return all;
}

/** Three columns of `third` bytes each, turned by one place from row to row, to the left or (`first` 21) to the right; then what is left over. */
function order(third: number, last: number, shift: number): number[][] {
  const columns = [0, third, third * 2];
  const rows: number[][] = [];
  let row = columns;
  for (let at = 0; at < third; at++) {
    rows.push(row);
    const next = row.map((byte) => byte + 1);
    // SHA-256 turns right, SHA-512 left.
    row = shift === 21 ? [next[2]!, next[0]!, next[1]!] : [next[1]!, next[2]!, next[0]!];
  }
  rows.push(last === 30 ? [-1, 31, 30] : [-1, -1, 63]);
  return rows;
}
