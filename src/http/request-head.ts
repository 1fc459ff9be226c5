/** What the codec of any HTTP version gives for a request: validated, unambiguous, body framing decided. */
import type { HeaderBlock } from "./header-block.ts";

/** How the request's body is delimited on its connection (RFC 9112 section 6.3). In HTTP/2 "chunked" means: a body follows, its length is not told. */
export type BodyFraming = "none" | "length" | "chunked";

/** The version the client spoke, as ASGI's `http_version` spells it. */
export type HttpVersion = "1.0" | "1.1" | "2";

/** The version as CGI and access logs spell it (RFC 3875 section 4.1.16: digit.digit). */
export const PROTOCOL: Readonly<Record<HttpVersion, string>> = {
  "1.0": "HTTP/1.0",
  "1.1": "HTTP/1.1",
  "2": "HTTP/2.0",
};

export interface RequestHead {
  /** Upper-case token. */
  readonly method: string;
  /** The request-target as received (for the log and `RAW_URI`). */
  readonly target: string;
  /** Percent-encoded absolute path, or `*` for the asterisk-form; without query. From the absolute-form, scheme and authority are removed. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  readonly version: HttpVersion;
  readonly headers: HeaderBlock;
  readonly framing: BodyFraming;
  /** Bytes of the body where `framing` is `length`, else 0. */
  readonly contentLength: number;
  /** The client allows another request on this connection (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
  /** The client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** Asked by a stage on its own behalf: nobody outside sees the answer. */
  readonly isSubrequest?: true;
}
