/**
 * Where `maitred ...` begins: runs another command where the first word names one (commands.ts), else reads the Plan, prints what can be answered at once, else hands over to server/serve.ts. Exit codes: 0 after
 * help and version, 2 for mistakes in the settings, 70 for a bug of ours, otherwise what serve() says.
 */
import type { PlanResult } from "../config/read-plan.ts";
import { resolve } from "../config/resolve.ts";
import { checkConfig, help, printConfig } from "../config/settings/process.ts";
import { isReplaced, ownVersion, REPLACED } from "../own-files.ts";
import { commands } from "./commands.ts";
import { readJudged } from "./read-judged.ts";
import { usageText, versionText } from "./usage.ts";

const exitMistake = 2;
// EX_SOFTWARE of sysexits.h.
const exitBug = 70;

/** Variables of systemd and of bin/maitred, which the Plan has read. */
const handedToUs = [
  "LISTEN_FDS",
  "LISTEN_PID",
  "LISTEN_FDNAMES",
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
  "MAITRED_NOTIFY_FD",
  "MAITRED_INIT_FD",
  "MAITRED_COMMAND",
  "MAITRED_HANDOVER",
];

/** A Node stack trace tells an operator nothing; who asked for debug output gets it. */
let wantsStack = /--log-level[= ](debug|trace)/i.test(process.argv.join(" "));

process.on("uncaughtException", reportBug);
process.on("unhandledRejection", reportBug);
process.exitCode = await main(process.argv.slice(2)).catch(reportBug);

async function main(argv: readonly string[]): Promise<number> {
  const command = commands.find(({ name }) => name === argv[0]);
  if (command !== undefined) return command.run(argv.slice(1), { print, warn: (text) => process.stderr.write(text) });
  const folder = currentFolder();
  if (folder === null) {
    process.stderr.write(
      "maitred: error: the current folder no longer exists: cd somewhere else, or into its successor\n",
    );
    return exitMistake;
  }
  const asked = resolve(argv, process.env);
  const [checks, explains] = [asked.get(checkConfig).value, asked.get(printConfig).value];
  if ((checks || explains) && !asked.get(help).value) {
    const { checkCommand } = await import("./check/command.ts");
    const words = argv.filter((word) => word !== "--check-config" && word !== "--print-config");
    return checkCommand([...(explains ? ["--explain"] : []), ...words], print, (text) => process.stderr.write(text));
  }
  // A reload reads all of it again, as it was given to this process.
  const env = { ...process.env };
  const read = async (isServing: boolean): Promise<PlanResult> =>
    (await readJudged(argv, env, folder, isServing)).result;
  const reread = (): Promise<PlanResult> =>
    read(true).catch((error: unknown) => {
      if (!isReplaced(error)) throw error;
      return { type: "mistakes", mistakes: [REPLACED], tls: null };
    });
  const result = await read(false);
  switch (result.type) {
    case "help":
      return print(usageText());
    case "version":
      return print(versionText(ownVersion(), process.version));
    case "mistakes":
      process.stderr.write(
        result.mistakes.map((mistake) => `maitred: error: ${mistake}\n`).join("") + "see maitred --help\n",
      );
      return exitMistake;
    case "plan": {
      // What was meant for this process must not reach the application's.
      for (const name of handedToUs) delete process.env[name];
      wantsStack = result.plan.logLevel === "debug";
      // Only now: --help and mistakes must not pay for loading the server.
      const { serve } = await import("../server/serve.ts");
      return await serve(result.plan, result.notices, ownVersion(), reread);
    }
  }
}

/** A shell that stands in a folder which a deployment has replaced makes process.cwd() throw ENOENT. */
function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

function print(text: string): number {
  // `maitred --help | head` closes the pipe early, which is no bug of ours.
  process.stdout.on("error", () => process.exit(0));
  process.stdout.write(text);
  return 0;
}

function reportBug(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`maitred: internal error: ${message.split("\n")[0] ?? ""}, please report\n`);
  if (wantsStack && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  process.exit(exitBug);
}
