/** Frames from the server to a client (RFC 6455 section 5.2): never masked. */

/** RFC 6455 section 5.5: a Close frame's reason, after its code. */
const REASON_MOST = 123;

/** A frame. `payload` is copied. */
export function webSocketFrame(opcode: number, isFinal: boolean, isCompressed: boolean, payload: Uint8Array): Buffer {
  const { length } = payload;
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headerBytes + length);
  bytes[0] = opcode | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0);
  if (headerBytes === 2) bytes[1] = length;
  else if (headerBytes === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
    bytes.writeUInt32BE(length % 0x1_0000_0000, 6);
  }
  bytes.set(payload, headerBytes);
  return bytes;
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
