/** Whether a request may be sent a second time after its connection was lost. Pure. */

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/**
 * RFC 9110 section 9.2.2: what was never sent may be sent; what was, only where it is idempotent, and only when an idle connection was used for it: its
 * server may have closed it in the same moment. One that was fresh has had the request, and that may be what has broken its server.
 */
export function maySendAgain(method: string, isSent: boolean, wasReused: boolean): boolean {
  return !isSent || (wasReused && IDEMPOTENT.has(method));
}
