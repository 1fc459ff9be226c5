/**
 * Takes in the body of one request, whatever HTTP version brings it, and submits the request at the right moment: when the body is complete
 * (in memory, or in a file where it is large), or at once, with the body streamed behind it.
 *
 *     push, push … end ─▶ submitted with its body                 a WSGI app: a slow client does not hold a worker
 *     push, pause ─▶ submitted with a RequestBody, push … end     an ASGI app, a client that waits for 100 Continue
 *
 * Bounds: the size of the body, its speed, what is in memory (of one request and of all), what a file may have unwritten, what a streamed body may have
 * untaken; past the last two the source is paused. The source calls `push` and `end` only while the exchange is not over, `skip` for what
 * it throws away, `abandon` when the client left, and `checkProgress` now and then until the body is read.
 */
import type { Exchange } from "../http/exchange.ts";
import { EMPTY_BODY, HIGH_WATER, RequestBody } from "../http/request-body.ts";
import type { SpoolFile } from "../spool/spool-file.ts";
import { type BodyLimits, type BodyRule, GATHERED_BYTES } from "./body-limits.ts";
import type { EdgeContext } from "./context.ts";

/** Bytes not yet in the file at which the source is paused, and below which it goes on. */
const UNWRITTEN_HIGH = 1_048_576;
const UNWRITTEN_LOW = 524_288;

/** What a body comes over: an HTTP/1.1 connection, an HTTP/2 stream. */
export interface BodySource {
  readonly isBodyPaused: boolean;
  /** Stops `push` until `resumeBody`; what is being read may still come. */
  pauseBody(): void;
  resumeBody(): void;
  /** The app asks for a body whose client waits for 100 Continue. Called at most once, and only before the body is complete. */
  continueBody(): void;
  /** The body will not be taken: answers with this status where no answer has begun, ends the request either way. `detail` is for the log. */
  reject(status: number, detail: string): void;
}

export class RequestIntake {
  readonly #exchange: Exchange;
  readonly #context: EdgeContext;
  readonly #limits: BodyLimits;
  readonly #rule: BodyRule;
  readonly #source: BodySource;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #file: SpoolFile | null = null;
  #bytes = 0;
  #isEnded = false;
  #isRefused = false;
  /** 100 Continue has been sent. */
  hasContinued = false;
  /** Of the present period of --body-timeout: time waited for the client, and bytes that came. */
  #waitedMs = 0;
  #cameBytes = 0;
  #checkedAt: number;

  constructor(exchange: Exchange, context: EdgeContext, source: BodySource) {
    this.#exchange = exchange;
    this.#context = context;
    this.#limits = context.bodies;
    this.#rule = context.bodyRule === null ? context.bodies : context.bodyRule(exchange);
    this.#source = source;
    this.#checkedAt = exchange.receivedAt;
  }

  /** The request's head has come. False where its body is refused unread (413). */
  begin(): boolean {
    const { maxBytes } = this.#rule;
    const { contentLength } = this.#exchange.head;
    if (maxBytes === 0 || contentLength <= maxBytes) return true;
    this.#refuse(413, `a body of ${contentLength} bytes is announced (--limit-request-body ${maxBytes})`);
    return false;
  }

