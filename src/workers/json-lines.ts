/** One JSON object per line over a stream socket: the zygote link and the worker links (PROTOCOL.md). */
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";

export type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** Lines are tracebacks at most; more than this is not a message of ours. */
const LINE_LIMIT = 4 * 1024 * 1024;

export class JsonLines {
  readonly #socket: Socket;

  /** `onMessage` for each object, `onEnd` once when the other side is gone (`problem` says why, if not by a clean end). */
  constructor(socket: Socket, onMessage: (message: Message) => void, onEnd: (problem: string) => void) {
    this.#socket = socket;
    const decoder = new StringDecoder("utf8");
    let text = "";
    let problem = "";
    socket.on("data", (chunk: Buffer) => {
      text += decoder.write(chunk);
      for (let end = text.indexOf("\n"); end >= 0 && problem === ""; end = text.indexOf("\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        const message = parse(line);
        if (message === null) {
          problem = `not a message: ${line.slice(0, 200)}`;
          socket.destroy();
        } else onMessage(message);
      }
      if (text.length > LINE_LIMIT) {
        problem = "a message without end";
        socket.destroy();
      }
    });
    socket.on("error", (error) => (problem ||= error.message));
    socket.on("close", () => onEnd(problem));
  }

  send(message: Message): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  end(): void {
    this.#socket.end();
  }
}

function parse(line: string): Message | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && typeof (value as Message).type === "string")
      return value as Message;
  } catch {
    // falls through: the caller ends the connection
  }
  return null;
}
