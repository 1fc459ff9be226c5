/** The Plan's part on operations, from the rows of settings/operations.ts and what systemd says in the environment. */
import { bindText } from "./bind.ts";
import { originText } from "./origin.ts";
import type { Bind } from "./plan.ts";
import type { Environment, Resolved } from "./resolve.ts";
import * as rows from "./settings/operations.ts";
import { areForUs } from "./socket-activation.ts";

export interface OperationsPlan {
  /** A listener that only answers health checks. */
  readonly healthBind: Bind | null;
  /** Prefix of the health checks on the public listeners; empty or "/prefix", null = none there. */
  readonly healthPath: string | null;
  /** Time between the wish to stop and its beginning. */
  readonly drainDelayMs: number;
  readonly control: ControlPlan;
  /** Descriptor of a datagram socket connected to $NOTIFY_SOCKET; null where nobody listens. */
  readonly notifyFd: number | null;
  /** Where process 1 (launch.py) is told who succeeds this process; null where there is none. */
  readonly initFd: number | null;
  /** The command as it was called, for a binary upgrade; null where only the built file is known. */
  readonly command: string | null;
  /** What an older server hands over to this one, which it has started; null otherwise. */
  readonly handover: Handover | null;
  /** What systemd said about the sockets it handed over, for a successor: LISTEN_FDS and LISTEN_FDNAMES. */
  readonly activation: Readonly<Record<string, string>>;
  /** systemd wants a sign of life this often; 0 = never. */
  readonly watchdogMs: number;
}

export interface Handover {
  /** A stream to the older one: it is told when this one is ready, and its end is the older one's. */
  readonly link: number;
  /** The stream begins with word of maintenance that is on: it holds for the first request already. */
  readonly maintenance?: boolean;
  /** Listening sockets, with the addresses that they were asked for by. */
  readonly sockets: readonly { readonly bind: string; readonly fd: number }[];
}

export type ControlPlan =
  | { readonly type: "off" }
  /** Abstract, named after user and process. */
  | { readonly type: "abstract" }
  | { readonly type: "file"; readonly path: string; readonly mode: number };

export interface OperationsAnswer {
  readonly plan: OperationsPlan;
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

/** `passed` are the sockets that systemd handed over for health checks. */
export function operations(
  resolved: Resolved,
  env: Environment,
  binds: readonly Bind[],
  passed: Bind | null,
  fromChdir: (path: string) => string,
  host: { readonly pid: number; readonly platform: string },
): OperationsAnswer {
  const mistakes: string[] = [];
  const notices: string[] = [];
  const health = resolved.get(rows.healthBind);
  const healthBind = health.value ?? passed;
  if (healthBind !== null && !isPortZero(healthBind) && binds.some((bind) => bindText(bind) === bindText(healthBind))) {
    mistakes.push(
      `${originText(health.origin)} is where the application listens: give another address, or --health-path there`,
    );
  }

  const asked = resolved.get(rows.controlSocket);
  const isOff = resolved.get(rows.noControlSocket).value || asked.value === "none";
  let control: ControlPlan = { type: host.platform === "linux" ? "abstract" : "off" };
  if (isOff) control = { type: "off" };
  else if (asked.value !== null) {
    const path = fromChdir(asked.value);
    if (Buffer.byteLength(path) > 107)
      mistakes.push(`${originText(asked.origin)} is too long for a Unix socket: the most is 107 bytes`);
    control = { type: "file", path, mode: resolved.get(rows.controlSocketMode).value };
  }

  const notifyFd = wholeOrNull(env["MAITRED_NOTIFY_FD"]);
  if (notifyFd === null && (env["NOTIFY_SOCKET"] ?? "") !== "") {
    notices.push(
      "NOTIFY_SOCKET is set but systemd is not told anything: start bin/maitred, with a python3 on PATH (it opens the socket)",
    );
  }
  const watchdogPid = wholeOrNull(env["WATCHDOG_PID"]);
  const watchdogUsec = wholeOrNull(env["WATCHDOG_USEC"]) ?? 0;
  return {
    plan: {
      healthBind,
      healthPath: resolved.get(rows.healthPath).value,
      drainDelayMs: resolved.get(rows.drainDelay).value,
      control,
      notifyFd,
      initFd: wholeOrNull(env["MAITRED_INIT_FD"]),
      command: env["MAITRED_COMMAND"] ?? null,
      activation: !areForUs(env, host.pid)
        ? {}
        : Object.fromEntries(
            ["LISTEN_FDS", "LISTEN_FDNAMES"].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
          ),
      handover: handoverOf(env["MAITRED_HANDOVER"]),
      watchdogMs: notifyFd !== null && (watchdogPid === null || watchdogPid === host.pid) ? watchdogUsec / 1000 : 0,
    },
    mistakes,
    notices,
  };
}

// Private

function isPortZero(bind: Bind): boolean {
  return bind.type === "tcp" && bind.port === 0;
}

/** Written by operations/successor.ts of the older server. */
function handoverOf(text: string | undefined): Handover | null {
  if (text === undefined) return null;
  try {
    const { link, sockets, maintenance } = JSON.parse(text) as Handover;
    return typeof link === "number" && Array.isArray(sockets)
      ? { link, sockets, maintenance: maintenance === true }
      : null;
  } catch {
    return null;
  }
}

function wholeOrNull(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
