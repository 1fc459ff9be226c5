/** A WebSocket client that says exactly the frames it is told, on a RawClient: for everything a real one is too polite for. */
import { randomBytes } from "node:crypto";

import { RawClient } from "./raw-client.ts";

export interface ServerFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isCompressed: boolean;
  readonly payload: Buffer;
}

export interface FrameOptions {
  /** Replaces the first byte's flags and opcode. */
  readonly first?: number;
  readonly isMasked?: boolean;
}

/** A client's frame. */
export function frame(opcode: number, payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { first = 0x80 | opcode, isMasked = true } = options;
  const bytes = Buffer.from(payload);
  const head =
    bytes.length < 126
      ? Buffer.from([first, bytes.length])
      : bytes.length < 65_536
        ? Buffer.from([first, 126, bytes.length >> 8, bytes.length & 0xff])
        : Buffer.concat([Buffer.from([first, 127]), Buffer.alloc(8)]);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  if (!isMasked) return Buffer.concat([head, bytes]);
  head[1]! |= 0x80;
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, bytes.map((byte, at) => byte ^ mask[at & 3]!)]);
}

export function handshake(path: string, ...fields: readonly string[]): string {
  const own = ["Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13"];
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  return `${[`GET ${path} HTTP/1.1`, "Host: x", ...own, key, ...fields].join("\r\n")}\r\n\r\n`;
}

/** Reads a frame of the server; `take` gives so many bytes. */
export async function readFrame(take: (count: number) => Promise<Buffer>): Promise<ServerFrame> {
  const [first = 0, second = 0] = await take(2);
  if ((second & 0x80) !== 0) throw new Error("the server masked a frame");
  let length = second & 0x7f;
  if (length === 126) length = (await take(2)).readUInt16BE(0);
  else if (length === 127) length = Number((await take(8)).readBigUInt64BE(0));
  const payload = await take(length);
  return { opcode: first & 0x0f, isFinal: (first & 0x80) !== 0, isCompressed: (first & 0x40) !== 0, payload };
}

/** Code and reason of a Close frame. */
export function closeOf({ opcode, payload }: ServerFrame): string {
  if (opcode !== 8) throw new Error(`not a Close but opcode ${opcode}`);
  return payload.length === 0 ? "none" : `${payload.readUInt16BE(0)} ${payload.toString("utf8", 2)}`.trim();
}

export class WebSocketClient {
  readonly raw: RawClient;

  private constructor(raw: RawClient) {
    this.raw = raw;
  }

  /** Opens a WebSocket; `early` is sent together with the handshake. */
  static async open(
    port: number,
    path: string,
    fields: readonly string[] = [],
    early?: Buffer,
  ): Promise<WebSocketClient> {
    const raw = await RawClient.open(port);
    const head = Buffer.from(handshake(path, ...fields), "latin1");
    await raw.send(early === undefined ? head : Buffer.concat([head, early]));
    const response = await raw.response();
    if (response.status !== 101) throw new Error(`the handshake was answered ${response.status}`);
    return new WebSocketClient(raw);
  }

  send(opcode: number, payload: string | Buffer, options: FrameOptions = {}): Promise<void> {
    return this.raw.send(frame(opcode, payload, options));
  }

  /** The next frame of the server. */
  next(): Promise<ServerFrame> {
    return readFrame((count) => this.raw.take(count));
  }

  /** The next frame is a Close: its code and reason. */
  async closed(): Promise<string> {
    return closeOf(await this.next());
  }
}
