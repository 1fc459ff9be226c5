/**
 * Responses as the worker sends them (PROTOCOL.md, RESPONSES, HEAD and their kin): what `marshal.dumps(x, 4)` makes, references included, so that
 * what the responses of a batch share (status, headers) is read once. The bytes come from a process that runs the user's code, so every type and
 * length is checked; anything else is a WireError.
 *
 * Hot path: the payload is read as one latin-1 string and cut by `substring`, which V8 does without copying. A header list equal to the last one on
 * this seat (an app sends the same few again and again) is recognised by its bytes and not read again.
 */
import { BadField, ResponseFields, responseFields } from "../http/response-fields.ts";
import { WireError } from "./frames.ts";

interface SlicingBuffer extends Buffer {
  latin1Slice(from?: number, to?: number): string;
}

export interface ResponseHandler {
  /** A complete response. `body` as a string is latin-1. Large bodies come as buffers. */
  onResponse(id: number, status: number, reason: string, fields: ResponseFields, body: string | Buffer): void;
  /** The head of a streamed response. */
  onHead(id: number, status: number, reason: string, fields: ResponseFields): void;
  /** A response whose status or a field cannot be sent to any client. */
  onBadResponse(id: number, reason: string): void;
}

/** Bodies from here on are handed over as bytes instead of strings. */
const BYTES_FROM = 4096;

const INT = 0x69;
const BYTES = 0x73;
const UNICODE = 0x75;
const ASCII = 0x61;
const SHORT_ASCII = 0x7a;
const ASCII_INTERNED = 0x41;
const SHORT_ASCII_INTERNED = 0x5a;
const INTERNED = 0x74;
const TUPLE = 0x28;
const SMALL_TUPLE = 0x29;
const LIST = 0x5b;
const NONE = 0x4e;
const REFERENCE = 0x72;
/** On a type code: later references may mean this object (CPython, Python/marshal.c, FLAG_REF). */
const FLAG = 0x80;

