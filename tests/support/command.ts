/** Runs `maitred status` and its sisters to their end. */
import { spawn } from "node:child_process";

import { repository } from "./places.ts";

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PATIENCE_MS = 30_000;

export async function command(args: readonly string[], options: { uid?: number } = {}): Promise<CommandResult> {
  const child = spawn(process.env["MAITRED_BIN"] ?? `${repository}/bin/maitred`, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    ...options,
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (data: string) => (text[name] += data));
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...text }));
  });
}
