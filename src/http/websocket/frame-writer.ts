/** Frames to a client, never masked, and to a server, always masked (RFC 6455 sections 5.2 and 5.3). */

/** RFC 6455 section 5.5: a Close frame's reason, after its code. */
const REASON_MOST = 123;

/** A frame to a client. `payload` is copied. */
export function webSocketFrame(opcode: number, isFinal: boolean, isCompressed: boolean, payload: Uint8Array): Buffer {
  const { length } = payload;
  const headerBytes = headerBytesFor(length);
  const bytes = Buffer.allocUnsafe(headerBytes + length);
  putHeader(bytes, opcode | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0), length);
  bytes.set(payload, headerBytes);
  return bytes;
}

/** A frame to a server. `payload` is copied; `key` is four bytes that nobody can foretell. */
export function maskedFrame(opcode: number, isFinal: boolean, payload: Uint8Array, key: Uint8Array): Buffer {
  const { length } = payload;
  const at = headerBytesFor(length) + 4;
  const bytes = Buffer.allocUnsafe(at + length);
  putHeader(bytes, opcode | (isFinal ? 0x80 : 0), length);
  bytes[1]! |= 0x80;
  bytes.set(key, at - 4);
  for (let i = 0; i < length; i++) bytes[at + i] = payload[i]! ^ key[i & 3]!;
  return bytes;
}

function headerBytesFor(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function putHeader(bytes: Buffer, first: number, length: number): void {
  bytes[0] = first;
  if (length < 126) bytes[1] = length;
  else if (length < 65_536) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
    bytes.writeUInt32BE(length % 0x1_0000_0000, 6);
  }
}

/** The payload of a Close frame; the reason is cut between characters to what fits. 1005 stands for none. */
export function closePayload(code: number, reason: string): Buffer {
  if (code === 1005) return Buffer.alloc(0);
  let text = Buffer.from(reason, "utf8");
  if (text.length > REASON_MOST) {
    let end = REASON_MOST;
    while ((text[end]! & 0xc0) === 0x80) end--;
    text = text.subarray(0, end);
  }
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return payload;
}
