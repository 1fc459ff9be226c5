/** `maitred status`, `reload`, `scale`, `stacks` and `stop`: asks a running server and tells what it said. */
import type { Status } from "../../operations/status.ts";
import type { Message } from "../../workers/json-lines.ts";
import type { Terminal } from "../commands.ts";
import { type Answer, ask } from "./client.ts";
import { exitCodes, findServer } from "./find-server.ts";
import { type ControlCommand, type ControlOptions, controlWords, helpText } from "./options.ts";
import { statusText } from "./status-text.ts";

export async function controlCommand(
  command: ControlCommand,
  argv: readonly string[],
  { print, warn }: Terminal,
): Promise<number> {
  const words = controlWords(command, argv);
  if (words.type === "help") {
    print(helpText(command));
    return exitCodes.done;
  }
  if (words.type === "mistake") {
    warn(`maitred: error: ${words.message}\nsee maitred ${command} --help\n`);
    return exitCodes.mistake;
  }
  const { options } = words;
  const server = await findServer(options.target);
  if (server.type === "not found") {
    warn(`maitred: error: ${server.message}\n`);
    return server.exitCode;
  }
  const answer = await ask(server.path, request(command, options), () => {});
  if (answer.type === "done") {
    print(told(command, options, answer.message));
    return exitCodes.done;
  }
  // The end of the process is what `stop` waits for.
  if (answer.type === "ended" && command === "stop") {
    print(`Stopped (${server.name})\n`);
    return exitCodes.done;
  }
  warn(`maitred: error: ${problem(answer, server.name)}\n`);
  return exitCodeOf(answer);
}

// Private

function request(command: ControlCommand, { now, number, pool }: ControlOptions): Message {
  switch (command) {
    case "scale":
      return { type: "scale", workers: number, ...(pool === null ? {} : { pool }) };
    case "stacks":
      return { type: "stacks", worker: number };
    case "stop":
      return { type: "stop", now };
    case "status":
    case "reload":
      return { type: command };
  }
}

function told(command: ControlCommand, { json, number, pool }: ControlOptions, message: Message): string {
  switch (command) {
    case "status": {
      const status = message["status"] as Status;
      return json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status);
    }
    case "reload":
      return `Reloaded: ${String(message["workers"])} new workers serve\n${typeof message["notice"] === "string" ? `${message["notice"]}\n` : ""}`;
    case "scale":
      return `Scaling ${pool === null ? "" : `pool ${pool} `}to ${number} workers\n`;
    case "stacks": {
      const stacks = message["stacks"] as readonly { name: string; text: string }[];
      return stacks.map(({ name, text }) => `=== ${name}\n${text.trimEnd()}\n`).join("\n");
    }
    case "stop":
      return "";
  }
}

/** What an answer that is none says, for people. */
export function problem(answer: Answer, name: string): string {
  switch (answer.type) {
    case "failed": {
      const given = answer.message["traceback"];
      const traceback = typeof given === "string" ? given.trimEnd() : "";
      return `${String(answer.message["message"])}${traceback === "" ? "" : `\n${traceback}`}`;
    }
    case "refused":
      return `not permitted: ${String(answer.message["message"])}`;
    case "unreachable":
      return answer.code === "EACCES"
        ? `not permitted to use the control socket (${name})`
        : `no server answers at its control socket (${name}): ${answer.why}`;
    case "ended":
    case "done":
      return `the server ended without an answer (${name})`;
  }
}

export function exitCodeOf(answer: Answer): number {
  if (answer.type === "refused") return exitCodes.forbidden;
  if (answer.type === "unreachable") return answer.code === "EACCES" ? exitCodes.forbidden : exitCodes.none;
  return exitCodes.failed;
}
