/** What the codec of any HTTP version gives for a request: validated, unambiguous, body framing decided. */
import type { HeaderBlock } from "./header-block.ts";

/** How the request's body is delimited on its connection (RFC 9112 section 6.3). */
export type BodyFraming = "none" | "length" | "chunked";

export interface RequestHead {
  /** Upper-case token. */
  readonly method: string;
  /** The request-target as received (for the log and `RAW_URI`). */
  readonly target: string;
  /** Percent-encoded absolute path, or `*` for the asterisk-form; without query. From the absolute-form, scheme and authority are removed. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  /** Minor version of HTTP/1. */
  readonly minor: 0 | 1;
  readonly headers: HeaderBlock;
  readonly framing: BodyFraming;
  /** Bytes of the body where `framing` is `length`, else 0. */
  readonly contentLength: number;
  /** The client allows another request on this connection (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
  /** The client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
}
