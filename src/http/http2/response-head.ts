/**
 * The head of a response in HTTP/2 (RFC 9113 section 8.3.2): what the app gave, without the fields that belong to an HTTP/1.1 connection (section 8.2.2).
 * Pure. The reason phrase has no place here.
 */
import { headerName } from "../header-names.ts";
import type { ResponseFields } from "../response-fields.ts";

/** Values for the server's own fields, empty for none; the app's own go first. */
export interface ServerFields {
  readonly date: string;
  readonly server: string;
}

/**
 * Name, value, name, value ...
 * @param length what Content-Length is to say, -1 for nothing.
 */
export function responseHead(
  status: number,
  fields: ResponseFields,
  length: number,
  { date, server }: ServerFields,
): readonly string[] {
  const last = fields.lastHead;
  if (last instanceof LastHead && last.isFor(status, length, date, server)) return last.flat;
  const head = [":status", String(status)];
  const { flat } = fields;
  for (let i = 0; i < flat.length; i += 2) {
    const name = sendable(flat[i]!);
    if (name !== null) head.push(name, trimmed(flat[i + 1]!));
  }
  // RFC 9110 section 8.6: never with 1xx and 204.
  if (length !== -1 && status >= 200 && status !== 204)
    head.push("content-length", String(status === 205 ? 0 : length));
  if (date !== "" && !fields.hasDate) head.push("date", date);
  if (server !== "" && !fields.hasServer) head.push("server", server);
  // Fields that come again (the decoder gives the same object for the same list) are worth keeping the whole head: the same list is encoded once.
  fields.lastHead = last === undefined ? null : new LastHead(status, length, date, server, head);
  return head;
}

/** A head, and what it was made of besides its fields. */
class LastHead {
  readonly #status: number;
  readonly #length: number;
  readonly #date: string;
  readonly #server: string;
  readonly flat: readonly string[];

  constructor(status: number, length: number, date: string, server: string, flat: readonly string[]) {
    this.#status = status;
    this.#length = length;
    this.#date = date;
    this.#server = server;
    this.flat = flat;
  }

  isFor(status: number, length: number, date: string, server: string): boolean {
    return status === this.#status && length === this.#length && date === this.#date && server === this.#server;
  }
}

/** An informational response (RFC 9110 section 15.2): no framing, no server's own fields. */
export function informationalHead(status: number, fields: ResponseFields): string[] {
  return [":status", String(status), ...trailerSection(fields)];
}

/** Trailer fields (RFC 9113 section 8.1). */
export function trailerSection({ flat }: ResponseFields): string[] {
  const section: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = sendable(flat[i]!);
    if (name !== null) section.push(name, trimmed(flat[i + 1]!));
  }
  return section;
}

/** The lower-case name of a field that may be sent, null for one that may not: the same as are kept back in HTTP/1.1, where the codec says them itself. */
function sendable(raw: string): string | null {
  const name = headerName(raw)!; // checked when the fields were made
  switch (name.kind) {
    case "content-length":
    case "connection":
    case "transfer-encoding":
    case "keep-alive":
    case "proxy-connection":
    case "upgrade":
    case "te":
    case "trailer":
      return null;
    default:
      return name.lower.startsWith("proxy-") || name.lower === "http2-settings" ? null : name.lower;
  }
}

/** RFC 9113 section 8.2.1: a value neither begins nor ends with white space. */
function trimmed(value: string): string {
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return isBlank(first) || isBlank(last) ? value.replace(/^[\t ]+|[\t ]+$/g, "") : value;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
