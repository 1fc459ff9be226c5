/** One client that sends large bodies, one after the other on one connection; each answer must be the body's length. */
import { type Socket, connect } from "node:net";
import { once } from "node:events";
import { readResponse } from "./response.ts";

export interface UploadLoad {
  readonly port: number;
  readonly path: string;
  readonly bytes: number;
  /** None is begun after so many; the first always is. */
  readonly seconds: number;
}

export interface UploadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

const piece = Buffer.alloc(1_000_000, "x");

export async function uploads({ port, path, bytes, seconds }: UploadLoad): Promise<UploadResult> {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes}\r\n\r\n`;
  const startMs = performance.now();
  const elapsed = (): number => (performance.now() - startMs) / 1000;
  let socket: Socket | null = null;
  let requests = 0;
  const faults: string[] = [];
  while (faults.length === 0 && (requests === 0 || elapsed() < seconds)) {
    socket ??= connect({ port, host: "127.0.0.1", noDelay: true });
    try {
      const answered = answer(socket);
      socket.write(head);
      for (let sent = 0; sent < bytes; sent += piece.length) {
        const next = sent + piece.length > bytes ? piece.subarray(0, bytes - sent) : piece;
        if (!socket.write(next)) await Promise.race([once(socket, "drain"), answered]);
      }
      const { status, body, keepAlive } = await answered;
      if (status !== 200 || body !== String(bytes))
        faults.push(`status ${status}, ${JSON.stringify(body.slice(0, 100))}`);
      requests++;
      if (!keepAlive) {
        socket.destroy();
        socket = null;
      }
    } catch (error) {
      faults.push(`socket error: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  socket?.destroy();
  return { requests, seconds: elapsed(), faults };
}

function answer(socket: Socket): Promise<NonNullable<ReturnType<typeof readResponse>>> {
  const answered = Promise.withResolvers<NonNullable<ReturnType<typeof readResponse>>>();
  let text = "";
  const hear = (data: Buffer): void => {
    text += data.toString("latin1");
    judge(false);
  };
  const judge = (ended: boolean): void => {
    const response = readResponse(text, ended);
    if (response !== null) answered.resolve(response);
    else if (ended) answered.reject(new Error("closed by the server"));
  };
  const end = (): void => judge(true);
  const fail = (error: Error): void => answered.reject(error);
  socket.on("data", hear).once("end", end).once("error", fail).once("close", end);
  const off = (): unknown => socket.off("data", hear).off("end", end).off("error", fail).off("close", end);
  void answered.promise.then(off, off);
  return answered.promise;
}
