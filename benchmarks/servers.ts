/** How each server is started. Access logs are off everywhere, and each server speaks HTTP/1.1 with keep-alive where it can. */
import { nginxConfiguration } from "./nginx.ts";

/** Where one run takes place: an app, a free port, and a folder that is removed afterwards. */
export interface Place {
  readonly app: string;
  readonly appsFolder: string;
  readonly port: number;
  readonly folder: string;
  /** The bin folder of the venv that every server and app runs from. */
  readonly venv: string;
  readonly maitred: string;
  readonly nginx: string;
}

export interface Launch {
  readonly commands: readonly (readonly string[])[];
  /** Written into the place's folder before the start: name to content. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Setting {
  readonly server: string;
  readonly label: string;
  readonly launch: (place: Place) => Launch;
}

export function maitred(
  kind: "sync" | "gthread" | "asgi",
  workers: number,
  options: { threads?: number; preload?: boolean; log?: boolean } = {},
): Setting {
  const extra = [
    ...(options.threads === undefined ? [] : ["--threads", String(options.threads)]),
    ...(options.preload ? ["--preload"] : []),
    ...(options.log ? ["--access-logfile", "/dev/null"] : []),
  ];
  return {
    server: options.log ? "maitred+log" : "maitred",
    label: label(kind, workers, options.threads, options.preload),
    launch: ({ maitred, venv, appsFolder, port, app }) => ({
      commands: [
        [
          maitred,
          "-b",
          `127.0.0.1:${port}`,
          "-w",
          String(workers),
          "-k",
          kind,
          ...extra,
          "--chdir",
          appsFolder,
          "--python",
          `${venv}/python`,
          app,
        ],
      ],
    }),
  };
}

type GunicornKind = "sync" | "gthread" | "asgi";

export function gunicorn(
  kind: GunicornKind,
  workers: number,
  threads = 1,
  options: { preload?: boolean } = {},
): Setting {
  return {
    server: "gunicorn",
    label: label(kind, workers, kind === "gthread" ? threads : undefined, options.preload),
    launch: (place) => ({
      commands: [
        [
          ...gunicornCommand(place, kind, workers, threads, `127.0.0.1:${place.port}`),
          ...(options.preload ? ["--preload"] : []),
          place.app,
        ],
      ],
    }),
  };
}

export function nginxGunicorn(kind: GunicornKind, workers: number, threads = 1): Setting {
  return {
    server: "nginx+gunicorn",
    label: label(kind, workers, kind === "gthread" ? threads : undefined),
    launch: (place) =>
      behindNginx(place, (socket) => [...gunicornCommand(place, kind, workers, threads, `unix:${socket}`), place.app]),
  };
}

export function nginxUvicorn(workers: number): Setting {
  return {
    server: "nginx+uvicorn",
    label: label("", workers),
    launch: (place) => behindNginx(place, (socket) => [...uvicornCommand(place, workers), "--uds", socket]),
  };
}

export function uvicorn(workers: number): Setting {
  return {
    server: "uvicorn",
    label: label("", workers),
    launch: (place) => ({
      commands: [[...uvicornCommand(place, workers), "--host", "127.0.0.1", "--port", String(place.port)]],
    }),
  };
}

export function granian(
  kind: "wsgi" | "asgi",
  workers: number,
  options: { threads?: number; runtime?: "st" | "mt" } = {},
): Setting {
  return {
    server: "granian",
    label: label(kind, workers, options.threads) + (options.runtime === undefined ? "" : `, ${options.runtime}`),
    launch: ({ venv, port, app }) => ({
      commands: [
        [
          `${venv}/granian`,
          "--interface",
          kind,
          "--http",
          "1",
          "--no-ws",
          "--log-level",
          "warning",
          "--host",
          "127.0.0.1",
          "--port",
          String(port),
          "--workers",
          String(workers),
          ...(options.threads === undefined ? [] : ["--blocking-threads", String(options.threads)]),
          ...(options.runtime === undefined ? [] : ["--runtime-mode", options.runtime]),
          app,
        ],
      ],
    }),
  };
}

// Private

function gunicornCommand(
  { venv }: Place,
  kind: GunicornKind,
  workers: number,
  threads: number,
  bind: string,
): readonly string[] {
  const threading = kind === "gthread" ? ["--threads", String(threads)] : [];
  // Its default, 2 s, would close idle connections in the middle of a run; the control socket's path is shared by all instances.
  return [
    `${venv}/gunicorn`,
    "-b",
    bind,
    "-w",
    String(workers),
    "-k",
    kind,
    ...threading,
    "--keep-alive",
    "75",
    "--log-level",
    "warning",
    "--no-control-socket",
  ];
}

function uvicornCommand({ venv, app }: Place, workers: number): readonly string[] {
  return [
    `${venv}/uvicorn`,
    app,
    "--workers",
    String(workers),
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--log-level",
    "warning",
  ];
}

function behindNginx(place: Place, upstream: (socket: string) => readonly string[]): Launch {
  const socket = `${place.folder}/app.sock`;
  return {
    files: { "nginx.conf": nginxConfiguration({ port: place.port, folder: place.folder, socket }) },
    commands: [upstream(socket), [place.nginx, "-p", place.folder, "-c", `${place.folder}/nginx.conf`, "-e", "stderr"]],
  };
}

function label(kind: string, workers: number, threads?: number, preload?: boolean): string {
  return [
    `${kind} w${workers}`.trim() + (threads === undefined ? "" : ` t${threads}`),
    ...(preload ? ["preload"] : []),
  ].join(", ");
}
