/** h2load (nghttp2), the load client for HTTP/2: over prior knowledge, several requests side by side on each connection. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Load, LoadResult } from "./closed-loop.ts";

export async function h2load(load: Load & { readonly streams: number }): Promise<LoadResult> {
  const url = `http://127.0.0.1:${load.port}${load.path}`;
  const folder = mkdtempSync(join(tmpdir(), "maitred-h2load-"));
  const log = join(folder, "log");
  const duration = `-D${Math.round(load.seconds * 1000)}ms`;
  const flags = ["-t1", `-c${load.connections}`, `-m${load.streams}`, duration, `--log-file=${log}`];
  try {
    const { stdout } = await promisify(execFile)("h2load", [...flags, url], { timeout: load.seconds * 1000 + 20_000 });
    return readH2load(stdout, readFileSync(log, "latin1"), load.seconds);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0]! : String(error);
    return {
      requests: 0,
      seconds: load.seconds,
      p50Ms: 0,
      p99Ms: 0,
      faults: [`h2load (Debian: nghttp2-client): ${why}`],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `log` has a line for each request: start in microseconds, status, duration in microseconds. */
export function readH2load(report: string, log: string, seconds: number): LoadResult {
  const count = (name: string): number => Number(new RegExp(`(\\d+) ${name}`).exec(report)?.[1] ?? Number.NaN);
  const durations: number[] = [];
  for (const line of log.split("\n")) {
    const [, status, duration] = line.split("\t");
    if (status === "200") durations.push(Number(duration) / 1000);
  }
  durations.sort((a, b) => a - b);
  const at = (share: number): number =>
    durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] ?? 0;
  const faults = ["failed", "errored", "timeout"].flatMap((name) =>
    count(name) > 0 ? [`${count(name)} requests ${name}`] : [],
  );
  const other = count("succeeded") - durations.length;
  if (other > 0) faults.push(`${other} answers were not 200`);
  return { requests: durations.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99), faults };
}
