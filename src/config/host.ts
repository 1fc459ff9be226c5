/** The real machine behind HostFacts: CPU affinity, cgroup quota, the Python interpreter. I/O: reads /proc, /sys/fs/cgroup and folders. */
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { allowedCpus, cfsQuota, cgroupAncestors, cgroupPath, cpuMaxQuota } from "./cpus.ts";
import type { HostFacts } from "./host-facts.ts";
import { absolutePath } from "./paths.ts";
import { pathTrouble } from "./path-trouble.ts";
import type { Environment } from "./resolve.ts";

export function realHost(cwd: string, env: Environment): HostFacts {
  return {
    cwd,
    pid: process.pid,
    platform: process.platform,
    affinityCpus: allowedCpus(contents("/proc/self/status") ?? "") ?? availableParallelism(),
    cgroupQuotaCpus: cgroupQuota(),
    findPython: (explicit, chdir) => findPython(explicit, chdir, cwd, env),
    isDirectory,
    isFile,
    trouble: pathTrouble,
    textOf: contents,
  };
}

// Private

function findPython(
  explicit: string | null,
  chdir: string,
  cwd: string,
  env: Environment,
): ReturnType<HostFacts["findPython"]> {
  if (explicit !== null) return explicit.includes("/") ? explicitPath(explicit, cwd) : explicitName(explicit, env);

  const active = env["VIRTUAL_ENV"] ?? "";
  if (active !== "") {
    const path = absolutePath(cwd, `${active}/bin/python`);
    return isExecutable(path)
      ? { path }
      : { error: `VIRTUAL_ENV=${active} has no bin/python that can be run: unset it, or give --python PATH` };
  }
  for (const folder of [".venv", "venv"]) {
    const path = absolutePath(chdir, `${folder}/bin/python`);
    if (isExecutable(path)) return { path };
  }
  const path = onPath("python3", env) ?? onPath("python", env);
  return path === null
    ? { error: "no Python found: there is no python3 or python on PATH, and no .venv; give --python PATH" }
    : { path };
}

function explicitPath(explicit: string, cwd: string): ReturnType<HostFacts["findPython"]> {
  const path = absolutePath(cwd, explicit);
  if (isExecutable(path)) return { path };
  // The folder of a virtual environment is what people have at hand.
  const inside = `${path}/bin/python`;
  if (isDirectory(path))
    return isExecutable(inside) ? { path: inside } : { error: `--python ${explicit} is a folder without bin/python` };
  return { error: `--python ${explicit} ${isFile(path) ? "may not be executed" : "does not exist"} (${path})` };
}

function explicitName(name: string, env: Environment): ReturnType<HostFacts["findPython"]> {
  const path = onPath(name, env);
  return path === null
    ? { error: `--python ${name} is not on PATH; for a file in this folder write --python ./${name}` }
    : { path };
}

function onPath(name: string, env: Environment): string | null {
  for (const folder of (env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(":")) {
    // Not resolved further: a virtual environment is recognised by the path of its symbolic link.
    if (folder.startsWith("/") && isExecutable(`${folder}/${name}`)) return absolutePath(folder, name);
  }
  return null;
}

function cgroupQuota(): number | null {
  const own = contents("/proc/self/cgroup") ?? "";
  const quotas: (number | null)[] = [];
  for (const folder of cgroupAncestors(cgroupPath(own, 2) ?? "/")) {
    quotas.push(cpuMaxQuota(contents(absolutePath("/sys/fs/cgroup", `.${folder}/cpu.max`)) ?? ""));
  }
  for (const folder of cgroupAncestors(cgroupPath(own, 1) ?? "/")) {
    const file = (name: string): string => contents(absolutePath("/sys/fs/cgroup/cpu", `.${folder}/${name}`)) ?? "";
    quotas.push(cfsQuota(file("cpu.cfs_quota_us"), file("cpu.cfs_period_us")));
  }
  const set = quotas.filter((quota) => quota !== null);
  return set.length === 0 ? null : Math.min(...set);
}

function contents(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function isDirectory(path: string): boolean {
  return kindOf(path) === "directory";
}

function isFile(path: string): boolean {
  return kindOf(path) === "file";
}

function kindOf(path: string): "file" | "directory" | null {
  try {
    const facts = statSync(path);
    return facts.isFile() ? "file" : facts.isDirectory() ? "directory" : null;
  } catch {
    return null;
  }
}

function isExecutable(path: string): boolean {
  if (!isFile(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
