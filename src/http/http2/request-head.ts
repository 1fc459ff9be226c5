/**
 * The header section of an HTTP/2 request (RFC 9113 section 8.3), as decoded by HPACK, into a RequestHead: as strict as the HTTP/1.1 codec, so that
 * nothing that would be refused there comes in by this door and is taken for something else behind it ("downgrade smuggling", section 10.3).
 * Pure: the flat list of names and values in, a value out.
 *
 * The session's own library refuses much of this before; nothing here relies on it.
 */
import { HeaderBlock } from "../header-block.ts";
import { headerName, type HeaderName } from "../header-names.ts";
import { effectiveLimits, type HeadLimits } from "../http1/head-limits.ts";
import { badRequest, ProtocolError } from "../http1/protocol-error.ts";
import { isHost, requestTarget } from "../http1/request-line.ts";
import type { BodyFraming, RequestHead } from "../request-head.ts";

const BAD_VALUE = /[^\t -~\x80-\xff]|^[\t ]|[\t ]$/;
const BEYOND_ASCII = /[\x80-\xff]/;
const DIGITS = /^[0-9]+$/;

const COLON = 0x3a;
const SLASH = 0x2f;
/** What an HTTP/1.1 request line has beside method and target. */
const LINE_OVERHEAD = " ".length + " HTTP/1.1".length;
/** Colon and space of an HTTP/1.1 field line. */
const FIELD_OVERHEAD = 2;

const HOST = headerName("host")!;

/** Everything derived from the fields that are not pseudo-header fields; shared by the requests that repeat them. */
interface Section {
  readonly headers: HeaderBlock;
  /** -1 where there is none. */
  readonly contentLength: number;
  readonly expectsContinue: boolean;
}

/** Reads the heads of one connection. Clients repeat themselves, and equal fields give the same HeaderBlock, and with it what the wire has made of it. */
export class Http2HeadReader {
  readonly #limits: HeadLimits;
  #flat: readonly string[] = [];
  #from = 0;
  #authority: string | null = null;
  #section: Section | null = null;
  #head: RequestHead | null = null;
  #headHasEnded = false;
  /** `:protocol` of the head read last (RFC 8441 section 4), null where it has none. */
  protocol: string | null = null;

  constructor(limits: HeadLimits) {
    this.#limits = effectiveLimits(limits);
  }

