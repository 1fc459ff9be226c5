/**
 * Who is at the other end of a Unix connection, as the kernel knows it (SO_PEERCRED, unix(7)). Node has no getsockopt: a short-lived Python process gets
 * the connection as its descriptor 3 and tells. Slow (some 20 ms) and therefore for the control socket only, a few at a time.
 */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";

const SCRIPT =
  "import socket, struct; s = socket.socket(fileno=3); print(*struct.unpack('=iII', s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))";
const PATIENCE_MS = 5000;

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
}

/** Null where it could not be found out. */
export async function peerCredentials(python: string, socket: Socket): Promise<PeerCredentials | null> {
  // The number and not the stream: a stream given to spawn is marked as used for stdio and never reads again.
  const { fd } = (socket as Socket & { _handle: { fd: number } | null })._handle ?? { fd: -1 };
  if (fd < 0) return null;
  return await new Promise((resolve) => {
    const child = spawn(python, ["-I", "-S", "-c", SCRIPT], {
      stdio: ["ignore", "pipe", "ignore", fd],
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
      env: {},
    });
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (data: string) => (text += data));
    child.on("error", () => resolve(null));
    child.on("close", () => {
      const match = /^(\d+) (\d+) \d+\n$/.exec(text);
      resolve(match === null ? null : { pid: Number(match[1]), uid: Number(match[2]) });
    });
  });
}