/** A bytes object that may be referred to. */
class Bytes {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A header pair that may be referred to. */
class Pair {
  name = "";
  value = "";
}

/** What a reference can mean; null while it is being read, or where nothing of ours can use it. */
type Referent = string | number | Bytes | Pair | ResponseFields | BadField | null;

const BEYOND_ASCII = /[\x80-\xff]/;
/** PEP 3333: "a string of the form 999 Message here"; the reason may be empty (RFC 9112 section 4). */
const STATUS = /^([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

interface Status {
  readonly status: number;
  readonly reason: string;
}

export class ResponseDecoder {
  readonly #handler: ResponseHandler;
  readonly #statuses = new Map<string, Status>();
  #text = "";
  #data: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The objects flagged so far in this payload, in order. */
  readonly #referents: Referent[] = [];
  /** The last header list without references in it: its marshalled text, what it means, and the referents it adds. */
  #lastText = "\0";
  #lastFields: ResponseFields | BadField | null = null;
  #lastReferents: Referent[] = [];
  #sawReference = false;
  #status = 0;
  #reason = "";

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  /** Decodes a RESPONSES payload. */
  responses(payload: Buffer): void {
    this.#open(payload);
    const count = this.#listLength("list");
    for (let i = 0; i < count; i++) {
      if (this.#tupleLength() !== 4) throw new WireError("response item is not (id, status, headers, body)");
      const id = this.#int();
      const statusIsGood = this.#readStatus();
      const fields = this.#fields();
      const body = this.#body();
      if (!statusIsGood) this.#handler.onBadResponse(id, `status ${JSON.stringify(this.#reason)}`);
      else if (!(fields instanceof ResponseFields)) this.#handler.onBadResponse(id, describe(fields));
      else this.#handler.onResponse(id, this.#status, this.#reason, fields, body);
    }
    this.#close();
  }

  /** Decodes a HEAD payload. */
  head(id: number, payload: Buffer): void {
    this.#open(payload);
    if (this.#tupleLength() !== 2) throw new WireError("head is not (status, headers)");
    const statusIsGood = this.#readStatus();
    const fields = this.#fields();
    this.#close();
    if (!statusIsGood) this.#handler.onBadResponse(id, `status ${JSON.stringify(this.#reason)}`);
    else if (!(fields instanceof ResponseFields)) this.#handler.onBadResponse(id, describe(fields));
    else this.#handler.onHead(id, this.#status, this.#reason, fields);
  }

  /** Decodes an INFORM payload. */
  inform(payload: Buffer): { readonly status: number; readonly fields: ResponseFields } {
    this.#open(payload);
    if (this.#tupleLength() !== 2) throw new WireError("informational response is not (status, headers)");
    const status = this.#int();
    // 100 and 101 are the front's own (RFC 9110 section 15.2).
    if (status < 102 || status > 199) throw new WireError(`informational response with status ${status}`);
    const fields = this.#goodFields("informational response");
    this.#close();
    return { status, fields };
  }

  /** Decodes the payload of an END that has one. */
  trailers(payload: Buffer): ResponseFields {
    this.#open(payload);
    const fields = this.#goodFields("trailers");
    this.#close();
    return fields;
  }

  /** Decodes a WS_ACCEPT payload. */
  accept(payload: Buffer): { readonly subprotocol: string | null; readonly fields: ResponseFields } {
    this.#open(payload);
    if (this.#tupleLength() !== 2) throw new WireError("WebSocket's accept is not (subprotocol, headers)");
    const subprotocol = this.#data[this.#at] === NONE ? null : this.#string();
    if (subprotocol === null) this.#at++;
    const fields = this.#goodFields("WebSocket's accept");
    this.#close();
    return { subprotocol, fields };
  }

  /** Headers that the worker has checked, and that no error page can answer. */
  #goodFields(what: string): ResponseFields {
    const fields = this.#fields();
    if (!(fields instanceof ResponseFields)) throw new WireError(`${what}: ${describe(fields)}`);
    return fields;
  }

  #open(payload: Buffer): void {
    this.#data = payload;
    this.#text = (payload as SlicingBuffer).latin1Slice();
    this.#at = 0;
    this.#referents.length = 0;
  }

  #close(): void {
    if (this.#at !== this.#text.length) throw new WireError("bytes after the end of a payload");
    this.#text = "";
  }

  #u32(): number {
    const at = this.#at;
    const data = this.#data;
    if (at + 4 > data.length) throw new WireError("value beyond the end of its frame");
    this.#at = at + 4;
    return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
  }

  /** The next type code, without its flag, which is kept in `#isFlagged`. */
  #code(): number {
    const code = this.#data[this.#at++];
    if (code === undefined) throw new WireError("value beyond the end of its frame");
    this.#isFlagged = code >= FLAG;
    return code & 0x7f;
  }

  #isFlagged = false;

  #flagged<T extends Referent>(value: T): T {
    this.#referents.push(value);
    return value;
  }

  /** What a REFERENCE that has just been read means. */
  #referent(): Referent {
    const index = this.#u32();
    this.#sawReference = true;
    const referent = this.#referents[index];
    if (referent === undefined || referent === null) throw new WireError(`reference to nothing (${index})`);
    return referent;
  }

  #listLength(what: string): number {
    const code = this.#code();
    if (code !== LIST) throw new WireError(`expected ${what}, got type ${code}`);
    if (this.#isFlagged) this.#flagged(null);
    return this.#u32();
  }

  #tupleLength(): number {
    const code = this.#code();
    if (this.#isFlagged) this.#flagged(null);
    return this.#tupleLengthAfter(code);
  }

  #tupleLengthAfter(code: number): number {
    if (code === SMALL_TUPLE) return this.#byte();
    if (code === TUPLE) return this.#u32();
    throw new WireError(`expected tuple, got type ${code}`);
  }

