/** Where maitred listens. Several spellings of one thing: listen.ts turns them into the Plan's binds. */
import { bind as bindType, hostName, portNumber, unixPath } from "../bind.ts";
import type { Bind } from "../plan.ts";
import { repeated, single, type Section, type Setting } from "../setting.ts";
import { umaskBits, wholeNumber } from "../value-types.ts";

export const bind: Setting<readonly Bind[]> = repeated({
  key: "bind",
  flags: ["-b", "--bind"],
  metavar: "ADDRESS",
  type: bindType,
  fallbackText: "127.0.0.1:8000, or 0.0.0.0:$PORT",
  help: "Address to listen on: HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH or fd://N",
  doc: `\`:PORT\` listens on every IPv4 address, \`HOST\` alone on port 8000, a bare number is a port on 127.0.0.1. \`unix:@NAME\` is a
Linux abstract socket; a relative Unix path is relative to \`--chdir\`. \`fd://N\` takes a socket that is listening already, as
systemd hands it over. With \`--certfile\` every address speaks TLS, but those with \`http://\` before them; \`https://\` says the
same as nothing there, and asks for a certificate where there is none. When no address is given at all and the variable \`PORT\` is set (Heroku, Cloud Run, Render), the address
is \`0.0.0.0:$PORT\`, as in gunicorn.`,
});

export const host: Setting<string | null> = single<string | null>({
  key: "host",
  flags: ["--host"],
  env: ["UVICORN_HOST"],
  metavar: "HOST",
  type: hostName,
  fallback: null,
  fallbackText: "127.0.0.1",
  help: "Host to listen on, together with --port (uvicorn's spelling of --bind)",
  doc: "As in uvicorn, the variable `PORT` plays no part once a host is given.",
});

export const port: Setting<number | null> = single<number | null>({
  key: "port",
  flags: ["--port"],
  env: ["UVICORN_PORT"],
  metavar: "PORT",
  type: portNumber,
  fallback: null,
  fallbackText: "8000",
  help: "Port to listen on, together with --host",
  doc: "0 takes any free port; the start-up lines tell which.",
});

export const uds: Setting<string | null> = single<string | null>({
  key: "uds",
  flags: ["--uds"],
  env: ["UVICORN_UDS"],
  metavar: "PATH",
  type: unixPath,
  fallback: null,
  help: "Unix socket to listen on (uvicorn's spelling of --bind unix:PATH)",
  doc: "As in uvicorn, `--uds` wins over `--host` and `--port`; a notice says so.",
});

export const fd: Setting<number | null> = single<number | null>({
  key: "fd",
  flags: ["--fd"],
  env: ["UVICORN_FD"],
  metavar: "N",
  type: wholeNumber(0, 1_048_576),
  fallback: null,
  help: "Inherited socket to listen on (uvicorn's spelling of --bind fd://N)",
  doc: "As in uvicorn, `--fd` wins over `--uds`, `--host` and `--port`; a notice says so.",
});

export const backlog: Setting<number> = single({
  key: "backlog",
  flags: ["--backlog"],
  env: ["UVICORN_BACKLOG"],
  metavar: "N",
  type: wholeNumber(1, 2_147_483_647),
  fallback: 2048,
  help: "Connections that may wait in the kernel for maitred to accept them",
  doc: "The backlog of listen(2). The kernel caps it at `net.core.somaxconn`.",
});

export const umask: Setting<number> = single({
  key: "umask",
  flags: ["-m", "--umask"],
  metavar: "MODE",
  type: umaskBits,
  fallback: 0,
  fallbackText: "0 (Unix sockets are open to every user)",
  help: "Mode bits that Unix sockets do not get, in octal with a leading 0",
  doc: "Read as gunicorn reads it: `022` and `0o22` are octal, `0x12` is hexadecimal, and a number without a leading 0 is decimal.",
});

export const bindSection: Section = { title: "Listening", settings: [bind, host, port, uds, fd, backlog, umask] };
