/**
 * Finds the end of a head or trailer section that arrives in pieces, and refuses early what can never become valid: a CR or LF that
 * stands alone (RFC 9112 section 2.2) and anything beyond a limit. It looks at each byte once, however small the pieces.
 *
 * Invariant: its verdict depends on the bytes alone, never on where they were split. So that a head that arrives whole gets the same
 * verdict, whoever finds such a head invalid asks the scanner first.
 */
import type { HeadLimits } from "./head-limits.ts";
import { ProtocolError, badRequest } from "./protocol-error.ts";

const CR = 13;
const LF = 10;

export class LineScanner {
  /** Set once the bytes are known to be invalid. */
  fault: ProtocolError | null = null;
  /** Bytes looked at since the section began. */
  total = 0;
  readonly #limits: HeadLimits;
  /** 0 is the request line; field lines count from 1. */
  #line = 0;
  #column = 0;
  #afterCr = false;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Begins anew: at the request line (0), or for a trailer section at the first field line (1). */
  start(line: 0 | 1): void {
    this.fault = null;
    this.total = 0;
    this.#line = line;
    this.#column = 0;
    this.#afterCr = false;
  }

  /** Looks at the bytes from `from` on. Returns the index after the section's last byte, or -1: incomplete, or `fault` is set. */
  scan(bytes: Buffer, from: number): number {
    const { requestLine, fields, fieldSize, headBytes } = this.#limits;
    for (let i = from; i < bytes.length; i++) {
      if (++this.total > headBytes)
        return this.#fail(this.#line === 0 ? lineTooLong(requestLine) : headTooLarge(headBytes));
      const byte = bytes[i];
      if (this.#afterCr) {
        if (byte !== LF) return this.#fail(BARE_CR);
        if (this.#column === 0 && this.#line > 0) return i + 1;
        this.#afterCr = false;
        this.#line++;
        this.#column = 0;
      } else if (byte === CR) {
        this.#afterCr = true;
      } else if (byte === LF) {
        return this.#fail(BARE_LF);
      } else {
        this.#column++;
        if (this.#line === 0) {
          if (this.#column > requestLine) return this.#fail(lineTooLong(requestLine));
        } else {
          if (this.#line > fields) return this.#fail(tooManyFields(fields));
          if (this.#column > fieldSize) return this.#fail(fieldTooLarge(fieldSize));
        }
      }
    }
    return -1;
  }

  #fail(fault: ProtocolError): -1 {
    this.fault = fault;
    return -1;
  }
}

const BARE_CR = badRequest("MAITRED_BARE_CR", "a CR in the head is not followed by LF");
const BARE_LF = badRequest("MAITRED_BARE_LF", "a line in the head ends in LF without CR");
const lineTooLong = (limit: number): ProtocolError =>
  new ProtocolError(
    414,
    "MAITRED_REQUEST_LINE_TOO_LONG",
    `the request line is longer than ${limit} bytes (--limit-request-line)`,
  );
const tooManyFields = (limit: number): ProtocolError =>
  new ProtocolError(
    431,
    "MAITRED_TOO_MANY_FIELDS",
    `there are more than ${limit} header or trailer fields (--limit-request-fields)`,
  );
const fieldTooLarge = (limit: number): ProtocolError =>
  new ProtocolError(
    431,
    "MAITRED_FIELD_TOO_LARGE",
    `a header or trailer field is longer than ${limit} bytes (--limit-request-field_size)`,
  );
const headTooLarge = (limit: number): ProtocolError =>
  new ProtocolError(
    431,
    "MAITRED_HEAD_TOO_LARGE",
    `the header or trailer section is longer than ${limit} bytes, more than any setting allows`,
  );