  #byte(): number {
    const byte = this.#data[this.#at++];
    if (byte === undefined) throw new WireError("value beyond the end of its frame");
    return byte;
  }

  #int(): number {
    const code = this.#code();
    const isFlagged = this.#isFlagged;
    if (code === REFERENCE) {
      const referent = this.#referent();
      if (typeof referent === "number") return referent;
      throw new WireError("expected int, got a reference to something else");
    }
    if (code !== INT) throw new WireError(`expected int, got type ${code}`);
    const value = this.#u32() | 0;
    return isFlagged ? this.#flagged(value) : value;
  }

  /** bytes or str, as a latin-1 string. */
  #string(): string {
    const code = this.#code();
    const isFlagged = this.#isFlagged;
    switch (code) {
      case SHORT_ASCII:
      case SHORT_ASCII_INTERNED: {
        const text = this.#take(this.#byte());
        return isFlagged ? this.#flagged(text) : text;
      }
      case ASCII:
      case ASCII_INTERNED: {
        const text = this.#take(this.#u32());
        return isFlagged ? this.#flagged(text) : text;
      }
      case UNICODE:
      case INTERNED: {
        // It travels as UTF-8; what was read are its bytes.
        const bytes = this.#take(this.#u32());
        const text = BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
        return isFlagged ? this.#flagged(text) : text;
      }
      case BYTES: {
        const text = this.#take(this.#u32());
        if (isFlagged) this.#flagged(new Bytes(text));
        return text;
      }
      case REFERENCE: {
        const referent = this.#referent();
        if (typeof referent === "string") return referent;
        if (referent instanceof Bytes) return referent.text;
        throw new WireError("expected bytes or str, got a reference to something else");
      }
      default:
        throw new WireError(`expected bytes or str, got type ${code}`);
    }
  }

  /** The next `length` bytes as latin-1. */
  #take(length: number): string {
    const from = this.#at;
    this.#at = from + length;
    if (this.#at > this.#text.length) throw new WireError("string beyond the end of its frame");
    return this.#text.substring(from, this.#at);
  }

  /** bytes; from BYTES_FROM on as bytes, below as a latin-1 string. */
  #body(): string | Buffer {
    const code = this.#code();
    if (code === REFERENCE) {
      const referent = this.#referent();
      if (referent instanceof Bytes) return referent.text;
      throw new WireError("expected bytes, got a reference to something else");
    }
    if (code !== BYTES) throw new WireError(`expected bytes, got type ${code}`);
    const isFlagged = this.#isFlagged;
    const length = this.#u32();
    const from = this.#at;
    if (from + length > this.#text.length) throw new WireError("body beyond the end of its frame");
    if (length < BYTES_FROM || isFlagged) {
      const text = this.#take(length);
      if (isFlagged) this.#flagged(new Bytes(text));
      return text;
    }
    this.#at = from + length;
    return Buffer.from(this.#data.subarray(from, this.#at));
  }

  #readStatus(): boolean {
    const code = this.#data[this.#at]! & 0x7f;
    if (code === INT || (code === REFERENCE && typeof this.#peekReferent() === "number")) {
      this.#status = this.#int();
      this.#reason = "";
      if (this.#status >= 200 && this.#status <= 999) return true;
      this.#reason = String(this.#status);
      return false;
    }
    const text = this.#string();
    const known = this.#statuses.get(text);
    if (known !== undefined) {
      this.#status = known.status;
      this.#reason = known.reason;
      return true;
    }
    const match = STATUS.exec(text);
    this.#reason = text;
    if (match === null || Number(match[1]) < 200) return false;
    this.#status = Number(match[1]);
    this.#reason = match[2] ?? "";
    if (this.#statuses.size < 256) this.#statuses.set(text, { status: this.#status, reason: this.#reason });
    return true;
  }

  /** What the reference at the cursor means; the cursor stays. */
  #peekReferent(): Referent | undefined {
    const at = this.#at;
    this.#at = at + 1;
    const index = this.#u32();
    this.#at = at;
    return this.#referents[index];
  }

  #fields(): ResponseFields | BadField {
    if (this.#lastFields !== null && this.#text.startsWith(this.#lastText, this.#at)) {
      this.#at += this.#lastText.length;
      for (const referent of this.#lastReferents) this.#referents.push(referent);
      return this.#lastFields;
    }
    const from = this.#at;
    const code = this.#code();
    if (code === REFERENCE) {
      const referent = this.#referent();
      if (referent instanceof ResponseFields || referent instanceof BadField) return referent;
      throw new WireError("expected list of headers, got a reference to something else");
    }
    if (code !== LIST) throw new WireError(`expected list of headers, got type ${code}`);
    const base = this.#referents.length;
    const isFlagged = this.#isFlagged;
    if (isFlagged) this.#flagged(null);
    this.#sawReference = false;
    const count = this.#u32();
    const flat: string[] = [];
    for (let i = 0; i < count; i++) this.#pair(flat);
    const fields = responseFields(flat);
    if (isFlagged) this.#referents[base] = fields;
    if (!this.#sawReference) {
      this.#lastText = this.#text.substring(from, this.#at);
      this.#lastFields = fields;
      this.#lastReferents = this.#referents.slice(base);
    }
    return fields;
  }

  /** A header: (name, value), or [name, value]. */
  #pair(flat: string[]): void {
    const code = this.#code();
    if (code === REFERENCE) {
      const referent = this.#referent();
      if (!(referent instanceof Pair)) throw new WireError("header is not a pair");
      flat.push(referent.name, referent.value);
      return;
    }
    const isFlagged = this.#isFlagged;
    const at = this.#referents.length;
    if (isFlagged) this.#flagged(null);
    const length = code === LIST ? this.#u32() : this.#tupleLengthAfter(code);
    if (length !== 2) throw new WireError("header is not a pair");
    const name = this.#string();
    const value = this.#string();
    flat.push(name, value);
    if (!isFlagged) return;
    const pair = new Pair();
    pair.name = name;
    pair.value = value;
    this.#referents[at] = pair;
  }
}

function describe(bad: BadField): string {
  return `header ${JSON.stringify(bad.name)}: ${bad.reason}`;
}
