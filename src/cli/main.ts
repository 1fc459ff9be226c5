/**
 * Where `maitred ...` begins: reads the Plan, prints what can be answered at once, else hands over to server.ts. Exit codes: 0 after
 * help and version, 2 for mistakes in the settings, 70 for a bug of ours, otherwise what serve() says.
 */
import { readFileSync } from "node:fs";
import { realHost } from "../config/host.ts";
import { readPlan } from "../config/read-plan.ts";
import { usageText, versionText } from "./usage.ts";

const exitMistake = 2;
// EX_SOFTWARE of sysexits.h.
const exitBug = 70;

process.on("uncaughtException", reportBug);
process.on("unhandledRejection", reportBug);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  reportBug(error);
}

async function main(argv: readonly string[]): Promise<number> {
  const result = readPlan(argv, process.env, realHost(process.cwd(), process.env));
  switch (result.type) {
    case "help":
      process.stdout.write(usageText());
      return 0;
    case "version":
      process.stdout.write(versionText(ownVersion(), process.version));
      return 0;
    case "mistakes":
      process.stderr.write(result.mistakes.map((mistake) => `maitred: error: ${mistake}\n`).join("") + "see maitred --help\n");
      return exitMistake;
    case "plan": {
      // Only now: --help and mistakes must not pay for loading the server.
      const { serve } = await import("../server.ts");
      return await serve(result.plan, result.notices);
    }
  }
}

/** A Node stack trace tells an operator nothing; whoever asked for debug output gets it. */
function reportBug(error: unknown): never {
  const isDebug = /--log-level[= ]debug|UVICORN_LOG_LEVEL=debug/i.test(`${process.argv.join(" ")} UVICORN_LOG_LEVEL=${process.env["UVICORN_LOG_LEVEL"] ?? ""} ${process.env["GUNICORN_CMD_ARGS"] ?? ""}`);
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`maitred: internal error: ${message.split("\n")[0] ?? ""}, please report\n`);
  if (isDebug && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  process.exit(exitBug);
}

/** package.json stands two folders up, from src/cli as from dist/cli. */
function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "unknown";
}
