/** Finds and reads the configuration file. I/O. The parser and the schema are loaded only where there is one. */
import { readFileSync } from "node:fs";
import { originText } from "../origin.ts";
import { absolutePath } from "../paths.ts";
import { resolve, type Environment } from "../resolve.ts";
import { config } from "../settings/process.ts";
import { chdir } from "../settings/python.ts";
import type { Configuration } from "./read-configuration.ts";

export type Found =
  | { readonly type: "file"; readonly configuration: Configuration; readonly notices: readonly string[] }
  | { readonly type: "none" }
  | { readonly type: "mistake"; readonly mistake: string };

const TOOL = ["tool", "maitred"];

export async function findConfiguration(argv: readonly string[], env: Environment, cwd: string): Promise<Found> {
  const resolved = resolve(argv, env);
  const asked = resolved.get(config);
  const folder = absolutePath(cwd, resolved.get(chdir).value ?? ".");
  if (asked.value !== null) {
    const path = absolutePath(folder, asked.value);
    const text = contents(path);
    if (typeof text !== "string")
      return { type: "mistake", mistake: `${originText(asked.origin)} cannot be read: ${text.why} (${path})` };
    const isProject = asked.value === "pyproject.toml" || asked.value.endsWith("/pyproject.toml");
    const configuration = await read(text, asked.value, path, isProject);
    return configuration === null
      ? { type: "mistake", mistake: `${originText(asked.origin)} has no [tool.maitred]` }
      : { type: "file", configuration, notices: [] };
  }
  const own = absolutePath(folder, "maitred.toml");
  const project = absolutePath(folder, "pyproject.toml");
  const ownText = contents(own);
  const projectText = contents(project);
  const fromProject =
    typeof projectText === "string" && projectText.includes("maitred")
      ? await read(projectText, "pyproject.toml", project, true)
      : null;
  if (typeof ownText === "string") {
    const configuration = (await read(ownText, "maitred.toml", own, false))!;
    const notices =
      fromProject === null ? [] : ["[tool.maitred] in pyproject.toml has no effect: there is a maitred.toml"];
    return { type: "file", configuration, notices };
  }
  if (ownText.code !== "ENOENT" && ownText.code !== "ENOTDIR")
    return { type: "mistake", mistake: `maitred.toml cannot be read: ${ownText.why} (${own})` };
  // A pyproject.toml that is no TOML is other tools' business too, and says nothing of us for sure.
  if (fromProject === null) return { type: "none" };
  return { type: "file", configuration: fromProject, notices: [] };
}

// Private

async function read(text: string, name: string, path: string, isProject: boolean): Promise<Configuration | null> {
  const { readConfiguration } = await import("./read-configuration.ts");
  return readConfiguration(text, name, path, isProject ? TOOL : []);
}

function contents(path: string): string | { readonly code: string; readonly why: string } {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return { code, why: code === "ENOENT" ? "there is no such file" : message };
  }
}