  /**
   * @param flat name, value, name, value ... in the order received.
   * @param hasEnded no body follows (END_STREAM).
   */
  read(flat: readonly string[], hasEnded: boolean): RequestHead | ProtocolError {
    // The very same list means the very same head; the HPACK decoder sees to it that this happens.
    if (this.#head !== null && flat === this.#flat && hasEnded === this.#headHasEnded) {
      this.protocol = null;
      return this.#head;
    }
    let method: string | null = null;
    let scheme: string | null = null;
    let authority: string | null = null;
    let path: string | null = null;
    let protocol: string | null = null;
    let from = 0;
    for (; from < flat.length && flat[from]!.charCodeAt(0) === COLON; from += 2) {
      const value = flat[from + 1]!;
      switch (flat[from]) {
        case ":method":
          if (method !== null) return DOUBLE_PSEUDO;
          method = value;
          break;
        case ":scheme":
          if (scheme !== null) return DOUBLE_PSEUDO;
          scheme = value;
          break;
        case ":authority":
          if (authority !== null) return DOUBLE_PSEUDO;
          authority = value;
          break;
        case ":path":
          if (path !== null) return DOUBLE_PSEUDO;
          path = value;
          break;
        case ":protocol":
          if (protocol !== null) return DOUBLE_PSEUDO;
          protocol = value;
          break;
        default:
          return badRequest("MAITRED_UNKNOWN_PSEUDO_FIELD", "a pseudo-header field is not one of a request");
      }
    }
    this.protocol = protocol;
    if (method === null) return badRequest("MAITRED_MISSING_PSEUDO_FIELD", "the request has no :method");
    // A tunnel to elsewhere; it has neither :scheme nor :path (RFC 9113 section 8.5).
    if (method === "CONNECT" && protocol === null) return CONNECT;
    if (protocol !== null && method !== "CONNECT")
      return badRequest("MAITRED_PROTOCOL_WITHOUT_CONNECT", "only a CONNECT request may have :protocol");
    if (scheme === null || path === null)
      return badRequest("MAITRED_MISSING_PSEUDO_FIELD", `the request has no ${scheme === null ? ":scheme" : ":path"}`);
    if (scheme !== "http" && scheme !== "https")
      return badRequest("MAITRED_BAD_SCHEME", "the :scheme is neither http nor https");
    if (method.length + path.length + LINE_OVERHEAD > this.#limits.requestLine)
      return new ProtocolError(
        414,
        "MAITRED_REQUEST_LINE_TOO_LONG",
        `:method and :path are longer than ${this.#limits.requestLine} bytes (--limit-request-line)`,
      );
    if (path.charCodeAt(0) !== SLASH && path !== "*")
      return badRequest("MAITRED_BAD_TARGET_FORM", "the :path is neither a path nor, with OPTIONS, *");
    // RFC 8441 section 5: an extended CONNECT asks for a resource as GET does.
    const line = requestTarget(method === "CONNECT" ? "GET" : method, path, 1);
    if (line instanceof ProtocolError) return line;

    let section = this.#section;
    if (section === null || authority !== this.#authority || !this.#repeats(flat, from)) {
      const made = this.#readSection(flat, from, authority);
      if (made instanceof ProtocolError) return made;
      section = made;
      this.#section = made;
    }
    this.#flat = flat;
    this.#from = from;
    this.#authority = authority;
    this.#head = null;
    const { contentLength } = section;
    if (hasEnded && contentLength > 0)
      return badRequest("MAITRED_MISSING_BODY", "the Content-Length promises a body that does not follow");
    if (hasEnded && protocol !== null)
      return badRequest("MAITRED_ENDED_TUNNEL", "an extended CONNECT that ends its stream asks for nothing");
    let framing: BodyFraming = "none";
    // What follows an extended CONNECT is no body.
    const isBodiless = hasEnded || (protocol !== null && contentLength === -1);
    if (!isBodiless && contentLength !== 0) framing = contentLength === -1 ? "chunked" : "length";
    this.#headHasEnded = hasEnded;
    const head: RequestHead = {
      method,
      target: line.target,
      path: line.path,
      query: line.query,
      version: "2",
      headers: section.headers,
      framing,
      contentLength: framing === "length" ? contentLength : 0,
      keepAlive: true,
      expectsContinue: section.expectsContinue && framing !== "none",
    };
    if (protocol === null) this.#head = head;
    return head;
  }

  // Private

  #repeats(flat: readonly string[], from: number): boolean {
    const known = this.#flat;
    const offset = this.#from - from;
    if (known.length !== flat.length + offset) return false;
    // From behind: what changes between requests tends to stand there.
    for (let i = flat.length - 1; i >= from; i--) if (flat[i] !== known[i + offset]) return false;
    return true;
  }

  #readSection(flat: readonly string[], from: number, authority: string | null): Section | ProtocolError {
    const limits = this.#limits;
    const names: HeaderName[] = [];
    const values: string[] = [];
    const seen = new Set<string>();
    let host = authority;
    let isAscii = true;
    let hasDuplicates = false;
    let size = 0;
    let contentLength = -1;
    let expect: string | null = null;
    let cookieAt = -1;

