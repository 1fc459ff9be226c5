/** The machine and the versions behind the figures, without which they say nothing. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { delimiter, join } from "node:path";

const packages = [
  "gunicorn",
  "granian",
  "uvicorn",
  "hypercorn",
  "h2",
  "websockets",
  "uvloop",
  "httptools",
  "Django",
  "Flask",
  "fastapi",
];

/** A program's path, or null; Debian keeps nginx in /usr/sbin, which is on few people's PATH. */
export function find(program: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Lines of a Markdown list. */
export function describeMachine(
  checkout: string,
  venv: string,
  { nginx, varnish, wrk }: Readonly<Record<"nginx" | "varnish" | "wrk", string | null>>,
): readonly string[] {
  const [cpu] = cpus();
  const load = loadavg()[0] ?? 0;
  const script =
    "import sys; from importlib.metadata import version; print(sys.version.split()[0], *(f'{p} {version(p)}' for p in sys.argv[1:]), sep=', ')";
  return [
    `machine: ${cpu?.model ?? "unknown CPU"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    `load average at the start: ${load.toFixed(2)}${load > 1 ? " (a BUSY machine: trust the ratios more than the figures)" : ""}`,
    `maitred ${run("git", ["-C", checkout, "describe", "--always", "--dirty"])}, Node ${process.version}`,
    `CPython ${run(join(venv, "python"), ["-c", script, ...packages])}`,
    nginx === null
      ? "no nginx on the PATH: its settings are left out"
      : `nginx ${/[\d.]+/.exec(run(nginx, ["-v"]))?.[0]}`,
    varnish === null
      ? "no varnishd on the PATH: its settings are left out"
      : `varnish ${/[\d.]+/.exec(run(varnish, ["-V"]))?.[0]}`,
    wrk === null
      ? "load: the bundled client, a Node process (no wrk on the PATH)"
      : `load: wrk ${/wrk (\S+)/.exec(run(wrk, ["-v"]))?.[1]}, -t1 -c64`,
  ];
}

/** What it printed to either stream, whatever its exit status: wrk -v exits with 1, nginx -v writes to stderr. */
function run(program: string, flags: readonly string[]): string {
  try {
    return execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1 || true', program, ...flags], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
