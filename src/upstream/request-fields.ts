/**
 * The header section that an upstream gets: made from the parsed head alone, so that nothing of the client's framing or of its connection goes on
 * (RFC 9110 section 7.6.1, RFC 9112 section 11.2). Content-Length or chunks are added by whoever sends the body. Pure.
 */
import type { UpstreamPlan } from "../config/sites/upstream.ts";
import type { Peer } from "../http/exchange.ts";
import type { HeaderBlock } from "../http/header-block.ts";
import type { HeaderName } from "../http/header-names.ts";
import type { RequestHead } from "../http/request-head.ts";
import { addForwarding, keepsForwarding, viaOf } from "./forwarding.ts";

export type FieldsPlan = Pick<UpstreamPlan, "authority" | "hostHeader" | "forwarding" | "stripPrefix">;

/** Names and values in turn, Host first; null where the request goes in circles. */
export function requestFields(head: RequestHead, peer: Peer, plan: FieldsPlan): string[] | null {
  const { headers } = head;
  const via = viaOf(headers, head.version);
  if (via === null) return null;
  const asked = headers.get("host") ?? "";
  const flat = ["Host", plan.hostHeader ?? (asked === "" ? plan.authority : asked)];
  const named = namedByConnection(headers);
  for (let i = 0; i < headers.names.length; i++) {
    const name = headers.names[i]!;
    if (!goesOn(name, plan) || named?.has(name.lower)) continue;
    flat.push(name.raw, headers.values[i]!);
  }
  addForwarding(flat, plan.forwarding, peer, headers, asked, plan.stripPrefix);
  flat.push("Via", via);
  return flat;
}

/** The names that Connection fields list; null where they list none. Takes lists as they came. */
export function connectionOptions(lists: readonly string[]): ReadonlySet<string> | null {
  if (lists.length === 0) return null;
  return new Set(lists.flatMap((list) => list.split(",").map((option) => option.trim().toLowerCase())));
}

// Private

function namedByConnection(headers: HeaderBlock): ReadonlySet<string> | null {
  return connectionOptions(headers.values.filter((_, i) => headers.names[i]!.kind === "connection"));
}

function goesOn({ kind, lower, isForwarding }: HeaderName, { forwarding }: FieldsPlan): boolean {
  if (isForwarding) return keepsForwarding(lower, forwarding);
  switch (kind) {
    case "host":
    case "connection":
    case "content-length":
    case "transfer-encoding":
    case "te":
    case "trailer":
    case "keep-alive":
    case "proxy-connection":
    case "upgrade":
    // Who waits for 100 Continue is answered here, when the body is wanted.
    case "expect":
      return false;
    default:
      return lower !== "via" && lower !== "proxy-authorization" && lower !== "http2-settings";
  }
}
