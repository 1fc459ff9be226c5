/** From the Plan's addresses to the doors that the edge opens, and how many may come in. */
import { bindText } from "../config/bind.ts";
import type { Plan } from "../config/plan.ts";
import type { Log } from "../telemetry/log.ts";
import { connectionsWithin, type ConnectionLimitsSettings } from "./connection-limits.ts";
import type { EdgeContext } from "./context.ts";
import { openFilesLimit } from "./doorkeeper.ts";
import type { BoundListener, Door } from "./listener.ts";
import { redirecting } from "./redirect.ts";
import type { TlsDoor } from "./tls/door.ts";

/** Gives a door the socket that an older server has handed over for its address, each once. */
export function adopter({ operations }: Plan): (door: Door) => Door {
  const left = [...(operations.handover?.sockets ?? [])];
  return (door) => {
    const at = left.findIndex(({ bind }) => bind === bindText(door.bind));
    const [socket] = at < 0 ? [] : left.splice(at, 1);
    return socket === undefined ? door : { ...door, fd: socket.fd };
  };
}

/** Every address: the application's, then those that redirect to its first secure one. */
export function doors(
  plan: Plan,
  tls: TlsDoor | null,
  context: EdgeContext,
  listeners: () => readonly BoundListener[],
): readonly Door[] {
  const serving = plan.binds.map((bind) => ({ bind, tls: bind.tls === false ? null : tls, context }));
  if (plan.redirectHttp.length === 0) return serving;
  const port = (): number => plan.redirectPort ?? listeners().find(({ door }) => door.tls !== null)?.serverPort ?? 443;
  const redirect = redirecting(context, port);
  return [...serving, ...plan.redirectHttp.map((bind) => ({ bind, tls: null, context: redirect }))];
}

/** Each client connection is an open file: the smaller of what was asked for and what the process may have. `seats` are open files too. */
export function limitsOfConnections(plan: Plan, seats: number, log: Log): ConnectionLimitsSettings {
  const perClient = plan.limitConnectionsPerClient;
  const possible = connectionsWithin(openFilesLimit(), seats);
  if (plan.limitConnections === 0) return { total: possible, perClient };
  if (possible === 0 || plan.limitConnections <= possible) return { total: plan.limitConnections, perClient };
  log.warning(
    `--limit-connections ${plan.limitConnections} is more than the limit of open files allows: ${possible} (raise it by ulimit -n or LimitNOFILE=)`,
  );
  return { total: possible, perClient };
}
