/** Our end of a WebSocket handshake with an upstream (RFC 6455 sections 4.1 and 4.2): what it is asked, and whether its answer is one. Pure. */
import { withoutFields } from "../http/field-lines.ts";

/** Between the client and us; the upstream gets its own, and no extensions. */
const HOP: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-accept",
]);

/** The fields of a request (`requestFields`) as those of a handshake. */
export function handshakeFields(flat: readonly string[], key: string): string[] {
  return [...withoutFields(flat, HOP), "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", key];
}

export type Acceptance =
  | { readonly type: "accepted"; readonly subprotocol: string | null }
  | { readonly type: "wrong"; readonly reason: string };

/** Reads the fields of a 101. `digest` is what Sec-WebSocket-Accept must be, `offered` the client's subprotocols. */
export function readAcceptance(flat: readonly string[], digest: string, offered: readonly string[]): Acceptance {
  const wrong = (reason: string): Acceptance => ({ type: "wrong", reason });
  let subprotocol: string | null = null;
  let hasDigest = false;
  for (let i = 0; i < flat.length; i += 2) {
    const value = flat[i + 1]!;
    switch (flat[i]!.toLowerCase()) {
      case "sec-websocket-accept":
        if (value !== digest) return wrong("its Sec-WebSocket-Accept is not the key's");
        hasDigest = true;
        break;
      case "sec-websocket-protocol":
        if (subprotocol !== null || !offered.includes(value))
          return wrong(`its subprotocol ${JSON.stringify(value)} was not offered`);
        subprotocol = value;
        break;
      case "sec-websocket-extensions":
        return wrong(`its extension ${JSON.stringify(value)} was not offered`);
    }
  }
  return hasDigest ? { type: "accepted", subprotocol } : wrong("its Sec-WebSocket-Accept is missing");
}
