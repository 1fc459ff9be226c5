/**
 * A request passed on as another one, so that a stage can see, change, keep or throw away the response.
 *
 *     client ◀──▶ outer exchange ◀── sink of the stage ──▶ inner exchange ◀──▶ next handler
 *
 * Both are whole exchanges with a state each: the dispatcher queues the inner one, the edge knows only the outer one. A client that leaves makes the
 * outer one `done`, and that ends the inner one, unless the stage wants its response nevertheless (`outer.onGone`).
 */
import { answerError } from "./error-response.ts";
import { Exchange, type FilePart, type ResponseSink } from "./exchange.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseFields } from "./response-fields.ts";

/**
 * The exchange that the next handler gets in place of `outer`, with its body, its peer and, unless `head` is given, its head. Not for one that
 * offers a WebSocket: that is passed on as it is.
 */
export function passOn(outer: Exchange, sink: ResponseSink, head: RequestHead = outer.head): Exchange {
  const inner = new Exchange(head, outer.peer, sink, outer.receivedAt);
  inner.body = outer.body;
  inner.stream = outer.stream;
  inner.bodyFile = outer.bodyFile;
  inner.bodyFileBytes = outer.bodyFileBytes;
  inner.timeoutMs = outer.timeoutMs;
  inner.user = outer.user;
  inner.requestId = outer.requestId;
  // The body's file is wanted for as long as a worker has the inner one.
  inner.whenSettled = outer.whenSettled;
  outer.whenSettled = null;
  // One that a stage has kept waiting did not arrive just now: its time at work does not begin with its head.
  if (outer.state !== "waiting") inner.state = "queued";
  outer.state = "given";
  outer.inner = inner;
  outer.onGone = () => {
    if (outer.state === "done") inner.leave();
    else inner.halfClose();
  };
  return inner;
}

/** The sink of an inner exchange that changes nothing: what a stage does not override goes on to the client as it comes. */
export class PassingSink implements ResponseSink {
  readonly outer: Exchange;

  constructor(outer: Exchange) {
    this.outer = outer;
  }

  complete(inner: Exchange, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void {
    this.adopt(inner);
    this.outer.complete(status, reason, this.shown(status, fields), body);
  }

  start(inner: Exchange, status: number, reason: string, fields: ResponseFields): void {
    this.adopt(inner);
    this.outer.onSent = (bytes) => inner.onSent?.(bytes);
    this.outer.start(status, reason, this.shown(status, fields));
  }

  inform(_inner: Exchange, status: number, fields: ResponseFields): void {
    this.outer.inform(status, fields);
  }

  write(inner: Exchange, chunk: Buffer): void {
    inner.sentBytes += chunk.length;
    this.outer.write(chunk);
  }

  sendFile(inner: Exchange, part: FilePart, returned: (sent: number) => void): boolean {
    return this.outer.sendFile(part, (sent) => {
      inner.sentBytes += Math.max(0, sent);
      returned(sent);
    });
  }

  end(_inner: Exchange, trailers: ResponseFields | null): void {
    this.outer.end(trailers);
  }

  /** The inner response has begun and cannot be completed: neither can the outer one, unless the client has seen nothing of it. */
  cut(_inner: Exchange): void {
    answerError(this.outer, 502);
  }

  /** The fields as the client is to see them; for stages that look at them, or change them, and leave the body alone. Called once. */
  protected shown(_status: number, fields: ResponseFields): ResponseFields {
    return fields;
  }

  /** Who served it, for the access log. */
  protected adopt(inner: Exchange): void {
    this.outer.workerPid = inner.workerPid;
    this.outer.isOwnError = inner.isOwnError;
    this.outer.queuedAt = inner.queuedAt;
    this.outer.givenAt = inner.givenAt;
    // A stage further in has asked who it is.
    if (this.outer.user === null) this.outer.user = inner.user;
  }
}
