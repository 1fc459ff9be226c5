/**
 * The head of a response: how its body is delimited (RFC 9112 section 6), whether the connection persists (section 9.3), and the text to
 * send. Pure; the one who writes asks `carriesBody` whether the body is to follow.
 */
import type { RequestHead } from "../request-head.ts";
import type { ResponseFields } from "../response-fields.ts";

export interface ResponseHeadOptions {
  /** The request's method: an answer to HEAD has no body. */
  readonly method: string;
  /** The request's minor version. The answer always says HTTP/1.1 (RFC 9110 section 6.2), but uses only what the client knows. */
  readonly minor: 0 | 1;
  /** Both client and server are willing to go on. */
  readonly keepAlive: boolean;
  /** Value of Date, "" for none. The app's own goes first. */
  readonly date: string;
  /** Value of Server, "" for none. The app's own goes first. */
  readonly server: string;
  /** Value of Strict-Transport-Security, "" or absent for none. The app's own goes first. */
  readonly hsts?: string;
}

/** A streamed response's head, and what it obliges the writer to. */
export interface StreamedHead {
  readonly text: string;
  /** Send the body in chunks. */
  readonly chunked: boolean;
  /** Close the connection after the body, or to end it. */
  readonly close: boolean;
}

/** A body follows the head (RFC 9110 section 6.4.1; for 205, which must have none, section 15.3.6). */
export function carriesBody(status: number, method: string): boolean {
  return method !== "HEAD" && status >= 200 && status !== 204 && status !== 205 && status !== 304;
}

/** The standard phrase of a status, "Unknown" where none is registered. */
export function reasonPhrase(status: number): string {
  return REASONS.get(status) ?? "Unknown";
}

/**
 * Head of a response whose body is at hand. Content-Length is what will be sent, `bodyLength`, even where the app said otherwise: a wrong one
 * would take the next response for the rest of this one. To find the app's mistake compare `fields.contentLength` before.
 */
export function completeHead(
  status: number,
  reason: string,
  fields: ResponseFields,
  bodyLength: number,
  options: ResponseHeadOptions,
): string {
  const persists = options.keepAlive && !fields.wantsClose;
  const last = fields.lastHead;
  if (last instanceof LastHead && last.isFor(status, reason, bodyLength, persists, options)) return last.text;
  let length = "";
  if (carriesBody(status, options.method)) length = `Content-Length: ${bodyLength}\r\n`;
  else
    length = bodilessLength(status, fields.contentLength === -1 && bodyLength > 0 ? bodyLength : fields.contentLength);
  const text =
    statusLine(status, reason) +
    fields.text +
    length +
    serverLines(fields, options) +
    connectionLine(persists, options.minor) +
    "\r\n";
  // Fields that come again (the decoder gives the same object for the same list) are worth keeping the whole head.
  if (last === undefined) fields.lastHead = null;
  else fields.lastHead = new LastHead(status, reason, bodyLength, persists, options, text);
  return text;
}

/** A head, and what it was made of besides its fields. */
class LastHead {
  readonly #status: number;
  readonly #reason: string;
  readonly #bodyLength: number;
  readonly #persists: boolean;
  readonly #options: ResponseHeadOptions;
  readonly text: string;

  constructor(
    status: number,
    reason: string,
    bodyLength: number,
    persists: boolean,
    options: ResponseHeadOptions,
    text: string,
  ) {
    this.#status = status;
    this.#reason = reason;
    this.#bodyLength = bodyLength;
    this.#persists = persists;
    this.#options = options;
    // In one piece: what is concatenated would be put together anew at each write.
    this.text = Buffer.from(text, "latin1").toString("latin1");
  }

  isFor(status: number, reason: string, bodyLength: number, persists: boolean, options: ResponseHeadOptions): boolean {
    const own = this.#options;
    return (
      this.#status === status &&
      this.#persists === persists &&
      own.date === options.date &&
      this.#bodyLength === bodyLength &&
      own.method === options.method &&
      own.minor === options.minor &&
      this.#reason === reason &&
      own.server === options.server
    );
  }
}

/** Head of a response whose body comes in pieces: with the app's Content-Length, else in chunks, else (HTTP/1.0) up to the close. */
export function streamedHead(
  status: number,
  reason: string,
  fields: ResponseFields,
  options: ResponseHeadOptions,
): StreamedHead {
  let framing = "";
  let chunked = false;
  let persists = options.keepAlive && !fields.wantsClose;
  if (!carriesBody(status, options.method)) framing = bodilessLength(status, fields.contentLength);
  else if (fields.contentLength !== -1) framing = `Content-Length: ${fields.contentLength}\r\n`;
  else if (options.minor === 1) {
    framing = "Transfer-Encoding: chunked\r\n";
    chunked = true;
  } else persists = false;
  const text =
    statusLine(status, reason) +
    fields.text +
    framing +
    serverLines(fields, options) +
    connectionLine(persists, options.minor) +
    "\r\n";
  return { text, chunked, close: !persists };
}

