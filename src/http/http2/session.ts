/**
 * One HTTP/2 connection, the server's side (RFC 9113), as a machine without I/O: the client's bytes in, requests out; responses in, our bytes
 * out (`writer.take`). Receiving is here, sending in outflow.ts.
 *
 * Invariants: HPACK sees every header section, also of streams that are refused, or the tables part (section 4.3); the connection's window is
 * given back as bytes arrive, a stream's as the app takes them, so that one slow app does not stop the others; after `onError` nothing is read.
 *
 * Bounds: streams by `maxConcurrentStreams`; a section by `maxHeaderListSize` and in frames (partial-section.ts); frames that ask for no response by
 * FRAMES; requests taken back or broken by RESETS (patience.ts).
 */
import { applySettings } from "./client-settings.ts";
import { ClosedStreams } from "./closed-streams.ts";
import { ErrorCode } from "./errors.ts";
import { Flag, FrameReader, FrameType, unpadded } from "./frames.ts";
import { settingPairs, type SessionSettings } from "./frame-writer.ts";
import { BAD_SECTION, HpackDecoder, LIST_TOO_LARGE } from "./hpack-decoder.ts";
import { Outflow } from "./outflow.ts";
import { FRAMES, Patience, RESETS } from "./patience.ts";
import { PartialSection } from "./partial-section.ts";
import { isTrailerSection } from "./request-trailers.ts";
import { Http2StreamState } from "./stream.ts";

export interface SessionHandler {
  /** `flat` is name, value, name, value ...; null where the section is longer than allowed. May answer at once. */
  onRequest(stream: Http2StreamState, flat: readonly string[] | null): void;
  /** A stream is closed; fewer are open. */
  onStreamClosed(): void;
  /** The client answered our ping. */
  onPong(): void;
  /** The client opens no more streams. */
  onGoaway(): void;
  /** The connection is lost: GOAWAY is written, `onReset` of every stream has been called. */
  onError(code: number, detail: string): void;
}

/** Window of the whole connection. */
const CONNECTION_WINDOW = 1_048_576;
const DEFAULT_WINDOW = 65_535;
const LARGEST_WINDOW = 0x7fff_ffff;

export class Http2Session {
  readonly out: Outflow;
  readonly #handler: SessionHandler;
  readonly #settings: SessionSettings;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #streams = new Map<number, Http2StreamState>();
  #lastStream = 0;
  /** Streams above it are not served: GOAWAY said so. */
  #goawayStream = LARGEST_WINDOW;
  #hasSettings = false;
  #isOver = false;
  #connectionWindow = CONNECTION_WINDOW;
  /** The client may count with the default window until it has acknowledged our SETTINGS (section 6.9.2). */
  #streamWindow: number;
  /** A section whose END_HEADERS has not come. */
  readonly #section: PartialSection;
  #sectionEndsStream = false;
  readonly #patience: Patience;
  readonly #closed = new ClosedStreams();

