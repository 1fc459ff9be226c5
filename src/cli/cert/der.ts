/** The little of DER (ITU-T X.690) that a certificate is made of: each function gives the bytes of one value. */

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

export function sequence(...items: readonly Buffer[]): Buffer {
  return value(SEQUENCE, Buffer.concat(items));
}

/** Of one item: with more, DER would want them sorted (section 11.6). */
export function setOf(item: Buffer): Buffer {
  return value(SET, item);
}

/** A positive integer, most significant byte first. */
export function positiveInteger(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const least = bytes.subarray(start);
  // The first bit is the sign.
  return value(INTEGER, (least[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), least]) : least);
}

export function boolean(is: boolean): Buffer {
  return value(BOOLEAN, Buffer.of(is ? 0xff : 0));
}

export function octets(bytes: Buffer): Buffer {
  return value(OCTET_STRING, bytes);
}

/** A string of whole bytes. */
export function bits(bytes: Buffer): Buffer {
  return value(BIT_STRING, Buffer.concat([Buffer.of(0), bytes]));
}

/** Named bits, at most eight, number 0 the leftmost; zeros at the end are left out (section 11.2.2). */
export function namedBits(...numbers: readonly number[]): Buffer {
  let byte = 0;
  for (const number of numbers) byte |= 0x80 >> number;
  return value(BIT_STRING, Buffer.of(7 - Math.max(...numbers), byte));
}

export function utf8(text: string): Buffer {
  return value(UTF8_STRING, Buffer.from(text, "utf8"));
}

/** "2.5.29.17" */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** RFC 5280 section 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050 on. `text` is ISO 8601 in UTC. */
export function time(text: string): Buffer {
  const digits = `${text.replace(/\.\d+/, "").replace(/[-:TZ]/g, "")}Z`;
  return Number(text.slice(0, 4)) < 2050
    ? value(UTC_TIME, Buffer.from(digits.slice(2), "latin1"))
    : value(GENERALIZED_TIME, Buffer.from(digits, "latin1"));
}

/** [n] EXPLICIT: a whole value inside. */
export function explicit(tag: number, inner: Buffer): Buffer {
  return value(0xa0 | tag, inner);
}

/** [n] IMPLICIT of a primitive type: the content alone. */
export function implicit(tag: number, content: Buffer): Buffer {
  return value(0x80 | tag, content);
}

// Private

function value(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...length(content.length)]), content]);
}

function length(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  const digits: number[] = [];
  for (let left = bytes; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
  return [0x80 | digits.length, ...digits];
}

function base128(number: number): number[] {
  const digits = [number % 128];
  for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift(0x80 | (left % 128));
  return digits;
}
