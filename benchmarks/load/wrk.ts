/** Load by wrk, in one thread: on a small machine it shares the cores with the server, and takes the least of them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Load, LoadResult } from "./closed-loop.ts";
import { Faults } from "./faults.ts";

export async function wrk(program: string, load: Load): Promise<LoadResult> {
  const url = `${load.isSecure === true ? "https" : "http"}://127.0.0.1:${load.port}${load.path}`;
  const flags = ["-t1", `-c${load.connections}`, `-d${Math.ceil(load.seconds)}s`, "--timeout", "10s", "--latency"];
  if (load.accepts !== undefined) flags.push("-H", `Accept-Encoding: ${load.accepts}`);
  const { stdout } = await promisify(execFile)(program, [...flags, url], { timeout: load.seconds * 1000 + 20_000 });
  return readWrk(stdout);
}

export function readWrk(output: string): LoadResult {
  const total = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(output);
  if (total === null) throw new Error(`wrk did not report its requests: ${output}`);
  const faults = new Faults();
  faults.add("status that is not 2xx or 3xx", Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0));
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  ["connect", "read", "write", "timeout"].forEach((kind, index) =>
    faults.add(`socket error: ${kind}`, Number(errors?.[index + 1] ?? 0)),
  );
  return {
    requests: Number(total[1]),
    seconds: milliseconds(total[2], total[3]) / 1000,
    p50Ms: percentileMs(output, 50),
    p99Ms: percentileMs(output, 99),
    faults: faults.list,
  };
}

function percentileMs(output: string, percentile: number): number {
  const found = new RegExp(`${percentile}%\\s+([\\d.]+)(us|ms|s|m)`).exec(output);
  return milliseconds(found?.[1], found?.[2]);
}

function milliseconds(value: string | undefined, unit: string | undefined): number {
  const factors: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
  return Number(value) * (factors[unit ?? ""] ?? Number.NaN);
}
