/** Reads a multipart/byteranges body (RFC 9110 section 14.6) as strictly as it is defined. */
import assert from "node:assert/strict";

export interface Part {
  /** The part's own fields, one a line. */
  readonly head: string;
  readonly body: string;
}

/** Text is latin-1. */
export function partsOf(contentType: string | string[] | undefined, body: Buffer): Part[] {
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(String(contentType))?.[1];
  assert.ok(boundary !== undefined, String(contentType));
  const pieces = body.toString("latin1").split(`--${boundary}`);
  assert.deepEqual([pieces[0], pieces.at(-1)], ["", "--\r\n"]);
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf("\r\n\r\n");
    assert.ok(piece.startsWith("\r\n") && piece.endsWith("\r\n") && end > 0);
    return { head: piece.slice(2, end), body: piece.slice(end + 4, -2) };
  });
}
