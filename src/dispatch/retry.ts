/** May a request that was at work in a lost worker be tried once more? (RFC 9110 section 9.2.2: safe methods, nothing answered yet.) */
import type { Exchange } from "../http/exchange.ts";

/** One try and one more: a request that kills workers must not kill them all. */
const MOST_ATTEMPTS = 2;

export function mayTryAgain(exchange: Exchange): boolean {
  if (exchange.state !== "given" || exchange.attempts >= MOST_ATTEMPTS) return false;
  // A streamed body is gone with the worker that read it.
  if (exchange.body === null) return false;
  const { method } = exchange.head;
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}
