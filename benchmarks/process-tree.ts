/**
 * What a server costs, read from /proc: the CPU time and the memory of its whole process tree.
 *
 * A tree is everything that descends from the roots, and everything in the roots' sessions: a daemon whose parent died has left the
 * tree but not the session. A process's own time and that of its reaped children are added, so the sum only grows: the time of a
 * worker that dies moves into its parent's account.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly cpuTicks: number;
  /** With the pid, this tells a process from a later one that was given the same pid. */
  readonly startTicks: number;
}

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

export function processTree(roots: readonly number[]): readonly Process[] {
  const members = new Set(roots);
  const table = everyProcess();
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const process of table) {
      if (members.has(process.parent) || roots.includes(process.session)) members.add(process.pid);
    }
  }
  return table.filter((process) => members.has(process.pid));
}

export function cpuSeconds(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, process) => sum + process.cpuTicks, 0) / ticksPerSecond;
}

/** What all processes of the machine have used since it started: user, nice and system time of proc_stat(5)'s first line. */
export function machineCpuSeconds(): number {
  const [, user, nice, system] = /^cpu +(\d+) (\d+) (\d+)/.exec(readOrEmpty("/proc/stat")) ?? [];
  return (Number(user) + Number(nice) + Number(system)) / ticksPerSecond;
}

/** Proportional set size: a page that N processes share counts as 1/N in each, so that the sum over a tree is what it occupies. */
export function pssMegabytes(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, { pid }) => sum + pssKilobytes(pid), 0) / 1024;
}

/** From now on peakMegabytes counts: the peaks of before are forgotten (proc_pid_clear_refs(5)). The megabytes of now. */
export function resetPeak(roots: readonly number[]): number {
  for (const { pid } of processTree(roots)) writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return peakMegabytes(roots);
}

/** The most that each process of the tree has had in memory since resetPeak, together. */
export function peakMegabytes(roots: readonly number[]): number {
  const kilobytes = ({ pid }: Process): number =>
    Number(/^VmHWM:\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0);
  return processTree(roots).reduce((sum, process) => sum + kilobytes(process), 0) / 1024;
}

export function isAlive(process: Process): boolean {
  const stat = readOrEmpty(`/proc/${process.pid}/stat`);
  return stat !== "" && parseStat(process.pid, stat).startTicks === process.startTicks;
}

function everyProcess(): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = readOrEmpty(`/proc/${pid}/stat`);
      return stat === "" ? [] : [parseStat(Number(pid), stat)];
    });
}

/** proc_pid_stat(5); the command's name, in brackets, may itself hold spaces and brackets. */
function parseStat(pid: number, stat: string): Process {
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const field = (number: number): number => fields[number - 3] ?? 0;
  const cpuTicks = field(14) + field(15) + field(16) + field(17);
  return { pid, parent: field(4), session: field(6), cpuTicks, startTicks: field(22) };
}

function pssKilobytes(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** A process may end between its listing and its reading. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
