/** The request line (RFC 9112 section 3): method, target in one of its four forms, version. Pure: a string in, a value out. */
import { ProtocolError, badRequest } from "./protocol-error.ts";

export interface RequestLine {
  readonly method: string;
  /** As received. */
  readonly target: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly minor: 0 | 1;
  /** Authority of the absolute-form, which replaces Host (RFC 9112 section 3.2.2); null in the other forms. */
  readonly authority: string | null;
}

/**
 * The IANA HTTP Method Registry, and what llhttp knows beyond it (PURGE, M-SEARCH and the UPnP and Icecast ones). PRI is left out: it is
 * reserved for the HTTP/2 preface, never a method. CONNECT is known, and refused with its own code.
 */
const METHODS: ReadonlySet<string> = new Set(
  (
    "ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL " +
    "MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH TRACE UNBIND " +
    "UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL PURGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE SOURCE"
  ).split(" "),
);

/** A token without lower-case letters: methods are case-sensitive (RFC 9110 section 9.1), and none has ever been registered in lower case. */
const METHOD_SHAPE = /^[!#$%&'*+\-.^_`|~0-9A-Z]+$/;

const VERSION_SHAPE = /^HTTP\/[0-9]\.[0-9]$/;

/**
 * What may not stand in a target: control bytes, space, anything beyond ASCII, and `#` (RFC 3986 section 3.5: a fragment is never sent).
 * Wider than the RFC's grammar on purpose: browsers send `|`, `{`, `"` and their kin unencoded, and llhttp lets them pass.
 */
const BAD_TARGET = /[^!-~]|#/;

/**
 * uri-host [ ":" port ] (RFC 9110 section 7.2, RFC 3986 section 3.2.2), not empty. Userinfo has no place here (RFC 9110 section 4.2.4).
 */
const AUTHORITY =
  /^(?:\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[-A-Za-z0-9._~!$&'()*+,;=:]+)\]|(?:[-A-Za-z0-9._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/;

/** The value of a Host field is valid; an empty one is (RFC 9112 section 3.2: a target without authority). */
export function isHost(value: string): boolean {
  return value === "" || AUTHORITY.test(value);
}

/** Reads the request line that `text` begins with; its CRLF is at `end`. Not cut out before, as a cut string is searched more slowly. */
export function parseRequestLine(text: string, end: number): RequestLine | ProtocolError {
  const methodEnd = text.indexOf(" ");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (methodEnd <= 0 || targetEnd <= methodEnd + 1 || targetEnd > end) {
    return badRequest(
      "MAITRED_BAD_REQUEST_LINE",
      "the request line is not method, target and version with one space between each",
    );
  }
  // The version comes first: the preface of HTTP/2 is to be told that it is the wrong version, not that its method is unknown.
  const minor = text.startsWith("HTTP/1.1\r\n", targetEnd + 1) ? 1 : 0;
  if (minor === 0 && !text.startsWith("HTTP/1.0\r\n", targetEnd + 1))
    return versionError(text.substring(targetEnd + 1, end));
  return requestTarget(text.substring(0, methodEnd), text.substring(methodEnd + 1, targetEnd), minor);
}

/** Method and target, however the HTTP version at hand transports them. */
export function requestTarget(method: string, target: string, minor: 0 | 1): RequestLine | ProtocolError {
  if (!METHODS.has(method)) return methodError(method);
  if (BAD_TARGET.test(target)) {
    return badRequest("MAITRED_BAD_TARGET", "the request target has a control character, a non-ASCII character or a #");
  }
  if (method === "CONNECT")
    return new ProtocolError(501, "MAITRED_CONNECT", "CONNECT is not supported: maitred is no tunnel");
  if (target.charCodeAt(0) === 0x2f) return originForm(method, target, target, minor, null);
  if (target === "*" && method === "OPTIONS") return { method, target, path: "*", query: "", minor, authority: null };
  return absoluteForm(method, target, minor);
}

function originForm(
  method: string,
  target: string,
  pathAndQuery: string,
  minor: 0 | 1,
  authority: string | null,
): RequestLine {
  const mark = pathAndQuery.indexOf("?");
  if (mark === -1) return { method, target, path: pathAndQuery, query: "", minor, authority };
  return {
    method,
    target,
    path: pathAndQuery.substring(0, mark),
    query: pathAndQuery.substring(mark + 1),
    minor,
    authority,
  };
}

/** RFC 9112 section 3.2.2. */
function absoluteForm(method: string, target: string, minor: 0 | 1): RequestLine | ProtocolError {
  const start = /^https?:\/\//i.exec(target)?.[0].length;
  if (start === undefined) {
    return badRequest(
      "MAITRED_BAD_TARGET_FORM",
      "the request target is neither a path nor an http or https URI, nor * with OPTIONS",
    );
  }
  const length = target.substring(start).search(/[/?]/);
  const end = length === -1 ? target.length : start + length;
  const authority = target.substring(start, end);
  if (!AUTHORITY.test(authority))
    return badRequest("MAITRED_BAD_AUTHORITY", "the authority of the request target is malformed");
  const rest = target.substring(end);
  // RFC 9112 section 3.2.4: OPTIONS for a URI with neither path nor query means the server as a whole.
  if (rest === "" && method === "OPTIONS") return { method, target, path: "*", query: "", minor, authority };
  // RFC 9110 section 4.2.3: an empty path is the path "/".
  return originForm(method, target, rest.charCodeAt(0) === 0x2f ? rest : "/" + rest, minor, authority);
}

function versionError(version: string): ProtocolError {
  if (VERSION_SHAPE.test(version))
    return new ProtocolError(505, "MAITRED_UNSUPPORTED_VERSION", "only HTTP/1.0 and HTTP/1.1 are spoken here");
  return badRequest("MAITRED_BAD_VERSION", "the request line does not end in one HTTP version");
}

function methodError(method: string): ProtocolError {
  if (METHOD_SHAPE.test(method))
    return new ProtocolError(501, "MAITRED_UNKNOWN_METHOD", "the request method is unknown");
  return badRequest("MAITRED_BAD_METHOD", "the request method is not an upper-case token");
}
