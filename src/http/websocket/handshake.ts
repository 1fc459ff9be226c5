/** The opening handshake as the client says it (RFC 6455 section 4.2.1), and the answer's fields (section 4.2.2). Pure; the digest is the edge's. */
import { ResponseFields, responseFields } from "../response-fields.ts";
import type { RequestHead } from "../request-head.ts";
import { type DeflateTerms, deflateTerms } from "./deflate-terms.ts";

/** Section 1.3: what is hashed after the client's key. */
export const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export type Handshake =
  | {
      readonly type: "handshake";
      /** Sec-WebSocket-Key; empty where HTTP/2 carries it (RFC 8441 section 5). */
      readonly key: string;
      readonly subprotocols: readonly string[];
      /** What was agreed on compression, null for none. */
      readonly deflate: DeflateTerms | null;
    }
  | { readonly type: "wrong"; readonly status: 400 | 426; readonly detail: string };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{21}[AQgw]==$/;

/** All values of a field, as one list. */
function listOf(head: RequestHead, lower: string): string[] {
  const { names, values } = head.headers;
  const items: string[] = [];
  for (let i = 0; i < names.length; i++) {
    if (names[i]!.lower === lower) items.push(...values[i]!.split(",").map((item) => item.trim()));
  }
  return items.filter((item) => item !== "");
}

/** The request asks to become a WebSocket; whether it does so rightly is for `readHandshake`. */
export function asksForWebSocket(head: RequestHead): boolean {
  if (head.method !== "GET" || head.version !== "1.1") return false;
  return (
    listOf(head, "upgrade").some((protocol) => protocol.toLowerCase() === "websocket") &&
    listOf(head, "connection").some((option) => option.toLowerCase() === "upgrade")
  );
}

/** Reads a handshake. `hasKey` is false in HTTP/2, where the stream itself says what the key would (RFC 8441 section 5). */
export function readHandshake(head: RequestHead, allowsDeflate: boolean, hasKey: boolean = true): Handshake {
  const wrong = (status: 400 | 426, detail: string): Handshake => ({ type: "wrong", status, detail });
  const version = listOf(head, "sec-websocket-version");
  if (version.length !== 1 || version[0] !== "13")
    return wrong(426, `Sec-WebSocket-Version ${version.length === 0 ? "is missing" : version.join(", ")}`);
  if (head.framing !== "none") return wrong(400, "a WebSocket handshake with a body");
  const keys = listOf(head, "sec-websocket-key");
  const key = keys[0] ?? "";
  if (hasKey && (keys.length !== 1 || !KEY.test(key)))
    return wrong(400, "Sec-WebSocket-Key is not one value of 16 bytes in base64");
  const subprotocols = listOf(head, "sec-websocket-protocol");
  if (!subprotocols.every((name) => TOKEN.test(name)) || new Set(subprotocols).size !== subprotocols.length)
    return wrong(400, "Sec-WebSocket-Protocol is not a list of different tokens");
  const offers = listOf(head, "sec-websocket-extensions");
  return { type: "handshake", key, subprotocols, deflate: allowsDeflate ? deflateTerms(offers) : null };
}

/** What the app may not set: the handshake's own fields, and Content-Length, which a 101 has not. */
const OURS = new Set([
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "upgrade",
  "connection",
  "content-length",
  "transfer-encoding",
]);

/** The fields of the answer that are the WebSocket's: the app's own ones, the subprotocol, the extension. */
export function acceptFields(app: ResponseFields, subprotocol: string | null, extension: string): ResponseFields {
  const flat: string[] = [];
  for (let i = 0; i < app.flat.length; i += 2) {
    if (!OURS.has(app.flat[i]!.toLowerCase())) flat.push(app.flat[i]!, app.flat[i + 1]!);
  }
  if (subprotocol !== null) flat.push("Sec-WebSocket-Protocol", subprotocol);
  if (extension !== "") flat.push("Sec-WebSocket-Extensions", extension);
  const fields = responseFields(flat);
  return fields instanceof ResponseFields ? fields : app;
}
