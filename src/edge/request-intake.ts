/**
 * Takes in the body of one request, whatever HTTP version brings it, and submits the request at the right moment: when the body is complete
 * (gathered in memory), or at once, with the body streamed behind it.
 *
 *     push, push … end ─▶ submitted with its body             a WSGI app: a slow client does not hold a worker
 *     push, pause ─▶ submitted with a RequestBody, push … end an ASGI app, a client that waits for 100 Continue
 *
 * Bound: a streamed body pauses its source at HIGH_WATER. The source calls `push` and `end` only while the exchange is not over, and `abandon`
 * when the client left; what a client goes on sending after the answer is the source's to throw away.
 */
import type { Exchange } from "../http/exchange.ts";
import { EMPTY_BODY, HIGH_WATER, RequestBody } from "../http/request-body.ts";
import type { EdgeContext } from "./context.ts";

/** A body up to this size is gathered before the request is given to a WSGI worker, so that a slow client does not hold it. */
const GATHER_BYTES = 1_048_576;

/** What a body comes over: an HTTP/1.1 connection, an HTTP/2 stream. */
export interface BodySource {
  readonly isBodyPaused: boolean;
  /** Stops `push` until `resumeBody`; what is being read may still come. */
  pauseBody(): void;
  resumeBody(): void;
  /** The app asks for a body whose client waits for 100 Continue. Called at most once, and only before the body is complete. */
  continueBody(): void;
}

export class RequestIntake {
  readonly #exchange: Exchange;
  readonly #context: EdgeContext;
  readonly #source: BodySource;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #isEnded = false;
  /** 100 Continue has been sent. */
  hasContinued = false;

  constructor(exchange: Exchange, context: EdgeContext, source: BodySource) {
    this.#exchange = exchange;
    this.#context = context;
    this.#source = source;
  }

  /** A piece of the body. `isShared`: its bytes are only lent for the call. */
  push(piece: Buffer, isShared: boolean): void {
    const chunk = isShared ? Buffer.from(piece) : piece;
    const { stream } = this.#exchange;
    if (stream !== null) {
      stream.push(chunk);
      if (stream.size > HIGH_WATER) this.#source.pauseBody();
      return;
    }
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
  }

  /** No more bytes are at hand, and the body is not complete: does the request wait for the rest? */
  pause(): void {
    const exchange = this.#exchange;
    if (exchange.state !== "waiting") return;
    const { head } = exchange;
    const waits =
      !head.expectsContinue &&
      !this.#context.streamsBodies() &&
      head.contentLength <= GATHER_BYTES &&
      this.#gatheredBytes <= GATHER_BYTES;
    if (!waits) this.#stream();
  }

  /** The body is complete. */
  end(): void {
    const exchange = this.#exchange;
    this.#isEnded = true;
    if (exchange.stream !== null) return exchange.stream.end();
    exchange.body = this.#takeGathered();
    this.#context.submit(exchange);
  }

  /** The client left: nothing of it is wanted any more. */
  abandon(): void {
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }

  #takeGathered(): Buffer {
    if (this.#gatheredBytes === 0) return EMPTY_BODY;
    const body = this.#gathered.length === 1 ? this.#gathered[0]! : Buffer.concat(this.#gathered);
    this.abandon();
    return body;
  }

  #stream(): void {
    const source = this.#source;
    const stream = new RequestBody();
    for (const chunk of this.#gathered) stream.push(chunk);
    this.abandon();
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
