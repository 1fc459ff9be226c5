/** How many CPUs are ours, read from the text of Linux's files, and how many workers follow from it. Pure; host.ts reads the files. */

/** CPUs in a list such as "0-3,8"; null when it is not one. */
export function cpuListCount(list: string): number | null {
  let count = 0;
  for (const range of list.trim().split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range.trim());
    if (match === null) return null;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return null;
    count += last - first + 1;
  }
  return count;
}

/** CPUs that /proc/self/status allows. */
export function allowedCpus(status: string): number | null {
  const match = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status);
  return match?.[1] === undefined ? null : cpuListCount(match[1]);
}

/** CPUs that a cgroup v2 `cpu.max` grants ("150000 100000" is 1.5); null for "max" or what cannot be read. */
export function cpuMaxQuota(text: string): number | null {
  const match = /^(\d+)(?:\s+(\d+))?\s*$/.exec(text);
  return match === null ? null : quotient(Number(match[1]), Number(match[2] ?? 100_000));
}

/** CPUs that cgroup v1's `cpu.cfs_quota_us` and `cpu.cfs_period_us` grant; the quota -1 means no limit. */
export function cfsQuota(quota: string, period: string): number | null {
  return /^\d+\s*$/.test(quota) && /^\d+\s*$/.test(period) ? quotient(Number(quota), Number(period)) : null;
}

/** Our cgroup's path from /proc/self/cgroup: the unified hierarchy, or v1's hierarchy with the cpu controller. */
export function cgroupPath(procSelfCgroup: string, version: 1 | 2): string | null {
  for (const line of procSelfCgroup.split("\n")) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, id, controllers = "", path = "/"] = match;
    if (version === 2 ? id === "0" && controllers === "" : controllers.split(",").includes("cpu")) return path;
  }
  return null;
}

/** A cgroup and its parents up to the root: each may set a lower quota, and the lowest counts. */
export function cgroupAncestors(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  return parts.map((_, at) => `/${parts.slice(0, parts.length - at).join("/")}`).concat("/");
}

/** One worker for each CPU we may use, never less than one, with the reason for the banner. */
export function defaultWorkers(
  affinityCpus: number,
  cgroupQuotaCpus: number | null,
): { readonly cpus: number; readonly workers: number; readonly reason: string } {
  const isQuotaBound = cgroupQuotaCpus !== null && cgroupQuotaCpus < affinityCpus;
  const cpus = isQuotaBound ? cgroupQuotaCpus : affinityCpus;
  const workers = Math.max(1, Math.ceil(cpus));
  return { cpus, workers, reason: isQuotaBound ? `cgroup quota ${cpuText(cpus)}` : `${cpuText(cpus)} (affinity)` };
}

// Private

function quotient(quota: number, period: number): number | null {
  return quota > 0 && period > 0 ? quota / period : null;
}

function cpuText(cpus: number): string {
  return `${Number(cpus.toFixed(2))} ${cpus === 1 ? "CPU" : "CPUs"}`;
}