/** Head of an informational response (RFC 9110 section 15.2): no framing, no server's own fields. */
export function informationalHead(status: number, fields: ResponseFields): string {
  return `${statusLine(status, "")}${fields.text}\r\n`;
}

/** The client said that it keeps trailers (RFC 9110 section 6.5.1: TE with "trailers"). */
export function takesTrailers(head: RequestHead): boolean {
  const te = head.headers.get("te");
  return te !== undefined && TRAILERS.test(te);
}

const TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i;

/**
 * Content-Length of a response without body (RFC 9110 section 8.6): never with 1xx and 204; with 304 and in answers to HEAD only where it is
 * known what GET would have; 205 has to say that nothing follows.
 */
function bodilessLength(status: number, length: number): string {
  if (status === 205) return "Content-Length: 0\r\n";
  if (length === -1 || status < 200 || status === 204) return "";
  return `Content-Length: ${length}\r\n`;
}

/** The IANA HTTP Status Code Registry (RFC 9110 section 15), and the teapot. Pure code has no node:http to ask. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [100, "Continue"],
  [101, "Switching Protocols"],
  [102, "Processing"],
  [103, "Early Hints"],
  [200, "OK"],
  [201, "Created"],
  [202, "Accepted"],
  [203, "Non-Authoritative Information"],
  [204, "No Content"],
  [205, "Reset Content"],
  [206, "Partial Content"],
  [207, "Multi-Status"],
  [208, "Already Reported"],
  [226, "IM Used"],
  [300, "Multiple Choices"],
  [301, "Moved Permanently"],
  [302, "Found"],
  [303, "See Other"],
  [304, "Not Modified"],
  [305, "Use Proxy"],
  [307, "Temporary Redirect"],
  [308, "Permanent Redirect"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [402, "Payment Required"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [406, "Not Acceptable"],
  [407, "Proxy Authentication Required"],
  [408, "Request Timeout"],
  [409, "Conflict"],
  [410, "Gone"],
  [411, "Length Required"],
  [412, "Precondition Failed"],
  [413, "Content Too Large"],
  [414, "URI Too Long"],
  [415, "Unsupported Media Type"],
  [416, "Range Not Satisfiable"],
  [417, "Expectation Failed"],
  [418, "I'm a Teapot"],
  [421, "Misdirected Request"],
  [422, "Unprocessable Content"],
  [423, "Locked"],
  [424, "Failed Dependency"],
  [425, "Too Early"],
  [426, "Upgrade Required"],
  [428, "Precondition Required"],
  [429, "Too Many Requests"],
  [431, "Request Header Fields Too Large"],
  [451, "Unavailable For Legal Reasons"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
  [505, "HTTP Version Not Supported"],
  [506, "Variant Also Negotiates"],
  [507, "Insufficient Storage"],
  [508, "Loop Detected"],
  [510, "Not Extended"],
  [511, "Network Authentication Required"],
]);

const STANDARD_LINES = new Map<number, string>();
for (const [status, reason] of REASONS) STANDARD_LINES.set(status, `HTTP/1.1 ${status} ${reason}\r\n`);

/** What a reason-phrase may have (RFC 9112 section 4). It comes from the app: a CR or LF in it would be response splitting. */
const BAD_REASON = /[^\t -~\x80-\xff]/;

/** An empty or unsendable reason gives way to the standard one. */
function statusLine(status: number, reason: string): string {
  if (reason === "" || reason === REASONS.get(status) || BAD_REASON.test(reason)) {
    return STANDARD_LINES.get(status) ?? `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  }
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

function serverLines(fields: ResponseFields, options: ResponseHeadOptions): string {
  let date = options.date === "" || fields.hasDate ? "" : `Date: ${options.date}\r\n`;
  if (options.hsts && !saysHsts(fields)) date += `Strict-Transport-Security: ${options.hsts}\r\n`;
  return options.server === "" || fields.hasServer ? date : `${date}Server: ${options.server}\r\n`;
}

/** Looked for only where it is to be sent. */
function saysHsts({ flat }: ResponseFields): boolean {
  for (let i = 0; i < flat.length; i += 2) if (flat[i]!.toLowerCase() === "strict-transport-security") return true;
  return false;
}

/** RFC 9112 section 9.3: 1.1 persists unless told otherwise, 1.0 only when told so. */
function connectionLine(persists: boolean, minor: 0 | 1): string {
  if (!persists) return "Connection: close\r\n";
  return minor === 1 ? "" : "Connection: keep-alive\r\n";
}
