/** What readPlan needs to know about the machine, as an interface: tests bring an invented host, host.ts the real one. */
import type { PathUse } from "./path-trouble.ts";

export interface HostFacts {
  readonly cwd: string;
  readonly pid: number;
  /** As Node names it: "linux", "darwin". */
  readonly platform: string;
  /** CPUs this process may run on. */
  readonly affinityCpus: number;
  /** CPU time the cgroup grants, in CPUs; null without a quota. */
  readonly cgroupQuotaCpus: number | null;
  /** The interpreter: the one asked for, else the virtual environment's (`chdir` may hold one), else the one on PATH. */
  findPython(explicit: string | null, chdir: string): { readonly path: string } | { readonly error: string };
  isDirectory(path: string): boolean;
  isFile(path: string): boolean;
  /** Why this user cannot use it so: a sentence about the path or one above it; null where it can. */
  trouble(path: string, use: PathUse): string | null;
  /** A text file; null where it cannot be read. */
  textOf(path: string): string | null;
}
