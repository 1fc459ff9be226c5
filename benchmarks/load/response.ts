/** Reads one HTTP/1.1 response out of what has arrived so far; lenient, for it reads servers under test and not strangers. */

export interface Response {
  readonly status: number;
  readonly body: string;
  readonly keepAlive: boolean;
  /** Content-Encoding, empty where there is none. */
  readonly coding: string;
}

/** Null until the response is whole. `ended` says that the server has closed the connection, which ends a body without a length. */
export function readResponse(received: string, ended: boolean): Response | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const head = received.slice(0, headEnd).toLowerCase();
  const status = Number(head.slice(9, 12));
  const keepAlive = head.startsWith("http/1.1") && !head.includes("\r\nconnection: close");
  const coding = /\r\ncontent-encoding: *(\S+)/.exec(head)?.[1] ?? "";
  const start = headEnd + 4;

  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return received.length < end ? null : { status, keepAlive, coding, body: received.slice(start, end) };
  }
  if (head.includes("\r\ntransfer-encoding: chunked")) {
    const body = readChunks(received, start);
    return body === null ? null : { status, keepAlive, coding, body };
  }
  return ended ? { status, keepAlive: false, coding, body: received.slice(start) } : null;
}

function readChunks(received: string, start: number): string | null {
  let body = "";
  for (let at = start; ;) {
    const lineEnd = received.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(received.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (!(received.length >= end + 2)) return null;
    if (size === 0) return body;
    body += received.slice(lineEnd + 2, end);
    at = end + 2;
  }
}
