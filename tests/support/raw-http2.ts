/** HTTP/2 frames by hand (RFC 9113), for clients that do what no library does; and sockets for them, plain or TLS. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";

import type { RawClient } from "./raw-client.ts";

export const FrameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export function http2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer | readonly number[] = [],
): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** The preface and SETTINGS, with an initial window where one is given. */
export function http2Start(initialWindow?: number): Buffer {
  const settings = Buffer.alloc(initialWindow === undefined ? 0 : 6);
  if (initialWindow !== undefined) {
    settings.writeUInt16BE(4, 0);
    settings.writeUInt32BE(initialWindow, 2);
  }
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
  return Buffer.concat([preface, http2Frame(FrameType.settings, 0, 0, settings)]);
}

/** HPACK of a request to http://h, without any table. */
export function http2Head(method: "GET" | "POST", path: string): Buffer {
  const start = [method === "GET" ? 0x82 : 0x83, 0x86, 0x41, 1, 0x68, 0x04, path.length];
  if (path.length > 126) throw new RangeError("a longer path needs another length");
  return Buffer.concat([Buffer.from(start), Buffer.from(path, "latin1")]);
}

/** HPACK of any names and values, in turns, right or wrong: literals without indexing (RFC 7541 section 6.2.2). */
export function http2Fields(flat: readonly string[]): Buffer {
  const parts = flat.map((text, i) => {
    const bytes = Buffer.from(text, "latin1");
    if (bytes.length > 127 + 127) throw new RangeError("a longer text needs another length");
    const length = bytes.length < 127 ? [bytes.length] : [127, bytes.length - 127];
    return Buffer.concat([Buffer.from(i % 2 === 0 ? [0, ...length] : length), bytes]);
  });
  return Buffer.concat(parts);
}

export interface Http2Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** The next frame that has come. */
export async function readHttp2Frame(client: RawClient): Promise<Http2Frame> {
  const start = await client.take(9);
  const payload = await client.take(start.readUIntBE(0, 3));
  return { type: start[3]!, flags: start[4]!, stream: start.readUInt32BE(5) & 0x7fff_ffff, payload };
}

/** A connection on which `protocol` can be spoken; what comes is thrown away. */
export async function openSocket(port: number, protocol: "h2" | "http/1.1", isSecure: boolean): Promise<Socket> {
  const where = { port, host: "127.0.0.1" };
  const socket = isSecure
    ? connectSecure({ ...where, rejectUnauthorized: false, ALPNProtocols: [protocol] })
    : connect(where);
  socket.on("error", () => undefined);
  await once(socket, isSecure ? "secureConnect" : "connect");
  socket.on("data", () => undefined);
  return socket;
}
