/** What /proc and the cgroup say about memory and CPU pressure now. I/O: a few small files per call. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/**
 * A process's proportional share of the memory (PSS): its own pages, and of each shared page its part. The resident size where the kernel gives no
 * PSS; null where the process is gone or there is no /proc.
 */
export function pssBytes(pid: number, proc: string = "/proc"): number | null {
  return (
    kibibytes(contents(`${proc}/${pid}/smaps_rollup`), "Pss") ?? kibibytes(contents(`${proc}/${pid}/status`), "VmRSS")
  );
}

/**
 * The same without stopping the event loop: the kernel looks at every page of the process, some 20 ms for a gigabyte. null where it gives no PSS,
 * or the process is gone.
 */
export async function pssBytesLater(pid: number, proc: string = "/proc"): Promise<number | null> {
  return kibibytes(await readFile(`${proc}/${pid}/smaps_rollup`, "latin1").catch(() => null), "Pss");
}

/** Memory that the machine could give without swapping (proc_meminfo(5)). */
export function availableBytes(proc: string = "/proc"): number | null {
  return kibibytes(contents(`${proc}/meminfo`), "MemAvailable");
}

/**
 * Part of the last ten seconds in which something of ours waited for a CPU: our cgroup's pressure, which counts its quota too, else the machine's;
 * null where the kernel keeps no such account. https://docs.kernel.org/accounting/psi.html
 */
export function cpuPressure(cgroupRoot: string, proc: string = "/proc"): number | null {
  const path = /^0::(\/.*)$/m.exec(contents(`${proc}/self/cgroup`) ?? "")?.[1] ?? "/";
  for (const file of [`${cgroupRoot}${path}/cpu.pressure`, `${cgroupRoot}/cpu.pressure`, `${proc}/pressure/cpu`]) {
    const some = /^some avg10=([\d.]+)/m.exec(contents(file) ?? "")?.[1];
    if (some !== undefined) return Number(some) / 100;
  }
  return null;
}

function kibibytes(text: string | null, field: string): number | null {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text ?? "");
  return match === null ? null : Number(match[1]) * 1024;
}

function contents(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
