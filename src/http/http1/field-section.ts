/**
 * The field lines of a request (RFC 9112 section 5) and what they mean for the codec: where the body ends (section 6.3), whether the
 * connection persists (section 9.3), whether the client waits for `100 Continue`. Pure: a string in, a value out.
 *
 * Invariant: a field that is dropped (underscore) decides nothing here.
 */
import { HeaderBlock, NO_HEADERS } from "../header-block.ts";
import { headerName, type HeaderName } from "../header-names.ts";
import type { BodyFraming } from "../request-head.ts";
import type { HeadLimits } from "./head-limits.ts";
import { ProtocolError, badRequest } from "./protocol-error.ts";
import { isHost } from "./request-line.ts";

/** Everything derived from one field section, made once and shared by the requests that repeat it. */
export interface FieldSection {
  readonly headers: HeaderBlock;
  readonly framing: BodyFraming;
  readonly contentLength: number;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
}

/** What may not stand in a value (RFC 9110 section 5.5): control characters other than tab. Bytes from 0x80 on are obs-text and may. */
const NO_VALUE = /[^\t\r\n -~\x80-\xff]/;
/** RFC 9112 section 2.2: a CR or LF alone ends no line for us, but may for someone behind or before us. */
const BARE_CR_OR_LF = /\r(?!\n)|(?<!\r)\n/;
/** OWS only: `trim` would take a no-break space away too. */
const BLANKS_AROUND = /^[\t ]+|[\t ]+$/g;
const DIGITS = /^[0-9]+$/;

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const DEL = 0x7f;

/** Serial number of the section being read, to find a name's second occurrence without a Set; see HeaderName.mark. */
let serial = 0;

/**
 * Reads the field lines of a request's head. Every line of `text` ends in CRLF; the empty line that ends the section is not part of it.
 * `bytes` has the same from `offset` on: the text is for cutting, the bytes are for looking. `authority`, of a target in absolute-form, replaces the Host field (RFC 9112 section 3.2.2).
 */
