/** What a load costs a server. */
import { cpuSeconds, machineCpuSeconds } from "./process-tree.ts";
import type { RunningServer } from "./running-server.ts";

interface Cost {
  readonly cpuMicroseconds: number;
  readonly othersCores: number;
}

/**
 * The load's result, the CPU time of the server's whole tree for each of its requests, and how many cores were busy meanwhile with
 * what is neither server nor bench: on a shared machine that tells a bad figure from a bad moment.
 */
export async function costed<T extends { readonly requests: number }>(
  server: RunningServer,
  load: () => Promise<T>,
): Promise<{ readonly result: T; readonly cost: Cost }> {
  const sample = (): { atMs: number; server: number; others: number } => ({
    atMs: performance.now(),
    server: cpuSeconds(server.roots),
    others: machineCpuSeconds() - cpuSeconds([process.pid]),
  });
  const before = sample();
  const result = await load();
  const after = sample();
  return {
    result,
    cost: {
      cpuMicroseconds: ((after.server - before.server) / result.requests) * 1e6,
      othersCores: Math.max(0, (after.others - before.others) / ((after.atMs - before.atMs) / 1000)),
    },
  };
}
