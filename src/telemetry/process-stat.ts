/** What /proc/PID/stat tells of a process (proc_pid_stat(5)). Pure. */

/** Linux counts in ticks of this many milliseconds here, whatever its own clock (USER_HZ). */
const TICK_MS = 10;

export interface ProcessStat {
  /** CPU time used so far, user and system, in milliseconds; NaN where it is not told. */
  readonly cpuMs: number;
  /** When it began, in ticks since the machine did: of two processes with the same number, the later one has more. null where it is not told. */
  readonly startTicks: string | null;
}

export function parseProcessStat(text: string): ProcessStat {
  // The name in brackets may hold anything; the fields are counted from its end: utime is the 12th after it, stime the 13th, starttime the 20th.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, startTicks: fields[19] ?? null };
}
