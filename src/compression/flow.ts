/**
 * A streamed response on its way through a compressor.
 *
 *     worker ──write──▶ pieces ──batch──▶ compressor (a thread) ──▶ outer exchange ──▶ client
 *       ▲ credit, once compressed ┘                  ▲ waits while the client has not taken UNTAKEN_BYTES ┘
 *
 * Small pieces gather for a moment, so that they are not compressed one by one; when the stream pauses, all there is leaves: no byte waits for one
 * that the app has not written yet. Bounds: what waits is the worker's credit, what has left UNTAKEN_BYTES and a batch's output. It ends with the
 * response, or by `close` where that was cut or the client left.
 */
import type { Clock, Timer } from "../clock.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Coding } from "../http/negotiation.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import type { CompressionBudget } from "./budget.ts";
import { padded, type StreamCompressor } from "./codecs.ts";
import { trailersOf } from "./response-variants.ts";

const BATCH_BYTES = 65_536;
const UNTAKEN_BYTES = 131_072;

export interface FlowSettings {
  readonly coding: Coding;
  readonly isPadded: boolean;
  /** So long pieces gather at most. */
  readonly gatherMs: number;
}

/** The app's response was not what its Content-Length said. */
export type OnBadLength = (exchange: Exchange, promised: number, came: number) => void;

export class CompressingFlow {
  readonly #outer: Exchange;
  readonly #inner: Exchange;
  readonly #compressor: StreamCompressor;
  readonly #settings: FlowSettings;
  readonly #budget: CompressionBudget;
  readonly #clock: Clock;
  readonly #onBadLength: OnBadLength;
  readonly #promised: number;
  #came = 0;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  /** Given to the client's side and not taken by the client. */
  #untaken = 0;
  /** It waits for a thread, or has one. */
  #isAtWork = false;
  #hasThread = false;
  /** The compressor keeps something back. */
  #isHolding = false;
  /** What has come from the compressor since it was given work. */
  #output: Buffer[] = [];
  #hasOutput = false;
  #timer: Timer | null = null;
  /** Nothing that is here may wait any longer. */
  #isDue = false;
  #end: { readonly trailers: ResponseFields | null } | null = null;
  #isOver = false;

  constructor(
    outer: Exchange,
    inner: Exchange,
    promised: number,
    compressor: StreamCompressor,
    settings: FlowSettings,
    budget: CompressionBudget,
    clock: Clock,
    onBadLength: OnBadLength,
  ) {
    this.#outer = outer;
    this.#inner = inner;
    this.#promised = promised;
    this.#compressor = compressor;
    this.#settings = settings;
    this.#budget = budget;
    this.#clock = clock;
    this.#onBadLength = onBadLength;
    outer.onSent = (bytes) => {
      this.#untaken -= bytes;
      this.#look();
    };
    compressor.stream
      .on("data", (bytes: Buffer) => this.#output.push(bytes))
      .once("end", () => this.#finished())
      .on("error", () => this.#fail())
      // A compressor that is destroyed in the midst of its work does not say that it has done it.
      .once("close", () => this.#rest());
  }

  write(chunk: Buffer): void {
    if (this.#isOver) return;
    const room = this.#promised < 0 ? chunk.length : Math.min(chunk.length, this.#promised - this.#came);
    this.#came += chunk.length;
    // More than was promised is dropped, as it is where nothing is compressed.
    if (room < chunk.length) this.#inner.onSent?.(chunk.length - Math.max(0, room));
    if (room <= 0) return;
    this.#pieces.push(room < chunk.length ? chunk.subarray(0, room) : chunk);
    this.#pieceBytes += room;
    this.#look();
  }

  end(trailers: ResponseFields | null): void {
    if (this.#isOver) return;
    if (this.#promised >= 0 && this.#came !== this.#promised) {
      this.#onBadLength(this.#outer, this.#promised, this.#came);
      if (this.#came < this.#promised) return this.#fail();
    }
    this.#end = { trailers };
    this.#look();
  }

  /** Nothing of it is wanted any more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#pieces = [];
    this.#budget.closeStream();
    this.#compressor.stream.destroy();
  }

  // Private

  #look(): void {
    if (this.#isOver || this.#isAtWork || this.#untaken >= UNTAKEN_BYTES) return;
    const isEnding = this.#end !== null;
    if (this.#pieceBytes >= BATCH_BYTES) return this.#compress(false);
    if (isEnding && this.#pieceBytes === 0 && !(this.#isHolding && this.#padsAtEnd)) return this.#conclude();
    if (isEnding) return this.#compress(this.#padsAtEnd);
    if (this.#pieceBytes === 0 && !this.#isHolding) return;
    if (this.#isDue) return this.#compress(true);
    this.#timer ??= this.#clock.after(this.#settings.gatherMs, () => {
      this.#timer = null;
      this.#isDue = true;
      this.#look();
    });
  }

  /** gzip has its padding in front; the others take it where they have been flushed. */
  get #padsAtEnd(): boolean {
    return this.#settings.isPadded && this.#settings.coding !== "gzip";
  }

  #compress(flushes: boolean): void {
    const bytes = this.#pieceBytes;
    const batch = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    if (flushes) this.#isDue = false;
    const { stream, flushKind } = this.#compressor;
    this.#work(() => {
      const done = (): void => {
        this.#rest();
        if (this.#isOver) return;
        this.#isHolding = !flushes;
        this.#passOutput();
        this.#inner.onSent?.(bytes);
        this.#look();
      };
      if (bytes > 0) stream.write(batch, flushes ? undefined : done);
      if (flushes) stream.flush(flushKind, done);
    });
  }

  /** Everything is compressed: the last words. */
  #conclude(): void {
    this.#work(() => {
      // Of an empty body nothing has come yet, not even the beginning of a frame.
      if (this.#padsAtEnd && this.#hasOutput) this.#output.push(padded(this.#settings.coding, EMPTY));
      this.#compressor.stream.end();
    });
  }

  #work(work: () => void): void {
    this.#isAtWork = true;
    this.#budget.onThread(() => {
      this.#hasThread = true;
      if (this.#isOver) this.#rest();
      else work();
    });
  }

  #rest(): void {
    if (!this.#hasThread) return;
    this.#hasThread = false;
    this.#isAtWork = false;
    this.#budget.threadFree();
  }

  #passOutput(): void {
    const output = this.#output;
    if (output.length === 0) return;
    this.#output = [];
    const bytes = output.length === 1 ? output[0]! : Buffer.concat(output);
    const isFirst = !this.#hasOutput;
    this.#hasOutput = true;
    const { coding, isPadded } = this.#settings;
    const piece = isFirst && isPadded && coding === "gzip" ? padded(coding, bytes) : bytes;
    this.#untaken += piece.length;
    this.#outer.write(piece);
  }

  #finished(): void {
    this.#rest();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#budget.closeStream();
    this.#passOutput();
    this.#outer.end(trailersOf(this.#end?.trailers ?? null));
  }

  #fail(): void {
    this.close();
    this.#outer.cut();
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
