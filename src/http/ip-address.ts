/**
 * IP addresses as text, and ranges of them (RFC 4632, RFC 4291 section 2.3). Strict where readers disagree: an IPv4 number with a leading
 * zero, octal for some, is no address. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is the IPv4 address that it stands for.
 */

export interface IpAddress {
  /** Canonical form: RFC 5952 for IPv6; without a zone. */
  readonly text: string;
  /** One 32-bit word for IPv4, four for IPv6, most significant first. */
  readonly words: readonly number[];
}

export interface IpRange {
  readonly words: readonly number[];
  /** Length of the prefix that counts. */
  readonly bits: number;
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[\da-f]{1,4}$/i;
const ZONE = /%[\w.-]+$/;
/** The longest text there is: eight groups with the last two in dotted form, and a zone of an interface's name. */
const LONGEST = 64;

/** Null where the text is no address. A zone (`%eth0`) may follow and is dropped. */
export function parseIp(text: string): IpAddress | null {
  if (text.length > LONGEST) return null;
  return text.includes(":") ? parseV6(text.replace(ZONE, "")) : parseV4(text);
}

/** An address, or an address with a prefix length. Bits beyond the prefix are ignored. */
export function parseRange(text: string): IpRange | null {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  const words = rawWords(address);
  if (words === null) return null;
  const width = words.length * 32;
  const length = slash === -1 ? String(width) : text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > width) return null;
  const bits = Number(length);
  if (isMapped(words) && bits >= 96) return { words: [words[3]!], bits: bits - 96 };
  return { words, bits };
}

export function isInRange({ words }: IpAddress, range: IpRange): boolean {
  if (words.length !== range.words.length) return false;
  let bits = range.bits;
  for (let i = 0; bits > 0; i++, bits -= 32) {
    const mask = bits >= 32 ? -1 : -1 << (32 - bits);
    if (((words[i]! ^ range.words[i]!) & mask) !== 0) return false;
  }
  return true;
}

/** The address of 4 or 16 bytes in network order. */
export function ipOfBytes(bytes: Buffer): IpAddress {
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) words.push(bytes.readUInt32BE(at));
  return ofWords(words);
}

// Private

function ofWords(words: readonly number[]): IpAddress {
  const own = isMapped(words) ? [words[3]!] : words;
  return { words: own, text: own.length === 1 ? textOfV4(own[0]!) : textOfV6(own) };
}

function rawWords(text: string): readonly number[] | null {
  if (!text.includes(":")) return parseV4(text)?.words ?? null;
  return v6Words(text);
}

function isMapped(words: readonly number[]): boolean {
  return words.length === 4 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

function parseV4(text: string): IpAddress | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let word = 0;
  for (const part of parts) {
    const octet = Number(part);
    if (!OCTET.test(part) || octet > 255) return null;
    word = word * 256 + octet;
  }
  return { text, words: [word] };
}

function parseV6(text: string): IpAddress | null {
  const words = v6Words(text);
  return words === null ? null : ofWords(words);
}

function v6Words(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : groupsOf(halves[1]!, true);
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  // "::" stands for one group or more.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return [0, 2, 4, 6].map((at) => groups[at]! * 0x10000 + groups[at + 1]!);
}

/** The groups of one side of "::"; only the last of an address may be in dotted form. */
function groupsOf(text: string, isLast: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    if (isLast && at === parts.length - 1 && part.includes(".")) {
      const word = parseV4(part)?.words[0];
      if (word === undefined) return null;
      groups.push(word >>> 16, word & 0xffff);
    } else if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

function textOfV4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952 section 4: lower case, no leading zeros, "::" for the first longest run of two zero groups or more. */
function textOfV6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let start = -1;
  let longest = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && groups[end] === 0) end++;
    if (end - at > longest) {
      longest = end - at;
      start = at;
    }
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (start === -1) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + longest))}`;
}
