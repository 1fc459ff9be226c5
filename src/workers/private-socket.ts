/**
 * The front's private door for its own workers (PROTOCOL.md): a Linux abstract socket, elsewhere a socket in a folder of mode 0700. Whoever connects
 * must say this start's random token in the first line; everybody else is disconnected. Nothing is written to disk on Linux.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROTOCOL_VERSION } from "../wire/frames.ts";

/** The first line of a connection. */
export interface Greeting {
  readonly type: "worker" | "seat" | "stacks";
  readonly worker: number;
  readonly seat: number;
  readonly pid: number;
}

/** First lines are short; more than this without a newline is not one of ours. */
const GREETING_LIMIT = 1024;

export class PrivateSocket {
  readonly token: string = randomBytes(32).toString("hex");
  readonly isAbstract: boolean = process.platform === "linux";
  readonly address: string;
  readonly #folder: string | null;
  readonly #server: Server;
  readonly #onGreeting: (greeting: Greeting, socket: Socket) => void;

  constructor(onGreeting: (greeting: Greeting, socket: Socket) => void) {
    this.#onGreeting = onGreeting;
    const name = `maitred-${process.pid}-${randomBytes(8).toString("hex")}`;
    this.#folder = this.isAbstract ? null : mkdtempSync(join(tmpdir(), "maitred-"));
    this.address = this.#folder === null ? name : join(this.#folder, "socket");
    this.#server = createServer((socket) => this.#greet(socket));
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.isAbstract ? `\0${this.address}` : this.address, () => resolve());
    });
  }

  close(): void {
    this.#server.close();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  #greet(socket: Socket): void {
    let received = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf(10);
      if (end < 0) {
        if (received.length > GREETING_LIMIT) socket.destroy();
        return;
      }
      socket.off("data", onData);
      socket.pause();
      const greeting = this.#parse(received.subarray(0, end).toString("utf8"));
      if (greeting === null) {
        socket.destroy();
        return;
      }
      const rest = received.subarray(end + 1);
      if (rest.length > 0) socket.unshift(rest);
      this.#onGreeting(greeting, socket);
      socket.resume();
    };
    socket.on("data", onData);
  }

  #parse(line: string): Greeting | null {
    let said: unknown;
    try {
      said = JSON.parse(line);
    } catch {
      return null;
    }
    if (typeof said !== "object" || said === null) return null;
    const { type, token, protocol, worker, seat, pid } = said as Record<string, unknown>;
    if (typeof token !== "string") return null;
    const given = Buffer.from(token);
    const ours = Buffer.from(this.token);
    // By bytes: timingSafeEqual throws where 64 characters are more than 64 bytes, and anyone may connect.
    if (given.length !== ours.length || !timingSafeEqual(given, ours)) return null;
    if (protocol !== PROTOCOL_VERSION || typeof worker !== "number") return null;
    if (type === "worker" && typeof pid === "number") return { type, worker, seat: -1, pid };
    if (type === "seat" && typeof seat === "number") return { type, worker, seat, pid: 0 };
    if (type === "stacks") return { type, worker, seat: -1, pid: 0 };
    return null;
  }
}
