/** Asks a server over its control socket: one line there, lines back. */
import { connect } from "node:net";
import { JsonLines, type Message } from "../../workers/json-lines.ts";

export type Answer =
  | { readonly type: "done" | "failed" | "refused"; readonly message: Message }
  /** The stream ended without an answer: the server is gone. */
  | { readonly type: "ended" }
  | { readonly type: "unreachable"; readonly code: string; readonly why: string };

export async function ask(path: string, request: Message, onProgress: (text: string) => void): Promise<Answer> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve({ type: "unreachable", code: error.code ?? "", why: error.message }),
    );
    socket.once("connect", () => {
      const lines = new JsonLines(
        socket,
        (message) => {
          const { type } = message;
          if (type === "progress") onProgress(String(message["text"]));
          else if (type === "done" || type === "failed" || type === "refused") resolve({ type, message });
        },
        () => resolve({ type: "ended" }),
      );
      lines.send(request);
    });
  });
}
