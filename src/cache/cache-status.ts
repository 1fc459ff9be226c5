/** The value of Cache-Status (RFC 9211): what the cache did with a request. */

/** Why a request went on to the app (section 2.2). */
export type Forwarded = "bypass" | "method" | "uri-miss" | "vary-miss" | "miss" | "request" | "stale" | "partial";

export interface CacheStatus {
  readonly hit?: boolean;
  readonly fwd?: Forwarded;
  /** What the app answered, where that is not what the client got. */
  readonly fwdStatus?: number;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  /** Seconds it is still fresh; negative where it is not. */
  readonly ttl?: number;
  /** A token. */
  readonly detail?: string;
}

export function cacheStatus(status: CacheStatus): string {
  let text = "maitred";
  if (status.hit === true) text += "; hit";
  if (status.fwd !== undefined) text += `; fwd=${status.fwd}`;
  if (status.fwdStatus !== undefined) text += `; fwd-status=${status.fwdStatus}`;
  if (status.stored === true) text += "; stored";
  if (status.collapsed === true) text += "; collapsed";
  if (status.ttl !== undefined) text += `; ttl=${status.ttl}`;
  if (status.detail !== undefined) text += `; detail=${status.detail}`;
  return text;
}
