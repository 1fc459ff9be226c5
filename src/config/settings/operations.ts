/** What operators and machines ask of a running server: health, control, the way it leaves. */
import { bind } from "../bind.ts";
import type { Bind } from "../plan.ts";
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { duration, text, value, wrong, type ValueType } from "../value-types.ts";

const urlPrefix: ValueType<string> = (text) => {
  if (!text.startsWith("/")) return wrong('is not a path: it begins with "/"');
  if (/[?#\s%]/.test(text)) return wrong("holds a character that a plain path has not");
  return value(text.replace(/\/+$/, ""));
};

const fileMode: ValueType<number> = (text) =>
  /^0?o?[0-7]{3}$/i.test(text)
    ? value(Number.parseInt(text.replace(/^0?o/i, ""), 8))
    : wrong('is not a file mode: write three octal digits ("600", "660")');

export const healthBind: Setting<Bind | null> = single<Bind | null>({
  key: "health-bind",
  flags: ["--health-bind"],
  metavar: "ADDRESS",
  type: bind,
  fallback: null,
  help: "Address of a listener of its own that answers /livez and /readyz",
  doc: `Written as \`--bind\` is. maitred answers by itself, so a probe never waits behind requests and never reaches a worker. \`/livez\` is 200 while
the event loop runs. \`/readyz\` is 200 while a worker serves, and 503 while none is ready, while workers die one after the other, and
from the first moment of a stop. Plain text; JSON for \`Accept: application/json\`.`,
});

export const healthPath: Setting<string | null> = single<string | null>({
  key: "health-path",
  flags: ["--health-path"],
  metavar: "PREFIX",
  type: urlPrefix,
  fallback: null,
  help: "Answer PREFIX/livez and PREFIX/readyz on the public addresses too",
  doc: "Off unless given, so that no route of the application is hidden by surprise. `/` answers `/livez` and `/readyz`.",
});

export const drainDelay: Setting<number> = single({
  key: "drain-delay",
  flags: ["--drain-delay"],
  metavar: "TIME",
  type: duration,
  fallback: 0,
  help: "Time to go on serving after SIGTERM, with /readyz failing, before the stop begins",
  doc: `For load balancers that learn of a stop later than the server does (Kubernetes: 5 to 10 seconds). New connections are accepted and
answered; each response says \`Connection: close\`. \`--graceful-timeout\` begins after it.`,
});

export const controlSocket: Setting<string | null> = single<string | null>({
  key: "control-socket",
  flags: ["--control-socket"],
  metavar: "PATH",
  type: text,
  fallback: null,
  fallbackText: "an abstract socket on Linux, none elsewhere",
  help: "Unix socket for maitred status, reload, scale, stacks and stop; none turns it off",
  doc: `The default writes no file: the socket is abstract, and the kernel's word on who connects (SO_PEERCRED) lets in this server's user and root
alone. A file is guarded by its mode.`,
});

export const controlSocketMode: Setting<number> = single({
  key: "control-socket-mode",
  flags: ["--control-socket-mode"],
  metavar: "MODE",
  type: fileMode,
  fallback: 0o600,
  fallbackText: "600",
  help: "Mode of the file of --control-socket, in octal",
  doc: "Whoever may write to the file may stop the server.",
});

export const noControlSocket: Setting<boolean> = toggle({
  key: "no-control-socket",
  flags: ["--no-control-socket"],
  fallback: false,
  help: "No control socket, as --control-socket none",
  doc: "The signals remain.",
});

export const operationsSection: Section = {
  title: "Operations",
  settings: [healthBind, healthPath, drainDelay, controlSocket, controlSocketMode, noControlSocket],
};
