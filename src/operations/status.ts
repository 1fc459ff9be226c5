/** What `maitred status` shows: the snapshot's type, and how it is taken. Memory and CPU are read from /proc when somebody asks, never before. */
import { readFileSync } from "node:fs";
import type { CacheCounts } from "../cache/response-cache.ts";
import type { MaintenanceStatus } from "../stages/maintenance.ts";
import type { UpstreamCounts } from "../upstream/upstream.ts";
import type { Plan } from "../config/plan.ts";
import { parseProcessStat } from "../telemetry/process-stat.ts";
import type { DeathReport, EndLedger, WorkerReport } from "../workers/report.ts";
import type { Pools } from "../workers/pools.ts";

export interface Usage {
  /** Bytes, as /proc/PID/smaps_rollup has them; `shared` is shared with other processes now. */
  readonly rss: number;
  readonly pss: number;
  readonly shared: number;
  readonly private: number;
  /** CPU milliseconds used so far. */
  readonly cpuMs: number;
}

export interface PoolStatus {
  readonly name: string;
  readonly app: string;
  readonly interface: string | null;
  /** Empty for the main one, which has the paths that are nobody's. */
  readonly patterns: readonly string[];
  readonly serving: number;
  readonly wanted: number;
  readonly waiting: number;
}

/** What is in force of the configuration. */
export interface ConfigurationStatus {
  readonly file: string;
  readonly sites: number;
  readonly routes: number;
}

export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly state: "starting" | "serving" | "draining" | "paused";
  readonly uptimeMs: number;
  readonly app: string;
  /** null: there is no configuration file. */
  readonly configuration: ConfigurationStatus | null;
  readonly interface: string | null;
  readonly python: string;
  readonly listeners: readonly string[];
  readonly health: string | null;
  readonly queue: { readonly waiting: number; readonly oldestMs: number };
  readonly connections: number;
  /** null: it is not on. */
  readonly maintenance: MaintenanceStatus | null;
  /** null: there is no cache. */
  readonly cache: CacheCounts | null;
  /** Other servers that routes lead to, those of former configurations too. */
  readonly upstreams: readonly UpstreamCounts[];
  readonly wanted: number;
  /** The main pool first. */
  readonly pools: readonly PoolStatus[];
  readonly isCrashLooping: boolean;
  readonly front: Usage | null;
  readonly zygotes: readonly { readonly pid: number; readonly usage: Usage | null }[];
  readonly workers: readonly (WorkerReport & { readonly pool: string; readonly usage: Usage | null })[];
  /** Ends of workers since the start, by reason. */
  readonly ends: Readonly<Record<string, number>>;
  /** The last that nobody had asked for. */
  readonly deaths: readonly DeathReport[];
}

/** What is known without asking the kernel. */
export type StatusFacts = Pick<
  Status,
  "version" | "state" | "uptimeMs" | "listeners" | "health" | "connections" | "cache" | "maintenance" | "upstreams"
> & { readonly plan: Plan; readonly oldestMs: number; readonly pools: Pools; readonly ledger: EndLedger };

/** Sites and routes of a plan; null without a configuration file. */
export function configurationOf({ configurationFile, sites }: Plan): ConfigurationStatus | null {
  if (configurationFile === null) return null;
  return {
    file: configurationFile,
    sites: Math.max(1, sites.length),
    routes: sites.reduce((count, { routes }) => count + routes.length, 0),
  };
}

export function takeStatus({ plan, pools, ledger, oldestMs, ...facts }: StatusFacts): Status {
  return {
    ...facts,
    app: plan.app,
    configuration: configurationOf(plan),
    pid: process.pid,
    interface: pools.main.interface,
    python: pools.python,
    queue: { waiting: pools.waiting, oldestMs },
    wanted: pools.wanted,
    pools: pools.all.map(({ name, plan: { app, patterns }, interface: kind, supervisor, wanted, dispatcher }) => ({
      name,
      app,
      interface: kind,
      patterns: patterns.map(({ text }) => text),
      serving: supervisor?.serving ?? 0,
      wanted,
      waiting: dispatcher.waiting,
    })),
    isCrashLooping: pools.isCrashLooping,
    front: usageOf(process.pid),
    zygotes: pools.zygotes.map((pid) => ({ pid, usage: usageOf(pid) })),
    workers: pools.report().map((worker) => ({ ...worker, usage: usageOf(worker.pid) })),
    ends: ledger.counts,
    deaths: ledger.deaths,
  };
}

/** Null where the process is gone, or there is no /proc. */
export function usageOf(pid: number): Usage | null {
  try {
    return parseUsage(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"), readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return null;
  }
}

export function parseUsage(smapsRollup: string, stat: string): Usage {
  const sizes = new Map<string, number>();
  for (const [, name = "", kilobytes] of smapsRollup.matchAll(/^(\w+): +(\d+) kB$/gm))
    sizes.set(name, Number(kilobytes) * 1024);
  const size = (...names: string[]): number => names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  return {
    rss: size("Rss"),
    pss: size("Pss"),
    shared: size("Shared_Clean", "Shared_Dirty"),
    private: size("Private_Clean", "Private_Dirty"),
    cpuMs: parseProcessStat(stat).cpuMs,
  };
}
