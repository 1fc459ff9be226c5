/** The texts in which password hashes are written: bcrypt, scrypt, SHA-512 and SHA-256 of crypt(3), MD5 of Apache and of crypt(3). Pure. */

export const BCRYPT: RegExp = /^\$2[aby]\$(\d\d)\$[./A-Za-z\d]{53}$/;
/** Its name, salt, digest. */
export const MD5_CRYPT: RegExp = /^(\$(?:1|apr1)\$)([^$:\s]{1,8})\$([./A-Za-z\d]{22})$/;
/** 5 or 6, rounds, salt, digest. */
export const SHA_CRYPT: RegExp =
  /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\s]{0,16})\$([./A-Za-z\d]{43}|[./A-Za-z\d]{86})$/;
/** In the PHC string format: ln, r, p, salt, hash. */
export const SCRYPT: RegExp =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z\d+/]{11,86})\$([A-Za-z\d+/]{22,86})$/;

const MOST_BCRYPT = 15;
const MOST_ROUNDS = 2_000_000;
const MOST_MEMORY = 256 * 1024 * 1024;
const MOST_WORK = 1024 ** 3;

const BETTER = 'make one with "maitred password", "htpasswd -B" or "openssl passwd -6"';

/** Why a text is no hash that can be checked, as the end of a sentence; null where it is one. */
export function hashProblem(text: string): string | null {
  const bcrypt = BCRYPT.exec(text);
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1]);
    return cost > MOST_BCRYPT ? `costs too much to check: its cost is ${cost}, take ${MOST_BCRYPT} or less` : null;
  }
  if (MD5_CRYPT.test(text)) return null;
  const sha = SHA_CRYPT.exec(text);
  if (sha !== null && (sha[1] === "5") === (sha[4]!.length === 43)) {
    const rounds = Number(sha[2] ?? 0);
    return rounds > MOST_ROUNDS ? `costs too much to check: ${rounds} rounds, take ${MOST_ROUNDS} or less` : null;
  }
  const scrypt = SCRYPT.exec(text);
  if (scrypt !== null) {
    const [ln, r, p] = [Number(scrypt[1]), Number(scrypt[2]), Number(scrypt[3])];
    const memory = 128 * 2 ** ln * r;
    const isSound = ln > 0 && r > 0 && p > 0 && memory <= MOST_MEMORY && memory * p <= MOST_WORK;
    return isSound ? null : "costs too much to check: take ln=17,r=8,p=1 or less";
  }
  return `${kindOfProblem(text)}: ${BETTER}`;
}

// Private

function kindOfProblem(text: string): string {
  if (text.startsWith("{SHA}")) return "is SHA-1 without a salt, which gives passwords away";
  if (/^\$(?:y|7|gy)\$/.test(text)) return "is yescrypt, which is not known here";
  if (text.startsWith("$argon2")) return "is Argon2, which is not known here";
  if (text.startsWith("$")) return "is damaged, or of a kind that is not known here";
  return "is no hash of a password";
}