  /** A piece of the body. `isShared`: its bytes are only lent for the call. */
  push(piece: Buffer, isShared: boolean): void {
    if (this.#isRefused) return;
    this.#bytes += piece.length;
    this.#cameBytes += piece.length;
    const { maxBytes } = this.#rule;
    if (maxBytes > 0 && this.#bytes > maxBytes)
      return this.#refuse(413, `its body is over ${maxBytes} bytes (--limit-request-body)`);
    if (this.#file === null && this.#exchange.stream === null && this.#mustLeaveMemory(piece.length))
      this.#leaveMemory();
    if (this.#file !== null) return this.#append(this.#file, piece);
    const chunk = isShared ? Buffer.from(piece) : piece;
    const { stream } = this.#exchange;
    if (stream === null) return this.#gather(chunk);
    stream.push(chunk);
    if (stream.size > HIGH_WATER) this.#source.pauseBody();
  }

  /** Bytes of the body that came and were thrown away, since the answer is there already. */
  skip(bytes: number): void {
    this.#cameBytes += bytes;
  }

  /** No more bytes are at hand, and the body is not complete: does the request wait for the rest? */
  pause(): void {
    if (this.#exchange.state === "waiting" && !this.#isRefused && !this.#isBuffered) this.#stream();
  }

  /** The body is complete. */
  end(): void {
    if (this.#isRefused) return;
    const exchange = this.#exchange;
    this.#isEnded = true;
    if (exchange.stream !== null) return exchange.stream.end();
    if (this.#file !== null) {
      this.#file.flush();
      return this.#submitFile(this.#file);
    }
    exchange.body = this.#takeGathered();
    this.#context.submit(exchange);
  }

  /** The client left, or has been refused: nothing of it is wanted any more. */
  abandon(): void {
    this.#forget();
    // Once submitted, the file goes with the exchange.
    if (this.#exchange.bodyFile === null) this.#file?.close();
  }

  /** Ends a body that comes too slowly. Time in which we do not read does not count. */
  checkProgress(now: number): void {
    const waited = now - this.#checkedAt;
    this.#checkedAt = now;
    const { timeoutMs, minRate } = this.#limits;
    if (this.#isEnded || this.#isRefused || timeoutMs === 0 || this.#source.isBodyPaused) return;
    if (this.#exchange.head.expectsContinue && !this.hasContinued && this.#bytes === 0) return;
    this.#waitedMs += waited;
    if (this.#waitedMs < timeoutMs) return;
    const came = this.#cameBytes;
    const wanted = (minRate * this.#waitedMs) / 1000;
    this.#waitedMs = this.#cameBytes = 0;
    const seconds = timeoutMs / 1000;
    if (came === 0) this.#refuse(408, `nothing of its body came for ${seconds} s (--body-timeout)`);
    else if (came < wanted)
      this.#refuse(408, `${came} bytes of its body came in ${seconds} s (--min-body-rate ${minRate} bytes a second)`);
  }

  // Private

  get #isBuffered(): boolean {
    const { buffering } = this.#rule;
    if (this.#exchange.head.expectsContinue || buffering === "off") return false;
    return buffering === "on" || !this.#context.streamsBodies(this.#exchange);
  }

  #refuse(status: number, detail: string): void {
    this.#isRefused = true;
    this.#source.reject(status, detail);
    this.abandon();
  }

  #gather(chunk: Buffer): void {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    this.#limits.gatheredBytes += chunk.length;
  }

  #forget(): void {
    this.#limits.gatheredBytes -= this.#gatheredBytes;
    this.#gatheredBytes = 0;
    this.#gathered = [];
  }

  #takeGathered(): Buffer {
    if (this.#gatheredBytes === 0) return EMPTY_BODY;
    const body = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    this.#forget();
    return body;
  }

  #mustLeaveMemory(more: number): boolean {
    const { memoryBytes, gatheredBytes } = this.#limits;
    return (
      this.#gatheredBytes + more > memoryBytes ||
      this.#exchange.head.contentLength > memoryBytes ||
      gatheredBytes + more > GATHERED_BYTES
    );
  }

  /** It goes on in a file, or, where none can be had, to the app at once. */
  #leaveMemory(): void {
    if (!this.#isBuffered) return;
    const file = this.#limits.spool?.open() ?? null;
    if (file === null) return this.#stream();
    this.#file = file;
    file.onWritten = () => this.#wrote(file);
    file.onError = (status) => this.#refuse(status, "its body could not be kept in --spool-dir");
    const gathered = this.#gathered;
    this.#forget();
    for (const chunk of gathered) this.#append(file, chunk);
  }

  #append(file: SpoolFile, piece: Buffer): void {
    if (this.#isRefused) return;
    if (!file.append(piece)) return this.#refuse(507, "there is no room for its body (--spool-max)");
    if (file.unwritten > UNWRITTEN_HIGH) this.#source.pauseBody();
  }

  #wrote(file: SpoolFile): void {
    if (this.#isEnded) this.#submitFile(file);
    else if (file.unwritten < UNWRITTEN_LOW && this.#source.isBodyPaused) this.#source.resumeBody();
  }

  #submitFile(file: SpoolFile): void {
    const exchange = this.#exchange;
    if (file.unwritten > 0 || exchange.state !== "waiting") return;
    exchange.bodyFile = file.path;
    exchange.bodyFileBytes = file.size;
    exchange.whenSettled = () => file.close();
    this.#context.submit(exchange);
  }

  #stream(): void {
    const source = this.#source;
    const stream = new RequestBody();
    for (const chunk of this.#gathered) stream.push(chunk);
    this.#forget();
    stream.onTaken = () => {
      if (stream.size <= HIGH_WATER / 2 && source.isBodyPaused) source.resumeBody();
    };
    stream.onWanted = () => {
      if (this.hasContinued || this.#isEnded || this.#exchange.state !== "given") return;
      this.hasContinued = true;
      source.continueBody();
    };
    this.#exchange.stream = stream;
    this.#context.submit(this.#exchange);
  }
}
