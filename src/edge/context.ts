/** What every client connection needs from the house; one object, shared by all of them. */
import type { Clock } from "../clock.ts";
import type { ForwardingPolicy } from "../http/client-identity.ts";
import type { Refusal } from "../http/error-response.ts";
import type { Exchange, FilePart } from "../http/exchange.ts";
import type { HeadLimits } from "../http/http1/request-parser.ts";
import type { BodyLimits, BodyRule } from "./body-limits.ts";
import type { WebSocketSettings } from "./web-socket-connection.ts";
import type { ProxyProtocolPolicy } from "../http/proxy-header.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { Loan } from "../streams/byte-stream.ts";

/** What a client may do on an HTTP/2 connection. */
export interface Http2Settings {
  /** Also without TLS, to clients that begin with the preface. */
  readonly cleartext: boolean;
  /** SETTINGS_MAX_CONCURRENT_STREAMS. */
  readonly maxConcurrentStreams: number;
  /** SETTINGS_INITIAL_WINDOW_SIZE: bytes of a request's body that may come before the app takes any. */
  readonly initialWindowSize: number;
  /** SETTINGS_MAX_FRAME_SIZE. */
  readonly maxFrameSize: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE: bytes of a head after decompression, as RFC 9113 section 6.5.2 counts them. */
  readonly maxHeaderListSize: number;
}

/** Sends parts of files with sendfile(2): implemented by the spool. */
export interface SocketBorrower {
  /** Whether it can be asked now; makes itself ready for the next one where it cannot. */
  prepare(): boolean;
  lend(handle: object, part: FilePart, returned: (bytes: number) => void): Loan;
}

export interface EdgeContext {
  readonly clock: Clock;
  readonly limits: HeadLimits;
  readonly keepAliveMs: number;
  /** A request's head must be complete this long after its first byte (--header-timeout); 0 = no limit. */
  readonly headTimeoutMs: number;
  /** A client must take something of what was written to it within this time (--write-timeout); 0 = no limit. */
  readonly writeTimeoutMs: number;
  /** --limit-requests-per-connection; 0 = no limit. */
  readonly connectionRequests: number;
  readonly bodies: BodyLimits;
  /** null: HTTP/1.1 only. */
  readonly http2: Http2Settings | null;
  /** null: none; a handshake is an ordinary request. */
  readonly webSocket: WebSocketSettings | null;
  /** Somebody behind this door may take WebSockets: an app that speaks ASGI, or another server. */
  hasAsgi(): boolean;
  /** Value of the Server field, empty for none. */
  readonly server: string;
  /** Value of Strict-Transport-Security on https responses, empty for none. */
  readonly hsts: string;
  /** Value of the Date field now, empty for none. */
  date: string;
  /** Whose word counts about the client that a request comes from; null: nobody's, and the fields that tell reach the app as they are. */
  readonly forwarding: ForwardingPolicy | null;
  /** Connections begin with a PROXY protocol header; null where they do not. */
  readonly proxyProtocol: ProxyProtocolPolicy | null;
  /** Whom a client's socket may be lent to for the length of a file; null: nobody. */
  readonly sendfile: SocketBorrower | null;
  /** No new requests on the connections that are open: they end with `Connection: close`. */
  isDraining: boolean;
  /** What holds for the body of this request; null: `bodies` for all. */
  bodyRule: ((exchange: Exchange) => BodyRule) | null;
  /** The site's own page for what is refused at the door; null where it has none, `refusalPage` is null where no site has any. */
  refusalPage: ((head: RequestHead, status: number) => Refusal | null) | null;
  /** Who answers it wants its body as it arrives (ASGI), or not at all; else it is complete first, in memory or in a file. */
  streamsBodies(exchange: Exchange): boolean;
  /** An ASGI app answers it, or another server: that takes WebSockets, and hears at once of a client that has no more to say. */
  speaksAsgi(exchange: Exchange): boolean;
  /** A request is ready for its route. */
  submit(exchange: Exchange): void;
  /** A response has been handed to the client's socket, or the client left; null where nobody listens (no access log). */
  onDone: ((exchange: Exchange) => void) | null;
  /** A request that could not be read, for the log. */
  onRejected(peerAddress: string, status: number, detail: string): void;
  /** A connection that was cut off by a limit, for the log. */
  onCutOff(peerAddress: string, detail: string): void;
  /** A limit on connections strikes; told now and then. */
  onTroubleAtDoor(message: string): void;
  /** A peer that is not trusted sent fields that tell who the client is. They were removed. */
  onUntrusted(peerAddress: string, head: RequestHead): void;
  /** An app's response that did not keep its own promises, for the log. */
  onBadLength(exchange: Exchange, promised: number, sent: number): void;
}
