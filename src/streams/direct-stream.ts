/**
 * A ByteStream on the handle of a TCP, Unix or TLS socket, without node's stream layer above it.
 *
 * This uses what `net.Socket` itself is made of (`lib/net.js`, `lib/internal/stream_base_commons.js`): stable for years, but not a public
 * interface. So `directStream` proves by the presence of every part that it is there, and otherwise SocketStream serves.
 */
import type { Duplex } from "node:stream";
import {
  BEHIND_BYTES,
  type ByteStream,
  type Lending,
  type Loan,
  SocketStream,
  type StreamListener,
} from "./byte-stream.ts";

/** What node calls a stream handle (`StreamBase` in src/stream_base.cc). */
export interface StreamHandle {
  onread: ((this: StreamHandle) => Uint8Array | undefined) | null;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, chunks: unknown[], allBuffers: boolean): number;
  shutdown(request: Request): number;
  close(done: () => void): void;
  /** Bytes that libuv still holds; falls as the kernel takes them, also in the midst of a write. */
  readonly writeQueueSize: number;
  /** The TCP or Unix handle below a TLS one. */
  readonly _parent?: StreamHandle;
}

interface Request {
  handle: StreamHandle;
  oncomplete: (status: number) => void;
}

interface WriteRequest extends Request {
  async: boolean;
  /** What must stay in memory while the write is under way. */
  chunks: unknown;
}

interface Parts {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => Request;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

/** The client's FIN (libuv's UV_EOF). */
const END_OF_FILE = -4095;
/** What one read takes at most. One buffer for all connections: the event loop reads one at a time. */
const READ_BYTES = 262_144;
/** A corked write up to this size is joined into one string; a larger one leaves as a vector. */
const JOIN_BYTES = 16_384;

function findParts(): Parts | null {
  try {
    const parts = (process as unknown as { binding(name: string): Parts }).binding("stream_wrap");
    const whole =
      typeof parts.WriteWrap === "function" &&
      typeof parts.ShutdownWrap === "function" &&
      parts.streamBaseState instanceof Int32Array &&
      typeof parts.kReadBytesOrError === "number" &&
      typeof parts.kLastWriteWasAsync === "number";
    return whole ? parts : null;
  } catch {
    return null;
  }
}

const parts: Parts | null = findParts();
const METHODS = [
  "useUserBuffer",
  "readStart",
  "readStop",
  "writeLatin1String",
  "writeBuffer",
  "writev",
  "shutdown",
  "close",
];

/** The handle of a socket, where a DirectStream can stand on it; else null. */
function directHandle(socket: object): StreamHandle | null {
  const handle = (socket as { _handle?: StreamHandle & Record<string, unknown> })._handle;
  if (parts === null || handle === undefined || handle === null) return null;
  return METHODS.every((method) => typeof handle[method] === "function") ? handle : null;
}

const nothing = (): undefined => undefined;

/** What is a file descriptor below, with nothing between. */
const LENDABLE = new Set(["TCP", "Pipe"]);

let readBuffer: Buffer | null = null;

export class DirectStream implements ByteStream {
  readonly #handle: StreamHandle;
  #listener: StreamListener;
  #isPaused = false;
  #isClosed = false;
  /** What is gathered while the stream is corked, or a write is under way: a TLS handle takes one at a time (it aborts at a second). */
  #corked: (string | Buffer)[] | null = null;
  #isHeld = false;
  #isWriting = false;
  #writingBytes = 0;
  /** Its own from the first write on that the kernel did not take at once: a TLS handle finishes each write later. */
  #request: WriteRequest | null = null;
  /** The two take turns: one whose `oncomplete` is running belongs to node until that returns. */
  #otherRequest: WriteRequest | null = null;
  /** What the write that is under way will call. */
  #sent: (() => void) | null = null;
  /** Our FIN, which waits for the writes. */
  #whenWritten: (() => void) | null = null;
  #corkedBytes = 0;
  #corkedSent: (() => void)[] = [];
  /** Another process writes to the socket: for us that is a write that is under way. */
  #loan: Loan | null = null;

