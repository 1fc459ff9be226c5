/** How each server is started. Access logs are off everywhere, and each server speaks HTTP/1.1 with keep-alive where it can. */
import { selfSigned } from "../src/cli/cert/self-signed.ts";
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
  readonly varnish: string;
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
  options: {
    threads?: number;
    preload?: boolean;
    log?: boolean;
    tls?: boolean;
    compress?: string;
    cache?: string;
  } = {},
): Setting {
  const extra = [
    ...(options.threads === undefined ? [] : ["--threads", String(options.threads)]),
    ...(options.preload ? ["--preload"] : []),
    ...(options.log ? ["--access-logfile", "/dev/null"] : []),
    ...(options.compress === undefined ? [] : ["--compress", options.compress]),
    ...(options.cache === undefined ? [] : ["--cache", options.cache]),
  ];
  return {
    server: options.log ? "maitred+log" : "maitred",
    label: [
      label(kind, workers, options.threads, options.preload),
      options.compress ?? [],
      options.cache === undefined ? [] : `cache ${options.cache}`,
    ]
      .flat()
      .join(", "),
    launch: ({ maitred, venv, appsFolder, folder, port, app }) => ({
      ...(options.tls && certified),
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
          ...(options.tls ? ["--certfile", `${folder}/cert.pem`, "--keyfile", `${folder}/key.pem`] : []),
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

export function nginxGunicorn(kind: GunicornKind, workers: number, threads = 1, options: NginxOptions = {}): Setting {
  return {
    server: "nginx+gunicorn",
    label: [
      label(kind, workers, kind === "gthread" ? threads : undefined),
      options.gzipLevel === undefined ? [] : `gzip ${options.gzipLevel}`,
      options.cache === true ? "proxy_cache" : [],
    ]
      .flat()
      .join(", "),
    launch: (place) =>
      behindNginx(
        place,
        (socket) => [...gunicornCommand(place, kind, workers, threads, `unix:${socket}`), place.app],
        options,
      ),
  };
}

/** Before gunicorn, with what it keeps in memory. It wants its application's socket to be there when it starts. */
export function varnishGunicorn(kind: GunicornKind, workers: number, threads = 1): Setting {
  return {
    server: "varnish+gunicorn",
    label: label(kind, workers, kind === "gthread" ? threads : undefined),
    launch: (place) => {
      const socket = `${place.folder}/app.sock`;
      const varnish = `${place.varnish} -F -j none -n ${place.folder}/varnish -a 127.0.0.1:${place.port} -f ${place.folder}/default.vcl -s malloc,64M`;
      return {
        files: { "default.vcl": `vcl 4.1;\nbackend default { .path = "${socket}"; }\n` },
        commands: [
          [...gunicornCommand(place, kind, workers, threads, `unix:${socket}`), place.app],
          ["/bin/sh", "-c", `until [ -S ${socket} ]; do sleep 0.1; done; exec ${varnish}`],
        ],
      };
    },
  };
}

export function nginxUvicorn(workers: number, options: NginxOptions = {}): Setting {
  return {
    server: "nginx+uvicorn",
    label: label("", workers),
    launch: (place) => behindNginx(place, (socket) => [...uvicornCommand(place, workers), "--uds", socket], options),
  };
}

export function uvicorn(
  workers: number,
  options: { tls?: boolean; ws?: "websockets" | "websockets-sansio" } = {},
): Setting {
  return {
    server: "uvicorn",
    label: label("", workers) + (options.ws === undefined ? "" : `, ${options.ws}`),
    launch: (place) => ({
      ...(options.tls && certified),
      commands: [
        [
          ...uvicornCommand(place, workers),
          ...(options.ws === undefined ? [] : ["--ws", options.ws]),
          "--host",
          "127.0.0.1",
          "--port",
          String(place.port),
          ...(options.tls
            ? ["--ssl-certfile", `${place.folder}/cert.pem`, "--ssl-keyfile", `${place.folder}/key.pem`]
            : []),
        ],
      ],
    }),
  };
}

export function granian(
  kind: "wsgi" | "asgi",
  workers: number,
  options: { threads?: number; runtime?: "st" | "mt"; http2?: boolean; tls?: boolean; webSockets?: boolean } = {},
): Setting {
  return {
    server: "granian",
    label: label(kind, workers, options.threads) + (options.runtime === undefined ? "" : `, ${options.runtime}`),
    launch: ({ venv, port, folder, app }) => ({
      ...(options.tls && certified),
      commands: [
        [
          `${venv}/granian`,
          "--interface",
          kind,
          "--http",
          options.http2 ? "auto" : "1",
          options.webSockets ? "--ws" : "--no-ws",
          "--log-level",
          "warning",
          "--host",
          "127.0.0.1",
          "--port",
          String(port),
          "--workers",
          String(workers),
          ...(options.threads === undefined ? [] : ["--blocking-threads", String(options.threads)]),
          ...(options.tls ? ["--ssl-certificate", `${folder}/cert.pem`, "--ssl-keyfile", `${folder}/key.pem`] : []),
          ...(options.runtime === undefined ? [] : ["--runtime-mode", options.runtime]),
          app,
        ],
      ],
    }),
  };
}

export function hypercorn(kind: "wsgi" | "asgi", workers: number): Setting {
  return {
    server: "hypercorn",
    label: label(kind, workers),
    launch: ({ venv, port, folder, app }) => ({
      // It closes a connection after 1000 requests, and only a file can say otherwise.
      files: { "hypercorn.toml": "keep_alive_max_requests = 1000000000\nkeep_alive_timeout = 75\n" },
      commands: [
        [
          `${venv}/hypercorn`,
          "--config",
          `${folder}/hypercorn.toml`,
          "--bind",
          `127.0.0.1:${port}`,
          "--workers",
          String(workers),
          "--worker-class",
          "uvloop",
          "--log-level",
          "warning",
          kind === "wsgi" ? `wsgi:${app}` : app,
        ],
      ],
    }),
  };
}

// Private

interface NginxOptions {
  readonly tls?: boolean;
  /** With prior knowledge, and nothing else on that address. */
  readonly http2?: boolean;
  readonly gzipLevel?: number;
  readonly cache?: boolean;
  /** Room for many connections and for bodies of any size. */
  readonly besieged?: boolean;
}

function gunicornCommand(
  { venv }: Place,
  kind: GunicornKind,
  workers: number,
  threads: number,
  bind: string,
): readonly string[] {
  const threading = kind === "gthread" ? ["--threads", String(threads), "--worker-connections", "8000"] : [];
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

/** The same key for all of them: P-256, what most certificates have today. */
const pair = selfSigned(["127.0.0.1"], 1, Date.now());
const certified = { files: { "cert.pem": pair.certificate, "key.pem": pair.key } };

const PLAIN_NGINX: Required<NginxOptions> = { tls: false, http2: false, gzipLevel: 0, cache: false, besieged: false };

function behindNginx(place: Place, upstream: (socket: string) => readonly string[], options: NginxOptions): Launch {
  const { port, folder } = place;
  const socket = `${folder}/app.sock`;
  return {
    files: {
      ...(options.tls === true && certified.files),
      "nginx.conf": nginxConfiguration({ ...PLAIN_NGINX, ...options, port, folder, socket }),
    },
    commands: [upstream(socket), [place.nginx, "-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"]],
  };
}

function label(kind: string, workers: number, threads?: number, preload?: boolean): string {
  return [
    `${kind} w${workers}`.trim() + (threads === undefined ? "" : ` t${threads}`),
    ...(preload ? ["preload"] : []),
  ].join(", ");
}