export function parseFieldSection(
  text: string,
  bytes: Buffer,
  offset: number,
  minor: 0 | 1,
  authority: string | null,
  limits: HeadLimits,
): FieldSection | ProtocolError {
  const mark = ++serial;
  const names: HeaderName[] = [];
  const values: string[] = [];
  /** Names beyond the table's bound, which are no unique objects and cannot be marked. */
  let strangers: Set<string> | null = null;
  let isAscii = true;
  let hasDuplicates = false;
  let hasUpgrade = false;
  let count = 0;
  let host: string | null = null;
  let contentLength = -1;
  let coding: string | null = null;
  let connection: string | null = null;
  let expect: string | null = null;

  for (let start = 0; start < text.length;) {
    const colon = text.indexOf(":", start);
    const name = colon === -1 ? undefined : headerName(text.substring(start, colon));
    if (name === undefined) return badName(text, start);
    let from = colon + 1;
    while (isBlank(bytes[offset + from]!)) from++;
    // Hot: the value's end and its characters in one pass over the bytes, a quarter less for the whole section than
    // indexOf and regular expressions on the text.
    let end = from;
    for (; ; end++) {
      const byte = bytes[offset + end]!;
      if (byte >= SP && byte < DEL) continue;
      if (byte > DEL) isAscii = false;
      else if (byte === CR) break;
      else if (byte !== HT) return BAD_VALUE;
    }
    if (bytes[offset + end + 1] !== LF) return BARE;
    if (++count > limits.fields || end - start > limits.fieldSize) return BEYOND_LIMIT;
    start = end + 2;
    while (end > from && isBlank(bytes[offset + end - 1]!)) end--;
    const value = text.substring(from, end);
    if (name.hasUnderscore) {
      if (limits.underscores === "refuse") return UNDERSCORE;
      continue;
    }
    switch (name.kind) {
      case "other":
        break;
      case "host":
        if (host !== null) return badRequest("MAITRED_DOUBLE_HOST", "there is more than one Host field");
        if (!isHost(value)) return badRequest("MAITRED_BAD_HOST", "the Host field is not a host with an optional port");
        host = value;
        break;
      case "content-length":
        // Also when the two agree: RFC 9112 section 6.3 allows to refuse, llhttp does, and a list is where smuggling begins.
        if (contentLength !== -1)
          return badRequest("MAITRED_DOUBLE_CONTENT_LENGTH", "there is more than one Content-Length field");
        contentLength = DIGITS.test(value) ? Number(value) : -1;
        if (contentLength < 0 || contentLength > Number.MAX_SAFE_INTEGER) {
          return badRequest("MAITRED_BAD_CONTENT_LENGTH", "the Content-Length is not one decimal number below 2^53");
        }
        break;
      case "transfer-encoding":
        // Legal white space, but parsers disagree about it (llhttp refuses one behind the value): a classic way to hide the field.
        if (text.substring(colon, start).includes("\t"))
          return badRequest("MAITRED_BAD_TRANSFER_ENCODING", "there is a tab in Transfer-Encoding");
        coding = coding === null ? value : `${coding},${value}`;
        break;
      case "connection":
        connection = connection === null ? value : `${connection},${value}`;
        break;
      case "expect":
        expect = expect === null ? value : `${expect},${value}`;
        break;
      case "upgrade":
        hasUpgrade = true;
        break;
      default:
        break;
    }
    // A name's identity is its lower-case form (RFC 9110 section 5.1).
    const identity = name.raw === name.lower ? name : headerName(name.lower)!;
    if (identity.index === -1) {
      strangers ??= new Set();
      if (strangers.has(identity.lower)) hasDuplicates = true;
      strangers.add(identity.lower);
    } else if (identity.mark === mark) hasDuplicates = true;
    else identity.mark = mark;
    names.push(name);
    values.push(value);
  }

  // RFC 9112 section 3.2: also where the target has an authority of its own.
  if (host === null && minor === 1) return badRequest("MAITRED_MISSING_HOST", "an HTTP/1.1 request has no Host field");
  if (authority !== null) replaceHost(names, values, authority);

  let framing: BodyFraming = contentLength > 0 ? "length" : "none";
  if (coding !== null) {
    const error = codingError(coding, minor, contentLength !== -1);
    if (error !== null) return error;
    framing = "chunked";
  }

  const persists = connection === null ? minor === 1 : persistence(connection, minor);
  // RFC 9110 section 10.1.1: an expectation in HTTP/1.0 is ignored, and without a body there is nothing to wait for.
  if (expect !== null && minor === 1 && expect.toLowerCase() !== "100-continue") {
    return new ProtocolError(
      417,
      "MAITRED_UNKNOWN_EXPECTATION",
      "the Expect field asks for something other than 100-continue",
    );
  }
  return {
    headers:
      names.length === 0 ? NO_HEADERS : new HeaderBlock(names, values, isAscii, hasDuplicates, false, hasUpgrade),
    framing,
    contentLength: framing === "length" ? contentLength : 0,
    keepAlive: persists,
    expectsContinue: expect !== null && minor === 1 && framing !== "none",
  };
}

/**
 * Checks a trailer section (RFC 9112 section 7.1.2), which nobody reads: null where it is valid. Fields that would have changed framing or
 * routing are refused, as merging them would be wrong and dropping them hides an attempt (RFC 9110 section 6.5.1).
 */
export function trailerError(text: string, limits: HeadLimits): ProtocolError | null {
  if (NO_VALUE.test(text)) return BAD_VALUE;
  if (BARE_CR_OR_LF.test(text)) return BARE;
  for (let start = 0; start < text.length;) {
    const colon = text.indexOf(":", start);
    const name = colon === -1 ? undefined : headerName(text.substring(start, colon));
    if (name === undefined) return badName(text, start);
    if (name.hasUnderscore && limits.underscores === "refuse") return UNDERSCORE;
    if (name.kind === "content-length" || name.kind === "transfer-encoding" || name.kind === "host") {
      return badRequest("MAITRED_FORBIDDEN_TRAILER", `the trailer section has the field ${name.lower}`);
    }
    start = text.indexOf("\r\n", colon) + 2;
  }
  return null;
}

