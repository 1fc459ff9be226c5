/** What `maitred maintenance on` asks for, and how it is read from the control socket: whoever may write there may still write nonsense. Pure. */
import { type IpRange, parseIp, parseRange, isInRange } from "../http/ip-address.ts";

/** A page as it is sent to the server: the command reads the file, so the server needs neither the file nor the right to read it. */
export interface PageText {
  readonly contentType: string;
  readonly text: string;
}

export interface MaintenanceOrder {
  /** Requests wait so long for the end of it; null: they are answered at once. */
  readonly holdMs: number | null;
  readonly page: PageText | null;
  /** null: no Retry-After. */
  readonly retryAfterSeconds: number | null;
  /** Addresses, networks, and "unix": these clients notice nothing of it. */
  readonly allow: readonly string[];
}

/** Maintenance that is on, as one server tells another. */
export interface MaintenanceInForce {
  readonly order: MaintenanceOrder;
  readonly forMs: number;
}

export const MOST_PAGE_BYTES = 1_048_576;
export const MOST_HOLD_MS = 3_600_000;

/** Reads one from a message; a string says what is wrong with it. */
export function maintenanceOrder(value: unknown): MaintenanceOrder | string {
  if (typeof value !== "object" || value === null) return "the order is no object";
  const { holdMs = null, page = null, retryAfterSeconds = null, allow = [] } = value as Record<string, unknown>;
  if (holdMs !== null && !isWhole(holdMs, 1, MOST_HOLD_MS)) return "the time to hold requests is from 1 ms to an hour";
  if (retryAfterSeconds !== null && !isWhole(retryAfterSeconds, 0, 31_536_000))
    return "Retry-After is a number of seconds, a year at most";
  if (!Array.isArray(allow) || !allow.every((one) => typeof one === "string" && isOrigin(one)))
    return "who may pass is a list of addresses and networks";
  const read = pageText(page);
  if (typeof read === "string") return read;
  return { holdMs, page: read, retryAfterSeconds, allow: allow as readonly string[] };
}

/** An address, a network, or "unix". */
export function isOrigin(text: string): boolean {
  return text === "unix" || parseRange(text) !== null;
}

/** Who may pass, made ready. `address` is empty for a Unix socket. */
export function passingAddresses(allow: readonly string[]): (address: string) => boolean {
  const ranges = allow.map((text) => parseRange(text)).filter((range): range is IpRange => range !== null);
  const hasUnix = allow.includes("unix");
  return (address) => {
    if (address === "") return hasUnix;
    const ip = parseIp(address);
    return ip !== null && ranges.some((range) => isInRange(ip, range));
  };
}

// Private

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function pageText(value: unknown): PageText | null | string {
  if (value === null) return null;
  const { contentType, text } = value as Record<string, unknown>;
  if (typeof contentType !== "string" || typeof text !== "string") return "the page is no page";
  if (!/^[\w.+-]+\/[\w.+-]+(?:; charset=utf-8)?$/.test(contentType)) return "the page's type is no media type";
  return text.length > MOST_PAGE_BYTES ? `the page has more than ${MOST_PAGE_BYTES} bytes` : { contentType, text };
}
