/** The servers that go through the same scenarios, and how each is started. All have the same number of workers, each with one request at work. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

// Not from tests/support/places.ts: that one belongs to the test runner.
export const repository: string = resolve(import.meta.dirname, "../../..");

export interface Wish {
  readonly port: number;
  readonly folder: string;
  readonly workers: number;
  /** A worker is replaced after so many requests; 0 = never. */
  readonly maxRequests: number;
  /** A worker that does not come back from a request for so long is killed, where the server can tell. */
  readonly timeoutSeconds: number;
}

export interface Server {
  readonly name: string;
  /** How it was started, without what every start has. */
  readonly flags: string;
  readonly speaks: "wsgi" | "asgi";
  readonly canRecycle: boolean;
  /** Has a way to give its listeners to a new release of itself (SIGUSR2): "alone" ends the old one itself. */
  readonly upgrade: "alone" | "by hand" | null;
  readonly command: (wish: Wish) => readonly string[];
}

const venv = join(repository, ".tools/bench/bin");

export function versions(): string {
  const list = execFileSync(join(venv, "pip"), ["list", "--disable-pip-version-check"], { encoding: "utf8" });
  const of = (name: string): string => `${name} ${new RegExp(`^${name} +(\\S+)`, "m").exec(list)?.[1] ?? "?"}`;
  const own = (JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { version: string }).version;
  const python = execFileSync(join(venv, "python"), ["-V"], { encoding: "utf8" }).trim();
  return [`maitred ${own}`, ...["gunicorn", "uvicorn", "granian"].map(of), python, `Node ${process.version}`].join(
    ", ",
  );
}

const maitred = (kind: "sync" | "asgi"): Server => ({
  name: `maitred, ${kind}`,
  flags: `-k ${kind}`,
  speaks: kind === "asgi" ? "asgi" : "wsgi",
  canRecycle: true,
  upgrade: "alone",
  command: ({ port, folder, workers, maxRequests, timeoutSeconds }) => [
    join(repository, "bin/maitred"),
    ...["--python", join(venv, "python"), "-b", `127.0.0.1:${port}`, "-k", kind, "-w", String(workers)],
    ...["--max-requests", String(maxRequests), "--timeout", String(timeoutSeconds), "--chdir", folder],
    `chaos_app:${kind === "asgi" ? "asgi" : "wsgi"}`,
  ],
});

const gunicorn = (kind: "sync" | "gthread"): Server => ({
  name: `gunicorn, ${kind}`,
  flags: `-k ${kind}`,
  speaks: "wsgi",
  canRecycle: true,
  upgrade: "by hand",
  command: ({ port, folder, workers, maxRequests, timeoutSeconds }) => [
    join(venv, "gunicorn"),
    ...["-b", `127.0.0.1:${port}`, "-k", kind, "-w", String(workers), "--keep-alive", "75", "--no-control-socket"],
    ...["--max-requests", String(maxRequests), "--timeout", String(timeoutSeconds), "--chdir", folder],
    "chaos_app:wsgi",
  ],
});

const uvicorn: Server = {
  name: "uvicorn",
  flags: "--timeout-worker-healthcheck",
  speaks: "asgi",
  canRecycle: true,
  upgrade: null,
  command: ({ port, folder, workers, maxRequests, timeoutSeconds }) => [
    join(venv, "uvicorn"),
    ...["--port", String(port), "--workers", String(workers), "--app-dir", folder, "--no-access-log"],
    ...["--timeout-worker-healthcheck", String(timeoutSeconds), "--timeout-keep-alive", "75"],
    ...(maxRequests > 0 ? ["--limit-max-requests", String(maxRequests)] : []),
    "chaos_app:asgi",
  ],
};

const granian: Server = {
  name: "granian, WSGI",
  flags: "--respawn-failed-workers --respawn-interval 0.1",
  speaks: "wsgi",
  canRecycle: false,
  upgrade: null,
  command: ({ port, folder, workers }) => [
    join(venv, "granian"),
    ...["--interface", "wsgi", "--port", String(port), "--workers", String(workers), "--blocking-threads", "1"],
    ...["--respawn-failed-workers", "--respawn-interval", "0.1", "--working-dir", folder],
    "chaos_app:wsgi",
  ],
};

export const servers: readonly Server[] = [
  maitred("sync"),
  gunicorn("sync"),
  gunicorn("gthread"),
  granian,
  maitred("asgi"),
  uvicorn,
];
