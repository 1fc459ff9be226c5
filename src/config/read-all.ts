/** The whole way to a Plan with the configuration file, where there is one: once at the start, and once more for each reload. */
import { findConfiguration } from "./file/find-configuration.ts";
import { realHost } from "./host.ts";
import { readPlan, type PlanResult } from "./read-plan.ts";
import type { Environment } from "./resolve.ts";

export async function readAll(argv: readonly string[], env: Environment, cwd: string): Promise<PlanResult> {
  const host = realHost(cwd, env);
  const found = await findConfiguration(argv, env, cwd);
  if (found.type === "none") return readPlan(argv, env, host);
  if (found.type === "file") {
    const result = readPlan(argv, env, host, found.configuration);
    return result.type === "plan" ? { ...result, notices: [...found.notices, ...result.notices] } : result;
  }
  const result = readPlan(argv, env, host);
  if (result.type === "help" || result.type === "version") return result;
  return { type: "mistakes", mistakes: [found.mistake, ...(result.type === "mistakes" ? result.mistakes : [])] };
}
