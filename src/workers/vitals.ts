/** How a process does, from /proc: memory and CPU. I/O: two small reads per process, which the kernel answers from memory in some 20 µs. */
import { readFileSync } from "node:fs";
import { parseProcessStat } from "../telemetry/process-stat.ts";

export interface Vitals {
  /** Clock time of the sample. */
  readonly at: number;
  /** Resident memory, shared pages included. */
  readonly rssBytes: number;
  /** The most that was ever resident. */
  readonly peakRssBytes: number;
  readonly threads: number;
  /** CPU time used so far, user and system. */
  readonly cpuMs: number;
  /** CPUs used since the sample before (1 = one CPU all the time); null in the first one. */
  readonly cpuShare: number | null;
}

/** The process's vitals now; null where they cannot be had (it is gone, or there is no /proc). */
export function sampleVitals(pid: number, now: number, before: Vitals | null, proc: string = "/proc"): Vitals | null {
  let status: string;
  let stat: string;
  try {
    status = readFileSync(`${proc}/${pid}/status`, "latin1");
    stat = readFileSync(`${proc}/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  const rssBytes = kibibytes(status, "VmRSS");
  const { cpuMs } = parseProcessStat(stat);
  // A zombie has no memory left.
  if (rssBytes === null || !Number.isFinite(cpuMs)) return null;
  const cpuShare = before === null || now <= before.at ? null : (cpuMs - before.cpuMs) / (now - before.at);
  const threads = Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 1);
  return { at: now, rssBytes, peakRssBytes: kibibytes(status, "VmHWM") ?? rssBytes, threads, cpuMs, cpuShare };
}

/** A field of /proc/PID/status, proc_pid_status(5). */
function kibibytes(status: string, field: string): number | null {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status);
  return match === null ? null : Number(match[1]) * 1024;
}