  constructor(settings: SessionSettings, handler: SessionHandler) {
    this.#settings = settings;
    this.#handler = handler;
    this.#reader = new FrameReader(settings.maxFrameSize, {
      onFrame: (type, flags, stream, payload) => this.#onFrame(type, flags, stream, payload),
      onBadPreface: () => this.fail(ErrorCode.protocolError, "no HTTP/2 connection preface"),
      onFrameTooLong: (length) =>
        this.fail(ErrorCode.frameSizeError, `a frame of ${length} bytes, above ${settings.maxFrameSize}`),
    });
    this.#section = new PartialSection(settings.maxHeaderListSize * 2);
    this.#decoder = new HpackDecoder(settings.maxHeaderListSize);
    this.#streamWindow = Math.max(settings.initialWindowSize, DEFAULT_WINDOW);
    this.out = new Outflow((stream) => this.#sent(stream));
    this.#patience = new Patience(() => this.out.takeSentFrames());
    this.out.writer.settings(settingPairs(settings));
    this.out.writer.windowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW);
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Header sections that came whole. */
  heads = 0;

  /** The client is in the midst of saying a head, or of its first words. */
  get isWithinHead(): boolean {
    return !this.#isOver && (this.#section.stream !== 0 || this.#reader.isWithinHead);
  }

  /** For the sweep. */
  eachStream(): Iterable<Http2StreamState> {
    return this.#streams.values();
  }

  push(chunk: Buffer): void {
    if (!this.#isOver) this.#reader.push(chunk);
  }

  /** Time passes: what a client may do at a time, it may do again. */
  tick(seconds: number): void {
    this.#patience.tick(seconds);
  }

  /** The app has taken so much of the stream's body. */
  consume(stream: Http2StreamState, bytes: number): void {
    if (stream.isClosed || stream.isRemoteEnded) return;
    stream.uncredited += bytes;
    if (stream.uncredited * 2 < this.#streamWindow) return;
    this.out.writer.windowUpdate(stream.id, stream.uncredited);
    stream.receiveWindow += stream.uncredited;
    stream.uncredited = 0;
  }

  /** Ends a stream that cannot be completed. Its handler is not told: it knows. */
  reset(stream: Http2StreamState, code: number): void {
    if (stream.isClosed) return;
    this.out.writer.reset(stream.id, code);
    this.#close(stream, true);
  }

  /** The request on this stream is malformed (section 8.1.1). Its handler is not told: it said so. */
  refuseMalformed(stream: Http2StreamState): void {
    this.reset(stream, ErrorCode.protocolError);
    this.#countReset();
  }

  /** First word of a graceful end: no new requests, please; those under way count (section 6.8). */
  announceEnd(): void {
    this.out.writer.goaway(LARGEST_WINDOW, ErrorCode.noError, "");
    this.out.writer.ping(PING, false);
  }

  /** Second word: what comes from now on is not served. */
  refuseNew(): void {
    if (this.#goawayStream !== LARGEST_WINDOW || this.#isOver) return;
    this.#goawayStream = this.#lastStream;
    this.out.writer.goaway(this.#lastStream, ErrorCode.noError, "");
  }

  /** Ends the connection over what the client did. */
  fail(code: number, detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    this.out.writer.goaway(this.#lastStream, code, detail);
    this.abandon(code);
    this.#handler.onError(code, detail);
  }

  /** The connection is gone: every stream is told. */
  abandon(code: number): void {
    this.#isOver = true;
    this.#reader.stop();
    for (const stream of this.#streams.values()) {
      stream.isClosed = true;
      stream.queue = [];
      stream.handler?.onReset(code);
    }
    this.#streams.clear();
  }

  // Private

  #onFrame(type: number, flags: number, id: number, payload: Buffer): void {
    if (!this.#hasSettings) {
      if (type !== FrameType.settings || (flags & Flag.ack) !== 0)
        return this.fail(ErrorCode.protocolError, "the first frame is not SETTINGS");
      this.#hasSettings = true;
    }
    if (this.#section.stream !== 0 && (type !== FrameType.continuation || id !== this.#section.stream))
      return this.fail(ErrorCode.protocolError, "a header section is interrupted by another frame");
    if (type === FrameType.data) return this.#onData(flags, id, payload);
    if (type === FrameType.headers) return this.#onHeaders(flags, id, payload);
    if (type === FrameType.continuation) return this.#onContinuation(flags, id, payload);
    if (type === FrameType.pushPromise) return this.fail(ErrorCode.protocolError, "a client sends PUSH_PROMISE");
    if (!this.#patience.takesFrame()) return this.#flooded();
    switch (type) {
      case FrameType.priority:
        return this.#onPriority(id, payload);
      case FrameType.reset:
        return this.#onReset(id, payload);
      case FrameType.settings:
        return this.#onSettings(flags, id, payload);
      case FrameType.ping:
        return this.#onPing(flags, id, payload);
      case FrameType.goaway:
        if (id !== 0) return this.fail(ErrorCode.protocolError, "GOAWAY on a stream");
        if (payload.length < 8) return this.fail(ErrorCode.frameSizeError, "GOAWAY is too short");
        return this.#handler.onGoaway();
      case FrameType.windowUpdate:
        return this.#onWindowUpdate(id, payload);
      default:
        return; // RFC 9113 section 5.5: unknown types are ignored
    }
  }

  #onData(flags: number, id: number, payload: Buffer): void {
    if (id === 0) return this.fail(ErrorCode.protocolError, "DATA on stream 0");
    this.#connectionWindow -= payload.length;
    if (this.#connectionWindow < 0)
      return this.fail(ErrorCode.flowControlError, "more DATA than the connection's window");
    if (this.#connectionWindow * 2 < CONNECTION_WINDOW) {
      this.out.writer.windowUpdate(0, CONNECTION_WINDOW - this.#connectionWindow);
      this.#connectionWindow = CONNECTION_WINDOW;
    }
    const chunk = unpadded(flags, payload);
    if (chunk === null) return this.fail(ErrorCode.protocolError, PADDING);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#onLateFrame(id, "DATA", payload.length);
    if (stream.isRemoteEnded) return this.#breakStream(stream, ErrorCode.streamClosed);
    stream.receiveWindow -= payload.length;
    if (stream.receiveWindow < 0) return this.#breakStream(stream, ErrorCode.flowControlError);
    const endsStream = (flags & Flag.endStream) !== 0;
    stream.received += chunk.length;
    // Section 8.1.1: a length that lies is how requests are smuggled.
    const isShort = endsStream && stream.promised > stream.received;
    if (stream.promised !== -1 && (stream.received > stream.promised || isShort))
      return this.#breakStream(stream, ErrorCode.protocolError);
    if (payload.length > chunk.length) this.consume(stream, payload.length - chunk.length);
    if (chunk.length > 0) stream.handler?.onData(chunk);
    else if (!endsStream && !this.#patience.takesFrame()) return this.#flooded();
    if (endsStream && !stream.isClosed) this.#remoteEnded(stream);
  }

  #onHeaders(flags: number, id: number, payload: Buffer): void {
    if (id === 0) return this.fail(ErrorCode.protocolError, "HEADERS on stream 0");
    let block = unpadded(flags, payload);
    if (block === null) return this.fail(ErrorCode.protocolError, PADDING);
    if ((flags & Flag.priority) !== 0) {
      if (block.length < 5) return this.fail(ErrorCode.frameSizeError, "HEADERS too short for its priority");
      if ((block.readUInt32BE(0) & LARGEST_WINDOW) === id)
        return this.fail(ErrorCode.protocolError, "a stream depends on itself");
      block = block.subarray(5);
    }
    this.#sectionEndsStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) return this.#onSection(id, block);
    this.#section.begin(id, block);
  }

  #onContinuation(flags: number, id: number, payload: Buffer): void {
    if (this.#section.stream === 0) return this.fail(ErrorCode.protocolError, "CONTINUATION without HEADERS");
    if (!this.#section.add(payload))
      return this.fail(ErrorCode.enhanceYourCalm, "a header section without end (CONTINUATION flood)");
    if ((flags & Flag.endHeaders) !== 0) this.#onSection(id, this.#section.take());
  }

  #onSection(id: number, block: Buffer): void {
    this.heads++;
    const decoded = this.#decoder.decode(block);
    if (decoded === BAD_SECTION) return this.fail(ErrorCode.compressionError, "a header section cannot be decoded");
    const flat = decoded === LIST_TOO_LARGE ? null : decoded;
    const known = this.#streams.get(id);
    if (known !== undefined) return this.#onTrailers(known, flat);
    if (id % 2 === 0) return this.fail(ErrorCode.protocolError, "a client opens a stream with an even number");
    if (id <= this.#lastStream) return this.#onLateHeaders(id);
    this.#lastStream = id;
    if (id > this.#goawayStream) {
      this.#closed.add(id, true);
      return this.#onLateFrame(id, "HEADERS", 0);
    }
    const stream = new Http2StreamState(id, this.#sectionEndsStream, this.out.initialWindow, this.#streamWindow);
    this.#streams.set(id, stream);
    if (this.#streams.size > this.#settings.maxConcurrentStreams)
      return this.#breakStream(stream, ErrorCode.refusedStream);
    this.#handler.onRequest(stream, flat);
  }

  /** Trailers (section 8.1): they end the stream, and are read and dropped. */
  #onTrailers(stream: Http2StreamState, flat: readonly string[] | null): void {
    if (stream.isRemoteEnded) return this.#breakStream(stream, ErrorCode.streamClosed);
    // Section 8.5: a tunnel has DATA only.
    if (stream.isTunnel) return this.#breakStream(stream, ErrorCode.protocolError);
    const isMalformed = flat !== null && !isTrailerSection(flat);
    const isShort = stream.promised > stream.received;
    if (!this.#sectionEndsStream || isMalformed || isShort) return this.#breakStream(stream, ErrorCode.protocolError);
    this.#remoteEnded(stream);
  }

  #remoteEnded(stream: Http2StreamState): void {
    stream.isRemoteEnded = true;
    stream.handler?.onEnd();
    if (stream.isLocalEnded && !stream.isClosed) this.#close(stream, false);
  }

  #onPriority(id: number, payload: Buffer): void {
    if (id === 0) return this.fail(ErrorCode.protocolError, "PRIORITY on stream 0");
    if (payload.length !== 5) return this.fail(ErrorCode.frameSizeError, "PRIORITY is not of 5 bytes");
    // Priorities are gone (RFC 9113 section 5.3.2); what never made sense is still refused.
    if ((payload.readUInt32BE(0) & LARGEST_WINDOW) === id)
      this.fail(ErrorCode.protocolError, "a stream depends on itself");
  }

  #onReset(id: number, payload: Buffer): void {
    if (id === 0) return this.fail(ErrorCode.protocolError, "RST_STREAM on stream 0");
    if (payload.length !== 4) return this.fail(ErrorCode.frameSizeError, "RST_STREAM is not of 4 bytes");
    if (id > this.#lastStream) return this.fail(ErrorCode.protocolError, "RST_STREAM on an idle stream");
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#closed.isKnownClosed(id);
    this.#close(stream, false);
    stream.handler?.onReset(payload.readUInt32BE(0));
    this.#countReset();
  }

  #onSettings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) return this.fail(ErrorCode.protocolError, "SETTINGS on a stream");
    if ((flags & Flag.ack) !== 0) {
      if (payload.length !== 0) return this.fail(ErrorCode.frameSizeError, "an acknowledgement with settings");
      this.#streamWindow = this.#settings.initialWindowSize;
      return;
    }
    const error = applySettings(payload, this.out, () => this.#streams.values());
    if (error !== null) this.fail(error.code, error.detail);
  }

  #onPing(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) return this.fail(ErrorCode.protocolError, "PING on a stream");
    if (payload.length !== 8) return this.fail(ErrorCode.frameSizeError, "PING is not of 8 bytes");
    if ((flags & Flag.ack) === 0) this.out.writer.ping(payload, true);
    else if (payload.equals(PING)) this.#handler.onPong();
  }

  #onWindowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) return this.fail(ErrorCode.frameSizeError, "WINDOW_UPDATE is not of 4 bytes");
    const increment = payload.readUInt32BE(0) & LARGEST_WINDOW;
    if (id === 0) {
      if (increment === 0) return this.fail(ErrorCode.protocolError, "WINDOW_UPDATE by 0");
      if (!this.out.grantConnection(increment))
        this.fail(ErrorCode.flowControlError, "WINDOW_UPDATE takes the connection's window above 2^31-1");
      return;
    }
    if (id > this.#lastStream) return this.fail(ErrorCode.protocolError, "WINDOW_UPDATE on an idle stream");
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) return this.#breakStream(stream, ErrorCode.protocolError);
    if (!this.out.grant(stream, increment)) this.#breakStream(stream, ErrorCode.flowControlError);
  }

  /** DATA or HEADERS on a stream that is not open (section 5.1). */
  #onLateFrame(id: number, name: string, bytes: number): void {
    if (id > this.#lastStream) return this.fail(ErrorCode.protocolError, `${name} on an idle stream`);
    const how = this.#closed.how(id);
    // The client had sent it before our RST_STREAM arrived. A body in flight may be long; small frames without end are a flood.
    if (how === "by us") return bytes >= NO_FLOOD_BYTES || this.#patience.takesFrame() ? undefined : this.#flooded();
    const code = how === "unknown" && name === "HEADERS" ? ErrorCode.protocolError : ErrorCode.streamClosed;
    this.fail(code, `${name} on a closed stream`);
  }

  /** A second header section ends its stream, whatever its client knows of ours by then (section 8.1). */
  #onLateHeaders(id: number): void {
    if (this.#sectionEndsStream || this.#closed.how(id) !== "by us") return this.#onLateFrame(id, "HEADERS", 0);
    this.out.writer.reset(id, ErrorCode.protocolError);
    this.#countReset();
  }

  /** A stream error (section 5.4.2): the client broke this stream's rules. */
  #breakStream(stream: Http2StreamState, code: number): void {
    this.reset(stream, code);
    stream.handler?.onReset(code);
    this.#countReset();
  }

  #countReset(): void {
    if (!this.#patience.takesReset())
      this.fail(
        ErrorCode.enhanceYourCalm,
        `more than ${RESETS} requests taken back or broken before they were answered (rapid reset)`,
      );
  }

  /** Our last frame of the stream has been written. */
  #sent(stream: Http2StreamState): void {
    if (stream.isTunnel && !stream.isRemoteEnded) return;
    // Section 8.1: the client need not send the rest of a body that nobody wants.
    if (!stream.isRemoteEnded) this.out.writer.reset(stream.id, ErrorCode.noError);
    this.#close(stream, !stream.isRemoteEnded);
  }

  #close(stream: Http2StreamState, isOurReset: boolean): void {
    stream.isClosed = true;
    stream.queue = [];
    this.#streams.delete(stream.id);
    this.#closed.add(stream.id, isOurReset);
    this.#handler.onStreamClosed();
  }

  #flooded(): void {
    this.fail(ErrorCode.enhanceYourCalm, `more than ${FRAMES} frames that ask for nothing (flood)`);
  }
}

/** "taken" by nobody else's PING: its answer tells that GOAWAY has arrived. */
const PING = Buffer.from("maitred!", "latin1");
/** DATA of this size costs its sender more than us. */
const NO_FLOOD_BYTES = 1024;
const PADDING = "the padding is longer than its frame";
