/**
 * Binary upgrade (USR2): starts a new maitred with the listening sockets of this one. Nothing is closed meanwhile: both accept from the same kernel
 * queues. When the new one says that its workers are ready, this one drains and leaves; when it ends instead, this one goes on as if nothing had been.
 * Maintenance that is on here is told before the new one takes its first request, and what becomes of it meanwhile too.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Handover, OperationsPlan } from "../config/operations.ts";
import { type MaintenanceInForce, maintenanceOrder } from "../stages/maintenance-order.ts";
import { JsonLines, type Message } from "../workers/json-lines.ts";
import type { OtherServer } from "./shared-cache.ts";

/** Descriptors 0 to 2, then the link, then what is handed over. */
const LINK_FD = 3;

export type SuccessorOutcome =
  | { readonly type: "ready"; readonly pid: number }
  | { readonly type: "failed"; readonly detail: string };

export interface Successor {
  /** Resolves when the new server is ready, or has ended. */
  readonly outcome: Promise<SuccessorOutcome>;
  /** Maintenance has begun, changed or ended here; null: it is over. */
  tell(maintenance: MaintenanceInForce | null): void;
}

/**
 * @param maintenance is what is on now.
 * @param meet is given the new server as soon as there is one.
 */
export function startSuccessor(
  plan: OperationsPlan,
  sockets: readonly { readonly bind: string; readonly fd: number }[],
  maintenance: MaintenanceInForce | null,
  meet: (successor: OtherServer) => void,
): Successor {
  const passed: number[] = [];
  const pass = (fd: number): number => LINK_FD + passed.push(fd);
  const handover: Handover = {
    link: LINK_FD,
    maintenance: maintenance !== null,
    sockets: sockets.map(({ bind, fd }) => ({ bind, fd: pass(fd) })),
  };
  const env: Record<string, string | undefined> = {
    ...process.env,
    ...plan.activation,
    MAITRED_HANDOVER: JSON.stringify(handover),
  };
  if (plan.notifyFd !== null) env["MAITRED_NOTIFY_FD"] = String(pass(plan.notifyFd));
  if (plan.initFd !== null) env["MAITRED_INIT_FD"] = String(pass(plan.initFd));
  if (plan.watchdogMs > 0) env["WATCHDOG_USEC"] = String(plan.watchdogMs * 1000);
  const own = process.argv.slice(2);
  const [file, args] =
    plan.command === null ? [process.execPath, [process.argv[1] ?? "", ...own]] : [plan.command, own];
  let child: ChildProcess;
  try {
    child = spawn(file, args, { env, stdio: ["inherit", "inherit", "inherit", "pipe", ...passed] });
  } catch (error) {
    const outcome = Promise.resolve({ type: "failed", detail: (error as Error).message } as const);
    return { outcome, tell: () => {} };
  }
  let successor: LinkedServer | null = null;
  const outcome = new Promise<SuccessorOutcome>((resolve) => {
    child.on("error", (error) => resolve({ type: "failed", detail: `cannot run ${file}: ${error.message}` }));
    child.on("exit", (code, signal) =>
      resolve({
        type: "failed",
        detail: signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`,
      }),
    );
    const link = child.stdio[LINK_FD];
    if (!(link instanceof Socket)) return;
    // Kept open until this process ends: that is how the new one learns of it.
    successor = new LinkedServer(link, () => {
      child.unref();
      link.unref();
      if (plan.initFd !== null) writeSync(plan.initFd, `${child.pid}\n`);
      resolve({ type: "ready", pid: child.pid ?? 0 });
    });
    meet(successor);
  });
  const tell = (inForce: MaintenanceInForce | null): void => successor?.send({ type: MAINTENANCE, inForce });
  if (maintenance !== null) tell(maintenance);
  return { outcome, tell };
}

const MAINTENANCE = "maintenance";

/** The other server of an upgrade, at the end of a link to it. */
class LinkedServer implements OtherServer {
  readonly gone: Promise<void>;
  onMessage: (message: Message) => void = () => {};
  readonly #lines: JsonLines;

  /** @param onReady it serves. */
  constructor(link: Socket, onReady: () => void, onMaintenance: (inForce: unknown) => void = () => {}) {
    let isGone: () => void = () => {};
    this.gone = new Promise((resolve) => (isGone = resolve));
    this.#lines = new JsonLines(
      link,
      (message) => {
        if (message.type === "ready") onReady();
        else if (message.type === MAINTENANCE) onMaintenance(message["inForce"]);
        else this.onMessage(message);
      },
      () => isGone(),
    );
  }

  send(message: Message): void {
    this.#lines.send(message);
  }
}

/** The older server, as the one that it has started sees it. */
export class Predecessor {
  /** Resolves when the older process has ended. */
  readonly gone: Promise<void>;
  /** Resolves when its maintenance is known here, where it has any. */
  readonly hasTold: Promise<void>;
  readonly #server: LinkedServer;

  /** `follow` is called with what it has in force, and whenever that changes; null: it is over. */
  constructor(
    { link, maintenance }: Handover,
    follow: (maintenance: MaintenanceInForce | null) => void,
    meet: (predecessor: OtherServer) => void,
  ) {
    const socket = new Socket({ fd: link, readable: true, writable: true });
    let hasTold: () => void = () => {};
    const told = new Promise<void>((resolve) => (hasTold = resolve));
    const onMaintenance = (value: unknown): void => {
      const inForce = inForceOf(value);
      if (inForce !== undefined) follow(inForce);
      hasTold();
    };
    this.#server = new LinkedServer(socket, () => {}, onMaintenance);
    this.gone = this.#server.gone;
    this.hasTold = maintenance === true ? Promise.race([told, this.gone]) : Promise.resolve();
    // While word of maintenance is awaited, nothing else keeps this process alive.
    void this.hasTold.then(() => socket.unref());
    meet(this.#server);
  }

  /** This server serves: the older one may leave. */
  ready(): void {
    this.#server.send({ type: "ready" });
  }
}

// Private

/** undefined where it cannot be understood: the older server is another release. */
function inForceOf(value: unknown): MaintenanceInForce | null | undefined {
  if (value === null) return null;
  const { order, forMs } = value as Record<string, unknown>;
  const read = maintenanceOrder(order);
  return typeof read === "string" || typeof forMs !== "number" ? undefined : { order: read, forMs };
}
