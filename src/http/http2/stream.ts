/**
 * One stream of a session (RFC 9113 section 5.1) as the session knows it: how far each side is, both windows, and what waits to be sent.
 *
 *     open ──END_STREAM received──▶ half closed (remote) ──END_STREAM sent──▶ closed
 *       └──────────────── RST_STREAM, sent or received ─────────────────────▶ closed
 *
 * A closed stream is in no table any more. Where our END_STREAM goes first, RST_STREAM with NO_ERROR follows: nobody wants the rest. A tunnel waits for the
 * client's instead.
 */

/** Who hears of it. */
export interface StreamHandler {
  onData(chunk: Buffer): void;
  /** The request is complete. */
  onEnd(): void;
  /** The stream is over before the response was complete: taken back by the client, or malformed. Nothing can be sent any more. */
  onReset(code: number): void;
  /** So many bytes of the response have gone out towards the client. */
  onTaken(bytes: number): void;
}

export class Http2StreamState {
  readonly id: number;
  handler: StreamHandler | null = null;
  isRemoteEnded: boolean;
  isLocalEnded = false;
  isClosed = false;
  /** It carries bytes both ways (RFC 9113 section 8.5): each side ends on its own. */
  isTunnel = false;
  /** Body bytes that Content-Length promises, -1 where it says nothing. */
  promised = -1;
  received = 0;

  /** Bytes that the client allows us. */
  sendWindow: number;
  /** Bytes that we allow the client, and what of it the app has taken and was not told yet. */
  receiveWindow: number;
  uncredited = 0;

  /** What waits for a window, or for the socket. */
  queue: Buffer[] = [];
  /** Sent of the queue's first piece. */
  offset = 0;
  queuedBytes = 0;
  /** Bytes sent, by which a client that takes nothing is known. */
  sent = 0;
  /** The response ends with the queue, with these trailers where there are any. */
  endsWithQueue = false;
  trailers: readonly string[] | null = null;
  /** In the session's line of those that can send. */
  isInLine = false;

  constructor(id: number, isRemoteEnded: boolean, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.isRemoteEnded = isRemoteEnded;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }
}
