/**
 * Writes the responses of one HTTP/1.1 connection, one at a time: heads, framing, bodies, trailers. What the framing promises is kept: more
 * than the promised length is dropped, less is told by `end`.
 */
import type { Exchange, FilePart } from "../http/exchange.ts";
import { chunkHeader, CHUNK_END, lastChunk } from "../http/http1/chunk.ts";
import { glimpseOfText, UNREADABLE } from "../http/glimpse.ts";
import {
  carriesBody,
  completeHead,
  informationalHead,
  reasonPhrase,
  type ResponseHeadOptions,
  streamedHead,
} from "../http/http1/response-head.ts";
import { type Kept, PromisedLength } from "../http/promised-length.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { LARGE_BYTES, pieceBuffers } from "../spool/piece-buffers.ts";
import type { ByteStream } from "../streams/byte-stream.ts";
import type { EdgeContext } from "./context.ts";
import { dressedRefusal } from "./refusal.ts";

/** A buffer of one's own is cheap to have up to this size. */
const LEAST_POOLED_BYTES = 32_768;
const UNPROMISED = new PromisedLength(-1, true);
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

export class Http1ResponseWriter {
  readonly #stream: ByteStream;
  readonly #context: EdgeContext;
  readonly #isSecure: boolean;
  #isChunked = false;
  /** Buffers of the pool that are on their way; -1 once the connection is closed. */
  #pooled = 0;
  /** Of the response that is being streamed. */
  #length: PromisedLength = UNPROMISED;

  constructor(stream: ByteStream, context: EdgeContext, isSecure: boolean) {
    this.#stream = stream;
    this.#context = context;
    this.#isSecure = isSecure;
  }

  /** Bytes that the app promised and did not give, or gave beyond its promise; for the log, after `end`. */
  get difference(): number {
    return this.#length.difference;
  }

  /** A whole response. `body.length` is what Content-Length will say. */
  complete(
    exchange: Exchange,
    status: number,
    reason: string,
    fields: ResponseFields,
    body: string | Buffer,
    keepAlive: boolean,
  ): void {
    const options = this.#headOptions(exchange.head, keepAlive);
    const text = completeHead(status, reason, fields, body.length, options);
    if (!carriesBody(status, options.method)) {
      this.#stream.writeText(text);
      return;
    }
    exchange.sentBytes = body.length;
    if (typeof body === "string") this.#stream.writeText(text + body);
    else {
      this.#stream.cork();
      this.#stream.writeText(text);
      this.#stream.writeBytes(body, null);
      this.#stream.uncork();
    }
  }

  /** The client may send the body that it has announced. */
  continueBody(): void {
    this.#stream.writeText(CONTINUE);
  }

  /** The whole answer to a request that was not taken, or could not be read: then `begun` is what came of it. Returns the length of its body. */
  refuse(status: number, head: RequestHead, begun: string): number {
    const known = head === UNREADABLE ? glimpseOfText(begun) : head;
    const { fields, body } = dressedRefusal(known, status, this.#context);
    const options = this.#headOptions(known, false);
    const text = completeHead(status, reasonPhrase(status), fields, body.length, { ...options, minor: 1 });
    this.#stream.writeText(text);
    if (known.method === "HEAD") return 0;
    if (typeof body === "string") this.#stream.writeText(body);
    else this.#stream.writeBytes(body, null);
    return body.length;
  }

  /** An informational response; the final one follows. */
  inform(status: number, fields: ResponseFields): void {
    this.#stream.writeText(informationalHead(status, fields));
  }

  /** The head of a streamed response. Returns true where the connection must close to end it. */
  start(head: RequestHead, status: number, reason: string, fields: ResponseFields, keepAlive: boolean): boolean {
    const options = this.#headOptions(head, keepAlive);
    const { text, chunked, close } = streamedHead(status, reason, fields, options);
    this.#isChunked = chunked;
    this.#length = new PromisedLength(fields.contentLength, carriesBody(status, options.method));
    // Head and first piece come in one read from the worker: let them leave in one write.
    this.#stream.cork();
    process.nextTick(() => this.#stream.uncork());
    this.#stream.writeText(text);
    return close;
  }

  /** A piece of a streamed response. */
  write(exchange: Exchange, chunk: Buffer): void {
    this.#write(exchange, chunk, () => exchange.onSent?.(chunk.length));
  }

  /** As `write`, of bytes that are only valid during the call. */
  writeLent(exchange: Exchange, lent: Buffer): void {
    const suits = lent.length >= LEAST_POOLED_BYTES && lent.length <= LARGE_BYTES && this.#pooled >= 0;
    const buffer = suits ? pieceBuffers.take() : null;
    if (buffer === null) return this.write(exchange, Buffer.from(lent));
    this.#pooled++;
    this.#write(exchange, buffer.subarray(0, lent.copy(buffer)), () => {
      if (this.#pooled < 0) return;
      this.#pooled--;
      pieceBuffers.giveBack(buffer);
      exchange.onSent?.(lent.length);
    });
  }

  /** The connection is closed: what was written may never be told to have left, and is not used again. */
  closed(): void {
    for (; this.#pooled > 0; this.#pooled--) pieceBuffers.letGo();
    this.#pooled = -1;
  }

  /** A part of a file as a piece of a streamed response, as ResponseSink says. */
  sendFile(exchange: Exchange, part: FilePart, returned: (sent: number) => void): boolean {
    if (this.#isSecure) return false;
    const { sendfile } = this.#context;
    if (this.#stream.lend === undefined || this.#length.left < part.length || sendfile?.prepare() !== true)
      return false;
    return this.#stream.lend((handle, isBack) =>
      sendfile.lend(handle, part, (sent) => {
        if (sent > 0) {
          this.#length.count(sent);
          exchange.sentBytes += sent;
        }
        isBack();
        returned(sent);
      }),
    );
  }

  /**
   * The streamed response is complete. Where it is "too little" nothing was written: the connection has to be cut.
   * @param trailers sent where the body is chunked, else dropped.
   */
  end(trailers: ResponseFields | null): Kept {
    const { kept, carriesBody } = this.#length;
    if (kept !== "too little" && this.#isChunked && carriesBody) this.#stream.writeText(lastChunk(trailers));
    return kept;
  }

  // Private

  #write(exchange: Exchange, chunk: Buffer, sent: () => void): void {
    const piece = this.#length.admit(chunk);
    if (piece.length === 0) return sent();
    exchange.sentBytes += piece.length;
    if (!this.#isChunked) {
      this.#stream.writeBytes(piece, sent);
      return;
    }
    this.#stream.cork();
    this.#stream.writeText(chunkHeader(piece.length));
    this.#stream.writeBytes(piece, sent);
    this.#stream.writeText(CHUNK_END);
    this.#stream.uncork();
  }

  #headOptions({ method, version }: RequestHead, keepAlive: boolean): ResponseHeadOptions {
    const { date, server } = this.#context;
    // RFC 6797 section 7.2: never on plain HTTP.
    const hsts = this.#isSecure ? this.#context.hsts : "";
    return { method, minor: version === "1.0" ? 0 : 1, keepAlive, date, server, hsts };
  }
}