function isBlank(code: number): boolean {
  return code === SP || code === HT;
}

/** RFC 9112 section 6.1: chunked is the only coding we know, and nothing may follow or accompany it. */
function codingError(value: string, minor: 0 | 1, hasLength: boolean): ProtocolError | null {
  if (minor === 0) return badRequest("MAITRED_CODING_IN_HTTP_1_0", "an HTTP/1.0 request has a Transfer-Encoding field");
  if (hasLength)
    return badRequest("MAITRED_LENGTH_AND_CODING", "the request has both Content-Length and Transfer-Encoding");
  const lower = value.toLowerCase();
  if (lower === "chunked") return null;
  const codings = lower.split(",").map((part) => part.replace(BLANKS_AROUND, ""));
  const last = codings.length - 1;
  for (let i = 0; i <= last; i++) {
    const coding = codings[i]!;
    const isMisplaced = coding === "chunked" && (i < last || codings.indexOf("chunked") < i);
    if (isMisplaced || !/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(coding)) {
      return badRequest("MAITRED_BAD_TRANSFER_ENCODING", "the Transfer-Encoding is not exactly chunked");
    }
  }
  return new ProtocolError(
    501,
    "MAITRED_UNKNOWN_TRANSFER_CODING",
    "the Transfer-Encoding names a coding other than chunked",
  );
}

/** RFC 9112 section 9.3. */
function persistence(connection: string, minor: 0 | 1): boolean {
  const lower = connection.toLowerCase();
  if (lower === "keep-alive") return true;
  if (lower === "close") return false;
  const options = lower.split(",").map((part) => part.trim());
  if (options.includes("close")) return false;
  return minor === 1 || options.includes("keep-alive");
}

/** Puts the authority where Host stood, or in front where there was none (HTTP/1.0). */
function replaceHost(names: HeaderName[], values: string[], authority: string): void {
  const at = names.findIndex((name) => name.kind === "host");
  if (at !== -1) values[at] = authority;
  else {
    names.unshift(headerName("Host")!);
    values.unshift(authority);
  }
}

/** Why the line at `start` has no valid name. Every line of the text ends in CRLF. */
function badName(text: string, start: number): ProtocolError {
  const line = text.substring(start, text.indexOf("\r\n", start));
  const colon = line.indexOf(":");
  if (isBlank(line.charCodeAt(0))) return FOLDED;
  if (colon === -1) return badRequest("MAITRED_MISSING_COLON", "a field line has no colon");
  if (colon === 0) return badRequest("MAITRED_EMPTY_FIELD_NAME", "a field line has no name");
  // RFC 9112 section 5.1: white space between name and colon must be refused.
  if (isBlank(line.charCodeAt(colon - 1)))
    return badRequest("MAITRED_SPACE_BEFORE_COLON", "there is white space before a field's colon");
  return badRequest("MAITRED_BAD_FIELD_NAME", "a field name is not a token");
}

/** Stands in until the line scanner has said which limit it was. */
export const BEYOND_LIMIT: ProtocolError = new ProtocolError(
  431,
  "MAITRED_HEAD_TOO_LARGE",
  "the head is larger than a limit",
);
/** RFC 9112 sections 2.2 and 5.2. */
const FOLDED = badRequest("MAITRED_FOLDED_FIELD", "a field line begins with white space");
const BAD_VALUE = badRequest("MAITRED_CONTROL_CHARACTER", "a field line has a control character");
const BARE = badRequest("MAITRED_BARE_CR_OR_LF", "a CR or LF stands alone in a field line");
const UNDERSCORE = badRequest("MAITRED_UNDERSCORE_IN_NAME", "a field name has an underscore");
