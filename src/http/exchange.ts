/**
 * One request, its response, and what stands between: the type that travels through the house.
 *
 * The edge makes it and implements its `sink`; stages and routes look at it; the dispatcher queues it, gives it to a seat, and the seat answers
 * through it. Whoever holds it may ask `isGone` (the client left) before spending work on it.
 *
 *     waiting ──▶ queued ──▶ given ──▶ streaming ──▶ done
 *        └──────────┴──────────┴───────────┴───────▶ done      (complete answer, error answer, or client gone)
 */
import type { RequestHead } from "./request-head.ts";
import type { ResponseFields } from "./response-fields.ts";

/** Who connected, and through which door. One object per connection, shared by its exchanges. */
export interface Peer {
  /** IP address, or empty for a Unix socket. */
  readonly address: string;
  readonly port: number;
  /** The listener's own name for SERVER_NAME and SERVER_PORT. */
  readonly serverName: string;
  readonly serverPort: number;
  readonly scheme: "http" | "https";
}

export interface Exchange { readonly todo: RequestHead | ResponseFields | Peer }
