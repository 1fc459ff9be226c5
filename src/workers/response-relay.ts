/**
 * A streamed response on its way from a serial worker to a client that reads slowly: through a file, so that the worker is free when the app has
 * finished, however long the client takes.
 *
 *     worker ──write──▶ file ──pull──▶ sink ──took──▶ client
 *       ▲ credit, once in the file ┘
 *
 * Bounds: the file by --response-buffer and --spool-max; past them pieces are held in memory without credit for the worker, at most what its credit
 * was, until the client has taken all of the file. Towards the sink at most SINK_BYTES and one piece stand. It ends with `exchange.end`, or
 * `close` where the exchange was cut or its client left.
 */
import type { Exchange, ResponseRelay } from "../http/exchange.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { SpoolFile } from "../spool/spool-file.ts";
import type { Spool } from "../spool/spool.ts";

/** Bytes given to the sink that the client has not taken, below which the next piece is read. */
const SINK_BYTES = 131_072;
const PIECE_BYTES = 131_072;

/** Puts a relay between a response and its sink, where there is a place for its bytes. */
export class ResponseRelays {
  readonly #spool: Spool;
  readonly #maxBytes: number;
  readonly #declined = new WeakSet<Exchange>();

  /** `maxBytes` is --response-buffer; 0 = none. */
  constructor(spool: Spool, maxBytes: number) {
    this.#spool = spool;
    this.#maxBytes = maxBytes;
  }

  /** The client of this response is slow. Asked again for every piece until there is a relay, so a refusal is remembered. */
  begin(exchange: Exchange): void {
    if (this.#maxBytes === 0 || this.#declined.has(exchange)) return;
    const file = this.#spool.open();
    if (file === null) this.#declined.add(exchange);
    else exchange.relay = new FileRelay(exchange, file, this.#maxBytes);
  }
}

class FileRelay implements ResponseRelay {
  readonly #exchange: Exchange;
  readonly #file: SpoolFile;
  readonly #maxBytes: number;
  /** The seat's: gives the worker its credit back. */
  readonly #credit: (bytes: number) => void;
  /** Given to the sink before there was a relay, and not taken by the client; the worker's credit waits for these. */
  #direct: number;
  /** Given to the sink from here, and not taken. */
  #atSink = 0;
  #readTo = 0;
  #creditedTo = 0;
  #isReading = false;
  #isPulling = false;
  #held: Buffer[] = [];
  #end: { readonly trailers: ResponseFields | null } | null = null;

  constructor(exchange: Exchange, file: SpoolFile, maxBytes: number) {
    this.#exchange = exchange;
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#credit = exchange.onSent ?? ((): void => {});
    this.#direct = exchange.bufferedBytes;
    exchange.onSent = (bytes) => this.#took(bytes);
    file.onWritten = () => this.#wrote();
    // What was promised cannot be sent any more.
    file.onError = () => exchange.cut();
  }

  write(lent: Buffer): void {
    if (this.#held.length > 0 || !this.#store(lent)) this.#held.push(Buffer.from(lent));
  }

  end(trailers: ResponseFields | null): void {
    this.#end = { trailers };
    this.#pull();
  }

  close(): void {
    this.#held = [];
    this.#file.close();
  }

  // Private

  /** False where there is no room for it now. */
  #store(chunk: Buffer): boolean {
    if (this.#file.size + chunk.length > this.#maxBytes || !this.#file.append(chunk)) return false;
    this.#file.flush();
    return true;
  }

  #wrote(): void {
    const written = this.#file.written - this.#creditedTo;
    this.#creditedTo = this.#file.written;
    this.#credit(written);
    this.#pull();
  }

  #took(bytes: number): void {
    const direct = Math.min(bytes, this.#direct);
    this.#direct -= direct;
    this.#atSink -= bytes - direct;
    if (direct > 0) this.#credit(direct);
    this.#pull();
  }

  #pull(): void {
    // The sink may say "taken" in the midst of a write.
    if (this.#isReading || this.#isPulling || this.#exchange.relay !== this) return;
    this.#isPulling = true;
    if (this.#direct + this.#atSink < SINK_BYTES) {
      if (this.#file.written > this.#readTo) this.#readOn();
      else if (this.#file.unwritten === 0) this.#caughtUp();
    }
    this.#isPulling = false;
  }

  #readOn(): void {
    this.#isReading = true;
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.#file.written - this.#readTo));
    this.#file.read(piece, this.#readTo, (count) => {
      this.#isReading = false;
      this.#readTo += count;
      this.#toSink(piece.subarray(0, count));
      this.#pull();
    });
  }

  #toSink(piece: Buffer): void {
    this.#atSink += piece.length;
    this.#exchange.sink.write(this.#exchange, piece);
  }

  /** The client has all that was in the file: what was held goes on, or the response is complete. */
  #caughtUp(): void {
    if (this.#file.size > 0) this.#file.rewind();
    this.#readTo = this.#creditedTo = 0;
    const held = this.#held;
    this.#held = [];
    for (const chunk of held) {
      if (this.#held.length > 0 || !this.#store(chunk)) this.#held.push(chunk);
    }
    // Where not even the first of them has room (--spool-max is used up by others), it goes as it would without a file.
    // The sink may take each of them at once, and then nothing else would ask for the next.
    while (this.#file.size === 0 && this.#held.length > 0 && this.#direct + this.#atSink < SINK_BYTES) {
      const first = this.#held.shift()!;
      this.#direct += first.length;
      this.#exchange.sink.write(this.#exchange, first);
    }
    if (this.#end === null || this.#file.size > 0 || this.#held.length > 0) return;
    this.#exchange.relay = null;
    this.close();
    this.#exchange.end(this.#end.trailers);
  }
}
