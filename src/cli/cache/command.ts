/** `maitred cache purge`: asks a running server to give up some of what it has stored. */
import type { Terminal } from "../commands.ts";
import { ask } from "../control/client.ts";
import { exitCodeOf, problem } from "../control/command.ts";
import { exitCodes, findServer } from "../control/find-server.ts";
import { cacheHelp, cacheWords } from "./options.ts";

export async function cacheCommand(argv: readonly string[], { print, warn }: Terminal): Promise<number> {
  const words = cacheWords(argv);
  if (words.type === "help") {
    print(cacheHelp);
    return exitCodes.done;
  }
  if (words.type === "mistake") {
    warn(`maitred: error: ${words.message}\nsee maitred cache --help\n`);
    return exitCodes.mistake;
  }
  const server = await findServer(words.target);
  if (server.type === "not found") {
    warn(`maitred: error: ${server.message}\n`);
    return server.exitCode;
  }
  const answer = await ask(server.path, { type: "purge", wish: words.wish }, () => {});
  if (answer.type === "done") {
    const count = Number(answer.message["count"]);
    const done = words.wish.isSoft ? "Past their time now" : "Purged";
    print(`${done}: ${count} response${count === 1 ? "" : "s"}\n`);
    return exitCodes.done;
  }
  warn(`maitred: error: ${problem(answer, server.name)}\n`);
  return exitCodeOf(answer);
}
