/** `maitred maintenance on|off`: reads the page, if there is one, and tells a running server. */
import { readFileSync } from "node:fs";
import { pageType } from "../../config/error-pages.ts";
import { type MaintenanceOrder, MOST_PAGE_BYTES, type PageText } from "../../stages/maintenance-order.ts";
import type { Terminal } from "../commands.ts";
import { ask } from "../control/client.ts";
import { exitCodeOf, problem } from "../control/command.ts";
import { exitCodes, findServer } from "../control/find-server.ts";
import { maintenanceHelp, maintenanceWords } from "./options.ts";

export async function maintenanceCommand(argv: readonly string[], { print, warn }: Terminal): Promise<number> {
  const words = maintenanceWords(argv);
  if (words.type === "help") {
    print(maintenanceHelp);
    return exitCodes.done;
  }
  const wrong = (message: string): number => {
    warn(`maitred: error: ${message}\nsee maitred maintenance --help\n`);
    return exitCodes.mistake;
  };
  if (words.type === "mistake") return wrong(words.message);
  let order: MaintenanceOrder | null = null;
  if (words.type === "on") {
    const { holdMs, retryAfterSeconds, allow } = words;
    const page = words.page === null ? null : readPage(words.page);
    if (typeof page === "string") return wrong(page);
    order = { holdMs, page, retryAfterSeconds, allow };
  }
  const server = await findServer(words.target);
  if (server.type === "not found") {
    warn(`maitred: error: ${server.message}\n`);
    return server.exitCode;
  }
  const answer = await ask(server.path, { type: "maintenance", order }, () => {});
  if (answer.type !== "done") {
    warn(`maitred: error: ${problem(answer, server.name)}\n`);
    return exitCodeOf(answer);
  }
  const released = answer.message["released"];
  if (order !== null) print(`Maintenance is on: requests ${order.holdMs === null ? "get 503" : "wait"}\n`);
  else if (typeof released === "number")
    print(`Maintenance is over: ${released} held request${released === 1 ? "" : "s"} went on\n`);
  else print("Maintenance was not on\n");
  return exitCodes.done;
}

/** A string says what is wrong with it. */
function readPage(path: string): PageText | string {
  const contentType = pageType(path);
  if (contentType === undefined) return `--page ${path} is of no known type: name it .html, .json, .txt or .xml`;
  try {
    const text = readFileSync(path, "utf8");
    return Buffer.byteLength(text) > MOST_PAGE_BYTES
      ? `--page ${path} is larger than ${MOST_PAGE_BYTES} bytes`
      : { contentType, text };
  } catch (error) {
    return `--page ${path} cannot be read: ${(error as Error).message}`;
  }
}
