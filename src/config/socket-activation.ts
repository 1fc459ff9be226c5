/**
 * The sockets that systemd hands over (sd_listen_fds(3)): LISTEN_FDS of them from descriptor 3 on, meant for the process LISTEN_PID, with the names of
 * their FileDescriptorName= in LISTEN_FDNAMES. One named "health" is for the health checks, all others are for the application.
 */
import type { Bind } from "./plan.ts";
import type { Environment } from "./resolve.ts";

const FIRST_FD = 3;
const MOST = 1000;

export interface PassedSockets {
  readonly binds: readonly Bind[];
  readonly health: Bind | null;
}

/** They are for the process LISTEN_PID; an older server that hands over to this one could not know its pid. */
export function areForUs(env: Environment, pid: number): boolean {
  return (env["LISTEN_PID"] ?? "") === String(pid) || env["MAITRED_HANDOVER"] !== undefined;
}

/** Empty where none were handed over, or to another process. */
export function passedSockets(env: Environment, pid: number): PassedSockets {
  const count = Number(env["LISTEN_FDS"] ?? "");
  if (!Number.isInteger(count) || count < 1 || count > MOST) return { binds: [], health: null };
  if (!areForUs(env, pid)) return { binds: [], health: null };
  const names = (env["LISTEN_FDNAMES"] ?? "").split(":");
  const binds: Bind[] = [];
  let health: Bind | null = null;
  for (let at = 0; at < count; at++) {
    const bind: Bind = { type: "fd", fd: FIRST_FD + at };
    if (names[at] === "health" && health === null) health = bind;
    else binds.push(bind);
  }
  return { binds, health };
}
