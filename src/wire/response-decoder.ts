/**
 * Responses as the worker sends them (PROTOCOL.md, RESPONSES and HEAD): what `marshal.dumps(x, 2)` makes. The bytes come from a process that runs the
 * user's code, so every type and length is checked; anything else is a WireError.
 *
 * Hot path: the payload is read as one latin-1 string and cut by `substring`, which V8 does without copying. A header list equal to the last one on
 * this seat (an app sends the same few again and again) is recognised by its bytes and not read again.
 */
import { type BadField, ResponseFields, responseFields } from "../http/response-fields.ts";
import { WireError } from "./frames.ts";

interface SlicingBuffer extends Buffer {
  latin1Slice(from?: number, to?: number): string;
}

export interface ResponseHandler {
  /** A complete response. `body` as a string is latin-1. Large bodies come as buffers that are only valid during the call. */
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
const TUPLE = 0x28;
const LIST = 0x5b;

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
  /** The last header list: its marshalled text and what it means. */
  #lastText = "\0";
  #lastFields: ResponseFields | BadField | null = null;
  #status = 0;
  #reason = "";

  constructor(handler: ResponseHandler) {
    this.#handler = handler;
  }

  /** Decodes a RESPONSES payload. */
  responses(payload: Buffer): void {
    this.#open(payload);
    const count = this.#count(LIST, "list");
    for (let i = 0; i < count; i++) {
      if (this.#count(TUPLE, "tuple") !== 4) throw new WireError("response item is not (id, status, headers, body)");
      const id = this.#int();
      const statusIsGood = this.#readStatus();
      const fields = this.#fields();
      const length = this.#count(BYTES, "bytes");
      const from = this.#at;
      if (from + length > this.#text.length) throw new WireError("body beyond the end of its frame");
      this.#at = from + length;
      if (!statusIsGood) this.#handler.onBadResponse(id, `status ${JSON.stringify(this.#reason)}`);
      else if (!(fields instanceof ResponseFields)) this.#handler.onBadResponse(id, describe(fields));
      else {
        const body = length < BYTES_FROM ? this.#text.substring(from, this.#at) : this.#data.subarray(from, this.#at);
        this.#handler.onResponse(id, this.#status, this.#reason, fields, body);
      }
    }
    this.#close();
  }

  /** Decodes a HEAD payload. */
  head(id: number, payload: Buffer): void {
    this.#open(payload);
    if (this.#count(TUPLE, "tuple") !== 2) throw new WireError("head is not (status, headers)");
    const statusIsGood = this.#readStatus();
    const fields = this.#fields();
    const { length } = this.#text;
    if (this.#at !== length) throw new WireError("bytes after the end of a head");
    this.#text = "";
    if (!statusIsGood) this.#handler.onBadResponse(id, `status ${JSON.stringify(this.#reason)}`);
    else if (!(fields instanceof ResponseFields)) this.#handler.onBadResponse(id, describe(fields));
    else this.#handler.onHead(id, this.#status, this.#reason, fields);
  }

  #open(payload: Buffer): void {
    this.#data = payload;
    this.#text = (payload as SlicingBuffer).latin1Slice();
    this.#at = 0;
  }

  #close(): void {
    if (this.#at !== this.#text.length) throw new WireError("bytes after the end of a batch");
    this.#text = "";
  }

  #u32(): number {
    const at = this.#at;
    const data = this.#data;
    if (at + 4 > data.length) throw new WireError("value beyond the end of its frame");
    this.#at = at + 4;
    return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
  }

  /** A type code that is followed by a u32: the count or length. */
  #count(code: number, what: string): number {
    if (this.#data[this.#at] !== code) throw new WireError(`expected ${what}, got type ${this.#data[this.#at]}`);
    this.#at++;
    return this.#u32();
  }

  #int(): number {
    return this.#count(INT, "int") | 0;
  }

  /** bytes or str, as a latin-1 string. */
  #string(): string {
    const code = this.#data[this.#at];
    if (code !== BYTES && code !== UNICODE) throw new WireError(`expected bytes or str, got type ${code}`);
    this.#at++;
    const length = this.#u32();
    const from = this.#at;
    this.#at = from + length;
    if (this.#at > this.#text.length) throw new WireError("string beyond the end of its frame");
    const text = this.#text.substring(from, this.#at);
    // A str travels as UTF-8; what was read are its bytes.
    if (code === UNICODE && BEYOND_ASCII.test(text)) return Buffer.from(text, "latin1").toString("utf8");
    return text;
  }

  #readStatus(): boolean {
    if (this.#data[this.#at] === INT) {
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

  #fields(): ResponseFields | BadField {
    if (this.#lastFields !== null && this.#text.startsWith(this.#lastText, this.#at)) {
      this.#at += this.#lastText.length;
      return this.#lastFields;
    }
    const from = this.#at;
    const count = this.#count(LIST, "list of headers");
    const flat: string[] = [];
    for (let i = 0; i < count; i++) {
      const code = this.#data[this.#at];
      if (code !== TUPLE && code !== LIST) throw new WireError("header is not a pair");
      this.#at++;
      if (this.#u32() !== 2) throw new WireError("header is not a pair");
      flat.push(this.#string(), this.#string());
    }
    const fields = responseFields(flat);
    this.#lastText = this.#text.substring(from, this.#at);
    this.#lastFields = fields;
    return fields;
  }
}

function describe(bad: BadField): string {
  return `header ${JSON.stringify(bad.name)}: ${bad.reason}`;
}
