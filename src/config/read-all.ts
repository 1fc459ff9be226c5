/** The whole way to a Plan with the configuration file, where there is one: once at the start, and once more for each reload. */
import { findConfiguration } from "./file/find-configuration.ts";
import type { Configuration } from "./file/read-configuration.ts";
import { realHost } from "./host.ts";
import { readPlan, type PlanResult } from "./read-plan.ts";
import type { Environment } from "./resolve.ts";

export interface AllRead {
  readonly result: PlanResult;
  /** null: there is no file, or it could not be read. */
  readonly configuration: Configuration | null;
}

export async function readAll(argv: readonly string[], env: Environment, cwd: string): Promise<AllRead> {
  const host = realHost(cwd, env);
  const found = await findConfiguration(argv, env, cwd);
  if (found.type === "none") return { result: readPlan(argv, env, host), configuration: null };
  if (found.type === "file") {
    const { configuration, notices } = found;
    const result = readPlan(argv, env, host, configuration);
    if (result.type !== "plan") return { result, configuration };
    return { result: { ...result, notices: [...notices, ...result.notices] }, configuration };
  }
  const result = readPlan(argv, env, host);
  if (result.type === "help" || result.type === "version") return { result, configuration: null };
  const mistakes = [found.mistake, ...(result.type === "mistakes" ? result.mistakes : [])];
  return { result: { type: "mistakes", mistakes, tls: result.tls }, configuration: null };
}
