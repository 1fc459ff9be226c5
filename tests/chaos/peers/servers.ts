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
  /** A worker that does not come back from a request for so long is killed, where the server can tell; 0 = as it comes. */
  readonly timeoutSeconds: number;
}

export interface Server {
  readonly name: string;
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

/** What is 0 is left out. */
const flags = (named: Readonly<Record<string, string | number>>): readonly string[] =>
  Object.entries(named).flatMap(([name, value]) => (value === 0 ? [] : [name, String(value)]));

const maitred = (kind: "sync" | "asgi"): Server => ({
  name: `maitred, ${kind}`,
  speaks: kind === "asgi" ? "asgi" : "wsgi",
  canRecycle: true,
  upgrade: "alone",
  command: ({ port, folder, workers, maxRequests, timeoutSeconds }) => [
    process.env["MAITRED_BIN"] ?? join(repository, "bin/maitred"),
    ...flags({ "--python": join(venv, "python"), "-b": `127.0.0.1:${port}`, "-k": kind, "-w": workers }),
    ...flags({ "--max-requests": maxRequests, "--timeout": timeoutSeconds, "--chdir": folder }),
    `chaos_app:${kind === "asgi" ? "asgi" : "wsgi"}`,
  ],
});

const gunicorn = (kind: "sync" | "gthread"): Server => ({
  name: `gunicorn, ${kind}`,
  speaks: "wsgi",
  canRecycle: true,
  upgrade: "by hand",
  command: ({ port, folder, workers, maxRequests, timeoutSeconds }) => [
    join(venv, "gunicorn"),
    "--no-control-socket",
    ...flags({ "-b": `127.0.0.1:${port}`, "-k": kind, "-w": workers, "--keep-alive": 75 }),
    ...flags({ "--max-requests": maxRequests, "--timeout": timeoutSeconds, "--chdir": folder }),
    "chaos_app:wsgi",
  ],
});

const uvicorn: Server = {
  name: "uvicorn",
  speaks: "asgi",
  canRecycle: true,
  upgrade: null,
  command: ({ port, folder, workers, maxRequests, timeoutSeconds }) => [
    join(venv, "uvicorn"),
    "--no-access-log",
    ...flags({ "--port": port, "--workers": workers, "--app-dir": folder, "--timeout-keep-alive": 75 }),
    ...flags({ "--timeout-worker-healthcheck": timeoutSeconds, "--limit-max-requests": maxRequests }),
    "chaos_app:asgi",
  ],
};

const granian: Server = {
  name: "granian, WSGI",
  speaks: "wsgi",
  canRecycle: false,
  upgrade: null,
  command: ({ port, folder, workers }) => [
    join(venv, "granian"),
    "--respawn-failed-workers",
    ...flags({ "--interface": "wsgi", "--port": port, "--workers": workers, "--blocking-threads": 1 }),
    ...flags({ "--respawn-interval": 0.1, "--working-dir": folder }),
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
