/** How much a client may say before the body. In every limit 0 means the codec's ceiling, which is `headBytes`. */

export interface HeadLimits {
  /** Bytes of the request line without its CRLF. */
  readonly requestLine: number;
  /** Number of field lines, in the head and again in the trailer section. */
  readonly fields: number;
  /** Bytes of one field line (name, colon and value) without its CRLF. */
  readonly fieldSize: number;
  /** Bytes of the whole head, request line and final empty line included. A trailer section has the same limit. */
  readonly headBytes: number;
  /** What to do with a field whose name has an underscore: it would pose as its dashed twin in CGI-style variables. */
  readonly underscores: "drop" | "refuse";
}

/** The codec's own bound on a head, whatever the settings say. */
export const HEAD_CEILING: number = 1024 * 1024;

/** gunicorn's numbers for line, count and size. */
export const DEFAULT_HEAD_LIMITS: HeadLimits = {
  requestLine: 4094,
  fields: 100,
  fieldSize: 8190,
  headBytes: 64 * 1024,
  underscores: "drop",
};

/** The same limits with every 0 replaced by its ceiling, so that a comparison suffices. */
export function effectiveLimits(limits: HeadLimits): HeadLimits {
  const headBytes = Math.min(limits.headBytes || HEAD_CEILING, HEAD_CEILING);
  return {
    requestLine: limits.requestLine || headBytes,
    fields: limits.fields || headBytes,
    fieldSize: limits.fieldSize || headBytes,
    headBytes,
    underscores: limits.underscores,
  };
}
