/** What bounds the bodies of requests, and where they wait; one object for all connections. */
import type { Spool } from "../spool/spool.ts";

/** What all bodies that are being gathered may take of memory together; past it each goes on in a file. */
export const GATHERED_BYTES = 67_108_864;

/** The part that a request's route may say otherwise. */
export interface BodyRule {
  /** --limit-request-body; 0 = no limit. */
  readonly maxBytes: number;
  /** --request-buffering; `auto` asks the app's kind. */
  readonly buffering: "auto" | "on" | "off";
}

export interface BodyLimits extends BodyRule {
  /** --body-memory: a body up to this size is gathered in memory. */
  readonly memoryBytes: number;
  /** --body-timeout; 0 = no limit. */
  readonly timeoutMs: number;
  /** --min-body-rate, in bytes a second over each period of `timeoutMs`. */
  readonly minRate: number;
  /** Where larger bodies go; null where there is no such place. */
  readonly spool: Spool | null;
  /** What is being gathered now, of all bodies. */
  gatheredBytes: number;
}
