/**
 * The PROXY protocol, versions 1 and 2 (haproxy.org, "The PROXY protocol"): what a proxy says about the client before the client's first byte.
 * Pure: the bytes received so far in, a verdict out. Whether a header is there is never guessed: where it is expected, its absence is an error.
 */
import { crc32c } from "./crc32c.ts";
import { ipOfBytes, parseIp } from "./ip-address.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export type ProxyMode = "v1" | "v2" | "auto";

export interface ProxyProtocolPolicy {
  readonly mode: ProxyMode;
  /** Peers that may send the header; everyone else is refused. */
  readonly allowed: TrustedProxies;
}

export interface ProxyHeader {
  readonly type: "header";
  /** Bytes it takes; what follows is the client's. */
  readonly length: number;
  /** Null where the proxy speaks for itself (LOCAL) or for somebody without an IP address. */
  readonly client: { readonly address: string; readonly port: number } | null;
}

export type ProxyRead =
  | ProxyHeader
  | { readonly type: "more" }
  /** `missing`: the bytes are no PROXY header at all. */
  | { readonly type: "wrong"; readonly missing: boolean; readonly why: string };

const MORE = { type: "more" } as const;
const V1_SIGNATURE = Buffer.from("PROXY ", "latin1");
const V2_SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const V1_LONGEST = 107;
const V2_FIXED = 16;
/** The header with all its TLVs. The length field could say 64 KiB; nobody needs a fraction of this. */
const V2_LONGEST = 4096;

const PP2_TYPE_CRC32C = 0x03;

/** Reads the header at the start of `bytes`, which is all that has been received. */
export function readProxyHeader(bytes: Buffer, mode: ProxyMode): ProxyRead {
  if (mode !== "v2" && beginsLike(bytes, V1_SIGNATURE)) return readV1(bytes);
  if (mode !== "v1" && beginsLike(bytes, V2_SIGNATURE)) return readV2(bytes);
  return {
    type: "wrong",
    missing: true,
    why: `no PROXY protocol header${mode === "auto" ? "" : ` of version ${mode[1]}`}`,
  };
}

// Private

function wrong(why: string): ProxyRead {
  return { type: "wrong", missing: false, why: `malformed PROXY protocol header: ${why}` };
}

/** As far as both reach. */
function beginsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function readV1(bytes: Buffer): ProxyRead {
  const end = bytes.subarray(0, V1_LONGEST).indexOf("\r\n");
  if (end === -1) return bytes.length >= V1_LONGEST ? wrong("the line is longer than 107 bytes") : MORE;
  const words = bytes.toString("latin1", V1_SIGNATURE.length, end).split(" ");
  const [family, source = "", destination = "", sourcePort = "", destinationPort = ""] = words;
  // Section 2.1: whatever follows UNKNOWN is ignored.
  if (family === "UNKNOWN") return { type: "header", length: end + 2, client: null };
  if (family !== "TCP4" && family !== "TCP6") return wrong("the family is none of TCP4, TCP6, UNKNOWN");
  if (words.length !== 5) return wrong("not two addresses and two ports with one space between each");
  const client = parseIp(source);
  const isFamily = (text: string): boolean => text.includes(":") === (family === "TCP6") && !text.includes("%");
  if (client === null || parseIp(destination) === null || !isFamily(source) || !isFamily(destination))
    return wrong("an address is not one of its family");
  if (!isPort(sourcePort) || !isPort(destinationPort)) return wrong("a port is not a number from 0 to 65535");
  return { type: "header", length: end + 2, client: { address: client.text, port: Number(sourcePort) } };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readV2(bytes: Buffer): ProxyRead {
  if (bytes.length < V2_FIXED) return MORE;
  const version = bytes[12]! >> 4;
  const command = bytes[12]! & 15;
  if (version !== 2) return wrong(`its version is ${version}`);
  if (command > 1) return wrong(`unknown command ${command}`);
  const length = V2_FIXED + bytes.readUInt16BE(14);
  if (length > V2_LONGEST) return wrong(`it is longer than ${V2_LONGEST} bytes`);
  if (bytes.length < length) return MORE;

  // Section 2.2: LOCAL, a health check of the proxy's own; the rest of the header is ignored.
  if (command === 0) return { type: "header", length, client: null };
  const family = bytes[13]! >> 4;
  const transport = bytes[13]! & 15;
  const addressLength = [0, 12, 36, 216][family];
  if (addressLength === undefined || transport > 2) return wrong("unknown address family or transport");
  if (V2_FIXED + addressLength > length) return wrong("it is too short for its addresses");
  const bad = tlvError(bytes.subarray(0, length), V2_FIXED + addressLength);
  if (bad !== null) return wrong(bad);
  // UNSPEC, datagrams and Unix sockets: "the receiver must use the real connection endpoints".
  if ((family !== 1 && family !== 2) || transport !== 1) return { type: "header", length, client: null };
  const width = family === 1 ? 4 : 16;
  const { text } = ipOfBytes(bytes.subarray(V2_FIXED, V2_FIXED + width));
  return { type: "header", length, client: { address: text, port: bytes.readUInt16BE(V2_FIXED + 2 * width) } };
}

/** Section 2.2.: type, length and value, up to the end. All but the checksum are skipped. */
function tlvError(header: Buffer, start: number): string | null {
  for (let at = start; at < header.length;) {
    const end = at + 3 + (at + 3 <= header.length ? header.readUInt16BE(at + 1) : 0);
    if (end > header.length) return "a TLV reaches beyond its end";
    if (header[at] === PP2_TYPE_CRC32C) {
      if (end - at !== 7) return "its checksum is not of 4 bytes";
      // Section 2.2.3: over the header, with zeros in the checksum's place.
      const blank = Buffer.from(header);
      blank.fill(0, at + 3, end);
      if (crc32c(blank) !== header.readUInt32BE(at + 3)) return "its checksum is wrong";
    }
    at = end;
  }
  return null;
}