    if (authority !== null) {
      if (authority === "" || !isHost(authority))
        return badRequest("MAITRED_BAD_AUTHORITY", "the :authority is not a host with an optional port");
      names.push(HOST);
      values.push(authority);
      seen.add("host");
      size = HOST.raw.length + authority.length + FIELD_OVERHEAD;
      if (size > limits.fieldSize) return tooLarge("a field", limits.fieldSize, "--limit-request-field_size");
    }
    for (let i = from; i < flat.length; i += 2) {
      const raw = flat[i]!;
      const value = flat[i + 1]!;
      if (raw.charCodeAt(0) === COLON)
        return badRequest("MAITRED_MISPLACED_PSEUDO_FIELD", "a pseudo-header field stands behind a field");
      const name = headerName(raw);
      if (name === undefined) return badRequest("MAITRED_BAD_FIELD_NAME", "a field name is not a token");
      if (name.raw !== name.lower)
        return badRequest("MAITRED_UPPER_CASE_NAME", "a field name has an upper-case letter");
      if (!isFieldValue(value))
        return badRequest(
          "MAITRED_CONTROL_CHARACTER",
          "a field value has a control character or white space around it",
        );
      const length = raw.length + value.length + FIELD_OVERHEAD;
      size += length;
      if (length > limits.fieldSize) return tooLarge("a field", limits.fieldSize, "--limit-request-field_size");
      if (size > limits.headBytes) return tooLarge("the head", limits.headBytes, "");
      if (name.hasUnderscore) {
        if (limits.underscores === "refuse")
          return badRequest("MAITRED_UNDERSCORE_IN_NAME", "a field name has an underscore");
        continue;
      }
      switch (name.kind) {
        case "host":
          // RFC 9113 section 8.3.1: a Host that names another entity than :authority makes the request malformed.
          if (host !== null && host.toLowerCase() !== value.toLowerCase())
            return badRequest("MAITRED_TWO_HOSTS", "the Host field contradicts :authority");
          if (value === "" || !isHost(value))
            return badRequest("MAITRED_BAD_HOST", "the Host field is not a host with an optional port");
          if (host !== null) continue;
          host = value;
          break;
        case "content-length":
          if (contentLength !== -1)
            return badRequest("MAITRED_DOUBLE_CONTENT_LENGTH", "there is more than one Content-Length field");
          contentLength = DIGITS.test(value) ? Number(value) : -1;
          if (contentLength < 0 || contentLength > Number.MAX_SAFE_INTEGER)
            return badRequest("MAITRED_BAD_CONTENT_LENGTH", "the Content-Length is not one decimal number below 2^53");
          break;
        case "connection":
        case "keep-alive":
        case "proxy-connection":
        case "transfer-encoding":
        case "upgrade":
          // RFC 9113 section 8.2.2. Passed on they would steer the next hop's connection, or end a body where this one did not.
          return badRequest("MAITRED_CONNECTION_FIELD", `the field ${name.lower} has no place in HTTP/2`);
        case "te":
          if (value.toLowerCase() !== "trailers")
            return badRequest("MAITRED_CONNECTION_FIELD", "the field te says something other than trailers");
          break;
        case "expect":
          expect = expect === null ? value : `${expect},${value}`;
          break;
        case "cookie":
          // RFC 9113 section 8.2.3: crumbs, split for compression, are one field again for whoever knows no HTTP/2.
          if (cookieAt !== -1) {
            const whole = `${values[cookieAt]!}; ${value}`;
            if (name.raw.length + whole.length + FIELD_OVERHEAD > limits.fieldSize)
              return tooLarge("a field", limits.fieldSize, "--limit-request-field_size");
            if (isAscii && BEYOND_ASCII.test(value)) isAscii = false;
            values[cookieAt] = whole;
            continue;
          }
          cookieAt = values.length;
          break;
        default:
          break;
      }
      if (seen.has(name.lower)) hasDuplicates = true;
      else seen.add(name.lower);
      if (isAscii && BEYOND_ASCII.test(value)) isAscii = false;
      names.push(name);
      values.push(value);
      if (names.length > limits.fields)
        return tooLarge("the number of fields", limits.fields, "--limit-request-fields");
    }
    if (host === null) return badRequest("MAITRED_MISSING_HOST", "the request has neither :authority nor a Host field");
    if (expect !== null && expect.toLowerCase() !== "100-continue")
      return new ProtocolError(
        417,
        "MAITRED_UNKNOWN_EXPECTATION",
        "the Expect field asks for something other than 100-continue",
      );
    return {
      headers: new HeaderBlock(names, values, isAscii, hasDuplicates, false),
      contentLength,
      expectsContinue: expect !== null,
    };
  }
}

function tooLarge(what: string, limit: number, flag: string): ProtocolError {
  return new ProtocolError(
    431,
    "MAITRED_HEAD_TOO_LARGE",
    `${what} is beyond the limit of ${limit}${flag === "" ? "" : ` (${flag})`}`,
  );
}

const DOUBLE_PSEUDO = badRequest("MAITRED_DOUBLE_PSEUDO_FIELD", "a pseudo-header field stands twice");
const CONNECT = new ProtocolError(501, "MAITRED_CONNECT", "CONNECT is not supported: maitred is no tunnel");

/** RFC 9110 section 5.5, and RFC 9113 section 8.2.1: white space around a value is malformed here, not ignored. */
export function isFieldValue(value: string): boolean {
  return !BAD_VALUE.test(value);
}