  constructor(handle: StreamHandle, listener: StreamListener) {
    this.#handle = handle;
    this.#listener = listener;
    const buffer = (readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES));
    const state = parts!.streamBaseState;
    const at = parts!.kReadBytesOrError;
    handle.useUserBuffer(buffer);
    handle.onread = () => {
      const count = state[at]!;
      if (count > 0) this.#listener.onBytes(buffer.subarray(0, count), true);
      else if (count < 0) this.#stopped(count);
      return undefined;
    };
    handle.readStart();
  }

  get isBehind(): boolean {
    return this.#isWriting && this.#writingBytes + this.#corkedBytes > BEHIND_BYTES;
  }

  get unsent(): number {
    if (this.#isClosed) return 0;
    if (this.#loan !== null) return this.#loan.left + this.#corkedBytes;
    // What TLS has encrypted counts as held until all of it is written; the handle below it tells how that goes.
    const { _parent: below, writeQueueSize } = this.#handle;
    const held = below === undefined || below.writeQueueSize === 0 ? writeQueueSize : below.writeQueueSize;
    // A write that is under way is never nothing, whatever the handle says: who waits for it must be able to lose patience.
    return (this.#isWriting && held === 0 ? 1 : held) + this.#corkedBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  writeText(text: string): void {
    if (this.#isClosed) return;
    if (this.#corked === null) return this.#writeNow(text, null);
    this.#corked.push(text);
    this.#corkedBytes += text.length;
  }

  writeBytes(bytes: Buffer, sent: (() => void) | null): void {
    if (this.#isClosed) return;
    if (this.#corked !== null) {
      this.#corked.push(bytes);
      this.#corkedBytes += bytes.length;
      if (sent !== null) this.#corkedSent.push(sent);
      return;
    }
    const request = this.#request ?? spare();
    this.#wrote(request, this.#handle.writeBuffer(request, bytes), bytes.length, bytes, sent);
  }

  cork(): void {
    this.#isHeld = true;
    this.#corked ??= [];
  }

  uncork(): void {
    this.#isHeld = false;
    const corked = this.#corked;
    if (corked === null || this.#isWriting) return;
    const bytes = this.#corkedBytes;
    const sent = this.#corkedSent;
    this.#corked = null;
    this.#corkedBytes = 0;
    if (corked.length === 0 || this.#isClosed) return;
    const done = sent.length === 0 ? null : (): void => sent.forEach((one) => one());
    if (sent.length > 0) this.#corkedSent = [];
    if (bytes <= JOIN_BYTES) {
      let text = "";
      for (const piece of corked) text += typeof piece === "string" ? piece : piece.toString("latin1");
      return this.#writeNow(text, done);
    }
    const request = this.#request ?? spare();
    const chunks: unknown[] = [];
    for (const piece of corked) chunks.push(piece, typeof piece === "string" ? "latin1" : "buffer");
    this.#wrote(request, this.#handle.writev(request, chunks, false), bytes, chunks, done);
  }

  pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#handle.readStop();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#handle.readStart();
  }

  handTo(listener: StreamListener): void {
    this.#listener = listener;
  }

  end(done: () => void): void {
    this.uncork();
    if (this.#isClosed) return;
    if (this.#isWriting) {
      this.#whenWritten = () => this.end(done);
      return;
    }
    const request = new parts!.ShutdownWrap();
    request.handle = this.#handle;
    request.oncomplete = (status) => (status < 0 ? this.destroy() : done());
    const error = this.#handle.shutdown(request);
    // 1: done at once (src/stream_base.cc, "Shutdown").
    if (error === 1) done();
    else if (error !== 0) this.destroy();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#loan?.stop();
    this.#handle.onread = nothing;
    this.#handle.close(() => this.#listener.onClosed());
  }

  lend(lending: Lending): boolean {
    if (this.#isClosed || this.#isWriting || !LENDABLE.has(this.#handle.constructor.name)) return false;
    this.uncork();
    if (this.#isClosed || this.#isWriting) return false;
    const loan = lending(this.#handle, () => {
      this.#loan = null;
      this.#afterWrite();
    });
    this.#loan = loan;
    this.#isWriting = true;
    this.#writingBytes = loan.left;
    this.#corked ??= [];
    return true;
  }

  #writeNow(text: string, sent: (() => void) | null): void {
    const request = this.#request ?? spare();
    this.#wrote(request, this.#handle.writeLatin1String(request, text), text.length, null, sent);
  }

  /** Bytes have left, or are under way, or the connection is lost. */
  #wrote(request: WriteRequest, error: number, bytes: number, keep: unknown, sent: (() => void) | null): void {
    if (error !== 0) return this.destroy();
    if (parts!.streamBaseState[parts!.kLastWriteWasAsync] === 0) {
      sent?.();
      return;
    }
    if (hasFailedAtOnce) {
      hasFailedAtOnce = false;
      spareRequest = null;
      return this.destroy();
    }
    if (this.#request === null) {
      spareRequest = null;
      this.#request = request;
      request.async = true;
      request.handle = this.#handle;
      request.oncomplete = (status) => this.#written(status);
    }
    this.#isWriting = true;
    this.#writingBytes = bytes;
    this.#corked ??= [];
    this.#sent = sent;
    request.chunks = keep;
  }

  #written(status: number): void {
    if (!this.#isWriting) return failedAtOnce();
    const request = this.#request!;
    this.#request = this.#otherRequest;
    this.#otherRequest = request;
    request.chunks = null;
    if (status < 0) {
      this.#isWriting = false;
      return this.destroy();
    }
    this.#afterWrite();
  }

  #afterWrite(): void {
    const { isBehind } = this;
    const sent = this.#sent;
    this.#sent = null;
    this.#isWriting = false;
    sent?.();
    if (!this.#isHeld) this.uncork();
    if (this.#whenWritten !== null && !this.#isWriting) this.#whenWritten();
    if (isBehind && !this.isBehind && !this.#isClosed) this.#listener.onCaughtUp?.();
  }

  #stopped(count: number): void {
    this.#handle.readStop();
    if (count === END_OF_FILE) this.#listener.onFin();
    else this.destroy();
  }
}

/**
 * The handle below a plain socket keeps that socket alive, some kilobytes for each idle connection, though nothing will use it again. A TLS handle
 * needs its own: node's error and close handlers look there.
 */
function forgetOwner(handle: StreamHandle): void {
  if (handle.constructor.name === "TLSWrap") return;
  for (const symbol of Object.getOwnPropertySymbols(handle)) {
    if (symbol.description === "owner_symbol") (handle as unknown as Record<symbol, unknown>)[symbol] = null;
  }
}

/** A stream on a paused socket, the direct way where it can be. The socket is an empty shell afterwards: nobody else may use it. */
export function directStream(socket: Duplex, listener: StreamListener): ByteStream {
  const handle = directHandle(socket);
  if (handle === null) return new SocketStream(socket, listener);
  (socket as { _handle?: unknown })._handle = null;
  forgetOwner(handle);
  // What it had read already comes first.
  const rest = socket.read() as Buffer | null;
  const stream = new DirectStream(handle, listener);
  if (rest !== null) queueMicrotask(() => listener.onBytes(rest, false));
  return stream;
}

/** A request object that no write is using: one that the kernel took whole at once never needed its own. */
let spareRequest: WriteRequest | null = null;

function spare(): WriteRequest {
  if (spareRequest !== null) return spareRequest;
  spareRequest = new parts!.WriteWrap();
  spareRequest.oncomplete = failedAtOnce;
  return spareRequest;
}

/**
 * A TLS handle whose connection turns out to be lost while it writes says so to the request before the call returns, and returns as if the write were
 * under way (`TLSWrap::EncOut`): nothing more will be heard of it.
 */
let hasFailedAtOnce = false;

function failedAtOnce(): void {
  hasFailedAtOnce = true;
}
