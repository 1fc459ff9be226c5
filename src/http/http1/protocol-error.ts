/**
 * What a client did wrong, as a value: the status it deserves, a stable code to match on, and a sentence for the log.
 * The parser hands it to `onError` and reads nothing more; nobody throws it.
 */

export type ProtocolStatus = 400 | 413 | 414 | 417 | 431 | 501 | 505;

export class ProtocolError {
  readonly status: ProtocolStatus;
  /** Stable, e.g. `MAITRED_BAD_CHUNK_SIZE`. */
  readonly code: string;
  /** One sentence for the operator. It never quotes more of the request than a name. */
  readonly detail: string;

  constructor(status: ProtocolStatus, code: string, detail: string) {
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** The commonest kind: malformed syntax. */
export function badRequest(code: string, detail: string): ProtocolError {
  return new ProtocolError(400, code, detail);
}
