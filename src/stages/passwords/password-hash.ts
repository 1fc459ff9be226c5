/** Checking a password against its hash, and making new ones. */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { compareSync } from "bcryptjs";
import { BCRYPT, MD5_CRYPT, SCRYPT, SHA_CRYPT } from "../../config/password-text.ts";
import { md5Crypt } from "./md5-crypt.ts";
import { DEFAULT_ROUNDS, shaCrypt } from "./sha-crypt.ts";

/** Longer ones are no passwords; hashing takes time with their length. */
export const LONGEST_PASSWORD = 256;

/** What `maitred password` makes: 32 MiB and about a quarter of a second (RFC 7914; what OWASP recommends for N = 2^15). */
const LN = 15;
const R = 8;
const P = 3;

/** Takes tens of milliseconds: not for the event loop. `hash` is one that `hashProblem` has nothing against. */
export function matchesHash(password: string, hash: string): boolean {
  const bytes = Buffer.from(password, "utf8");
  if (bytes.length > LONGEST_PASSWORD) return false;
  if (BCRYPT.test(hash)) return compareSync(password, hash);
  const md5 = MD5_CRYPT.exec(hash);
  if (md5 !== null) return isSame(md5Crypt(bytes, md5[1]!, md5[2]!), md5[3]!);
  const sha = SHA_CRYPT.exec(hash);
  if (sha !== null) {
    // Below a thousand the specification takes a thousand.
    const rounds = sha[2] === undefined ? DEFAULT_ROUNDS : Math.max(1000, Number(sha[2]));
    return isSame(shaCrypt(sha[1] === "5" ? "sha256" : "sha512", bytes, sha[3]!, rounds), sha[4]!);
  }
  const scrypt = SCRYPT.exec(hash);
  if (scrypt === null) return false;
  const [ln, r, p] = [Number(scrypt[1]), Number(scrypt[2]), Number(scrypt[3])];
  const wanted = Buffer.from(scrypt[5]!, "base64");
  return timingSafeEqual(scryptOf(bytes, Buffer.from(scrypt[4]!, "base64"), ln, r, p, wanted.length), wanted);
}

/** A new hash, in the PHC string format. */
export function makeHash(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptOf(Buffer.from(password, "utf8"), salt, LN, R, P, 32);
  const text = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");
  return `$scrypt$ln=${LN},r=${R},p=${P}$${text(salt)}$${text(hash)}`;
}

// Private

function scryptOf(password: Buffer, salt: Buffer, ln: number, r: number, p: number, length: number): Buffer {
  const N = 2 ** ln;
  return scryptSync(password, salt, length, { N, r, p, maxmem: 128 * N * r + 128 * r * p + 1_048_576 });
}

function isSame(made: string, wanted: string): boolean {
  return timingSafeEqual(Buffer.from(made), Buffer.from(wanted));
}
