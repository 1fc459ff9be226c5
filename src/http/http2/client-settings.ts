/** The client's SETTINGS (RFC 9113 section 6.5), checked and applied to what we send. */
import { ErrorCode } from "./errors.ts";
import { Setting } from "./frames.ts";
import type { Outflow } from "./outflow.ts";
import type { Http2StreamState } from "./stream.ts";

const LARGEST_WINDOW = 0x7fff_ffff;

/** Null, or what the connection ends for. */
export function applySettings(
  payload: Buffer,
  out: Outflow,
  streams: () => Iterable<Http2StreamState>,
): { readonly code: number; readonly detail: string } | null {
  if (payload.length % 6 !== 0)
    return { code: ErrorCode.frameSizeError, detail: "SETTINGS is not a multiple of 6 bytes" };
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case Setting.headerTableSize:
        out.writer.encoder.resize(value);
        break;
      case Setting.enablePush:
        if (value > 1) return { code: ErrorCode.protocolError, detail: "ENABLE_PUSH is neither 0 nor 1" };
        break;
      case Setting.initialWindowSize:
        if (value > LARGEST_WINDOW)
          return { code: ErrorCode.flowControlError, detail: "INITIAL_WINDOW_SIZE is above 2^31-1" };
        if (!out.resizeWindows(value, streams()))
          return { code: ErrorCode.flowControlError, detail: "INITIAL_WINDOW_SIZE takes a window above 2^31-1" };
        break;
      case Setting.maxFrameSize:
        if (value < 16_384 || value > 16_777_215)
          return { code: ErrorCode.protocolError, detail: "MAX_FRAME_SIZE is out of range" };
        break;
      default:
        break; // section 6.5.2: unknown ones are ignored; the others limit what we never do
    }
  }
  out.writer.settingsAck();
  out.pump();
  return null;
}
