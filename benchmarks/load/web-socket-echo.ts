/**
 * The load client for WebSockets: every connection sends its next message when it has got the last one back (RFC 6455). Frames are made once and
 * answers only compared, so that the client takes little of the cores that it shares with the server.
 */
import { type Socket, connect } from "node:net";
import { createHistogram } from "node:perf_hooks";
import type { Load, LoadResult } from "./closed-loop.ts";
import { Faults } from "./faults.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK = [0x37, 0xfa, 0x21, 0x3d];
const FINAL_TEXT = 0x81;

export interface EchoLoad extends Load {
  readonly messageBytes: number;
}

export async function webSocketEcho(load: EchoLoad): Promise<LoadResult> {
  const { question, answer } = echoFrames(load.messageBytes);
  const latencies = createHistogram({ figures: 3 });
  const faults = new Faults();
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, () => open(load.port, load.path, faults)),
  ).then((opened) => opened.filter((one) => one !== null));
  const startMs = performance.now();
  const deadlineMs = startMs + load.seconds * 1000;

  const run = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      let sentMs = performance.now();
      let received: Buffer | null = null;
      const stop = (fault?: string): void => {
        if (fault !== undefined) faults.add(fault);
        socket.removeAllListeners("data");
        resolve();
      };
      socket.once("close", () => stop(performance.now() < deadlineMs ? "WebSocket closed by the server" : undefined));
      socket.on("data", (chunk: Buffer) => {
        received = received === null ? chunk : Buffer.concat([received, chunk]);
        if (received.length < answer.length) return;
        if (!received.equals(answer)) return stop("an answer that is not the message");
        received = null;
        const now = performance.now();
        latencies.record(Math.max(1, Math.round((now - sentMs) * 1e6)));
        if (now >= deadlineMs) return stop();
        sentMs = now;
        socket.write(question);
      });
      socket.write(question);
    });

  const giveUp = Promise.withResolvers<void>();
  const patience = (): void => {
    faults.add("no answer 10 s after the end");
    giveUp.resolve();
  };
  const timer = setTimeout(patience, load.seconds * 1000 + 10_000);
  await Promise.race([Promise.all(sockets.map(run)), giveUp.promise]);
  clearTimeout(timer);

  const seconds = (performance.now() - startMs) / 1000;
  for (const socket of sockets) socket.destroy();
  return {
    requests: latencies.count,
    seconds,
    p50Ms: latencies.percentile(50) / 1e6,
    p99Ms: latencies.percentile(99) / 1e6,
    faults: faults.list,
  };
}

/** A text message as the client sends it, masked, and as the server sends it back (section 5.2). */
export function echoFrames(messageBytes: number): { readonly question: Buffer; readonly answer: Buffer } {
  const payload = Buffer.alloc(messageBytes, "maitred ");
  const long = messageBytes > 125;
  if (messageBytes > 0xffff) throw new RangeError("a longer message needs another frame head");
  const size = long ? [126, messageBytes >> 8, messageBytes & 0xff] : [messageBytes];
  const masked = payload.map((byte, at) => byte ^ MASK[at % 4]!);
  return {
    question: Buffer.concat([Buffer.from([FINAL_TEXT, size[0]! | 0x80, ...size.slice(1), ...MASK]), masked]),
    answer: Buffer.concat([Buffer.from([FINAL_TEXT, ...size]), payload]),
  };
}

// Private

/** Null where the handshake failed, which is a fault. */
function open(port: number, path: string, faults: Faults): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let head = "";
    const fail = (why: string): void => {
      faults.add(`handshake failed: ${why}`);
      socket.destroy();
      resolve(null);
    };
    const onError = (error: Error): void => fail(error.message);
    const onEnd = (): void => fail("closed by the server");
    const onData = (chunk: Buffer): void => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      if (!head.startsWith("HTTP/1.1 101 ")) return fail(head.split("\r\n")[0]!);
      socket.off("data", onData).off("end", onEnd).off("error", onError);
      socket.on("error", () => socket.destroy());
      resolve(socket);
    };
    socket.on("error", onError).on("end", onEnd).on("data", onData);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
    );
  });
}
