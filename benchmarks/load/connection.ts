/**
 * One client connection, used for one request after the other and opened again when the server has closed it.
 * A request that a kept-alive connection swallowed without a byte of answer is sent once more on a new one, as proxies and browsers
 * do: the server closed the idle connection while the request was on its way.
 */
import { type Socket, connect } from "node:net";
import { connect as connectSecure } from "node:tls";
import { type Response, readResponse } from "./response.ts";

export type Answer = ({ readonly type: "response" } & Response) | { readonly type: "failed"; readonly reason: string };

interface Pending {
  readonly request: string;
  readonly done: (answer: Answer) => void;
  readonly mayRetry: boolean;
}

export class Connection {
  readonly #port: number;
  readonly #isSecure: boolean;
  #socket: Socket | null = null;
  #received = "";
  #pending: Pending | null = null;

  /** Over TLS any certificate will do: what is measured is the work. */
  constructor(port: number, isSecure = false) {
    this.#port = port;
    this.#isSecure = isSecure;
  }

  /** One at a time; `done` is called exactly once, with the answer or with why there is none. */
  send(request: string, done: (answer: Answer) => void): void {
    this.#pending = { request, done, mayRetry: this.#socket !== null };
    this.#write(request);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.#pending = null;
  }

  // Private

  #write(request: string): void {
    this.#received = "";
    this.#socket ??= this.#open();
    this.#socket.write(request, "latin1");
  }

  #open(): Socket {
    const where = { port: this.#port, host: "127.0.0.1", noDelay: true };
    const socket = this.#isSecure ? connectSecure({ ...where, rejectUnauthorized: false }) : connect(where);
    socket.on("data", (chunk: Buffer) => this.#read(socket, chunk));
    socket.on("end", () => this.#lost(socket, "closed by the server"));
    socket.on("error", (error) => this.#lost(socket, error.message));
    return socket;
  }

  #read(socket: Socket, chunk: Buffer): void {
    if (socket !== this.#socket) return;
    this.#received += chunk.toString("latin1");
    const response = readResponse(this.#received, false);
    if (response !== null) this.#answer(response);
  }

  #lost(socket: Socket, reason: string): void {
    socket.destroy();
    if (socket !== this.#socket) return;
    this.#socket = null;
    const pending = this.#pending;
    if (pending === null) return;
    const response = readResponse(this.#received, true);
    if (response !== null) {
      this.#answer(response);
    } else if (pending.mayRetry && this.#received === "") {
      this.#pending = { ...pending, mayRetry: false };
      this.#write(pending.request);
    } else {
      this.#settle({ type: "failed", reason });
    }
  }

  #answer(response: Response): void {
    if (!response.keepAlive) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    this.#settle({ type: "response", ...response });
  }

  #settle(answer: Answer): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.done(answer);
  }
}

/** A GET with the headers a client cannot do without, and Accept-Encoding where it is asked for. */
export function get(path: string, accepts?: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${accepts === undefined ? "" : `Accept-Encoding: ${accepts}\r\n`}\r\n`;
}
