/** An invented machine with 4 CPUs, and what readPlan makes of a command line on it. */
import assert from "node:assert/strict";
import type { HostFacts } from "./host-facts.ts";
import type { Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";
import { shellWords } from "./shell-words.ts";

export const house: HostFacts = {
  cwd: "/srv/site",
  pid: 4711,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: (explicit) => ({ path: explicit ?? "/usr/bin/python3" }),
  isDirectory: (path) => ["/srv/site", "/srv/site/src", "/app"].includes(path),
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

export type Env = Readonly<Record<string, string>>;

export function read(line: string, env: Env = {}, host: HostFacts = house): ReturnType<typeof readPlan> {
  const words = shellWords(line);
  assert.ok(words.type === "value");
  return readPlan(words.value, env, host);
}

export function planned(
  line: string,
  env: Env = {},
  host: HostFacts = house,
): { plan: Plan; notices: readonly string[] } {
  const result = read(line, env, host);
  assert.equal(result.type, "plan", result.type === "mistakes" ? result.mistakes.join("\n") : "");
  if (result.type !== "plan") throw new Error("unreachable");
  return result;
}
