/**
 * The control socket: one JSON line asks, JSON lines answer, the end of the stream ends it. An abstract socket lets in this server's user and root, by
 * the kernel's word; a file lets in whom its mode lets in.
 *
 *     {"type":"status"} {"type":"reload"} {"type":"scale","workers":3,"pool":"main"} {"type":"stacks","worker":null} {"type":"stop","now":false}
 *     {"type":"purge","wish":{"paths":["/blog/*"],"tags":[],"isEverything":false,"host":null,"isSoft":false}}
 *     {"type":"maintenance","order":{"holdMs":30000,"page":null,"retryAfterSeconds":60,"allow":["10.0.0.0/8"]}}, or null for its end
 *     ──▶ {"type":"progress","text":...} … then {"type":"done",...} or {"type":"failed","message":...}
 *
 * After `stop` the answer is the end of the stream: the process is gone.
 */
import { createServer, type Server, type Socket } from "node:net";
import { type PurgeWish, purgeWish } from "../cache/purge.ts";
import type { ControlPlan } from "../config/operations.ts";
import { listenUnix, type SocketFile } from "../streams/unix-listen.ts";
import { type MaintenanceOrder, maintenanceOrder } from "../stages/maintenance-order.ts";
import type { Log } from "../telemetry/log.ts";
import { JsonLines, type Message } from "../workers/json-lines.ts";
import type { ReloadOutcome } from "../workers/supervisor.ts";
import { controlName } from "./control-name.ts";
import { peerCredentials } from "./peer-check.ts";
import type { Status } from "./status.ts";

const PATIENCE_MS = 10_000;
const MOST_CONNECTIONS = 16;
/** More at once are turned away: each costs a process. */
const MOST_CHECKS = 4;
const MOST_WORKERS = 10_000;

export interface ControlActions {
  status(): Status;
  reload(): Promise<ReloadOutcome>;
  /** Of one pool, by its name, or of the main one. Returns why not, or null. */
  scale(workers: number, pool?: string): string | null;
  stacks(worker: number | null): Promise<{ name: string; text: string }[]>;
  stop(isQuick: boolean): void;
  /** Resolves to how many responses the cache has given up, or why it has not. */
  purge(wish: PurgeWish): Promise<number | string>;
  /** Begins it, or, with null, ends it: how many requests went on, null where it was not on. */
  maintenance(order: MaintenanceOrder | null): number | null;
}

export class ControlDoor {
  readonly #plan: ControlPlan;
  readonly #python: string;
  readonly #actions: ControlActions;
  readonly #log: Log;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #uid: number = process.geteuid?.() ?? -1;
  #file: SocketFile | null = null;
  #checks = 0;

  constructor(plan: ControlPlan, python: string, actions: ControlActions, log: Log) {
    this.#plan = plan;
    this.#python = python;
    this.#actions = actions;
    this.#log = log;
    this.#server = createServer((socket) => void this.#accept(socket));
  }

  /** Opens it. Throws where a file was asked for and cannot be; a missing abstract socket costs the commands only. */
  async listen(replaces: boolean): Promise<void> {
    const plan = this.#plan;
    if (plan.type === "off") return;
    this.#server.unref();
    if (plan.type === "file") {
      this.#file = await listenUnix(this.#server, plan.path, { mode: plan.mode, backlog: MOST_CONNECTIONS, replaces });
      return;
    }
    const name = controlName(this.#uid, process.pid);
    await new Promise<void>((resolve) => {
      this.#server.once("error", (error) => {
        this.#log.debug(`No control socket (@${name}): ${error.message}`);
        resolve();
      });
      this.#server.listen({ path: `\0${name}`, backlog: MOST_CONNECTIONS }, resolve);
    });
  }

  close(): void {
    this.#file?.remove();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #accept(socket: Socket): Promise<void> {
    socket.on("error", () => socket.destroy());
    if (this.#sockets.size >= MOST_CONNECTIONS || this.#checks >= MOST_CHECKS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    let who = "somebody with access to the file";
    if (this.#plan.type === "abstract") {
      this.#checks++;
      const peer = await peerCredentials(this.#python, socket);
      this.#checks--;
      if (peer === null || (peer.uid !== this.#uid && peer.uid !== 0)) {
        const message =
          peer === null
            ? "the server could not find out who you are"
            : `you are user ${peer.uid}, this server obeys user ${this.#uid} and root`;
        this.#log.warning(`Control: refused: ${message}`);
        socket.end(`${JSON.stringify({ type: "refused", message })}\n`);
        return;
      }
      who = `user ${peer.uid}, pid ${peer.pid}`;
    }
    let isAsked = false;
    const lines = new JsonLines(
      socket,
      (message) => {
        if (isAsked) return;
        isAsked = true;
        socket.setTimeout(0);
        void this.#obey(message, who, lines);
      },
      () => {},
    );
  }

  async #obey(message: Message, who: string, lines: JsonLines): Promise<void> {
    const done = (more: object = {}): void => lines.send({ type: "done", ...more });
    const failed = (message: string, traceback = ""): void => lines.send({ type: "failed", message, traceback });
    if (message.type !== "status") this.#log.info(`Control: ${message.type} (${who})`);
    switch (message.type) {
      case "status":
        done({ status: this.#actions.status() });
        break;
      case "reload": {
        lines.send({ type: "progress", text: "starting new workers; the old ones serve until these are ready" });
        const outcome = await this.#actions.reload();
        if (outcome.type === "done")
          done({ workers: outcome.workers, ...(outcome.notice === undefined ? {} : { notice: outcome.notice }) });
        else failed(outcome.message, outcome.traceback);
        break;
      }
      case "scale": {
        const workers = message["workers"];
        if (typeof workers !== "number" || !Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
          failed(`the number of workers is a whole number from 1 to ${MOST_WORKERS}`);
          break;
        }
        const pool = message["pool"];
        const problem = this.#actions.scale(workers, typeof pool === "string" ? pool : undefined);
        if (problem === null) done();
        else failed(problem);
        break;
      }
      case "stacks": {
        const which = message["worker"];
        const stacks = await this.#actions.stacks(typeof which === "number" ? which : null);
        if (stacks.length > 0) done({ stacks });
        else failed(typeof which === "number" ? `there is no worker ${which}` : "there is no worker");
        break;
      }
      case "purge": {
        const wish = purgeWish(message["wish"]);
        const outcome = wish === null ? "the purge says nothing that can be purged" : await this.#actions.purge(wish);
        if (typeof outcome === "number") done({ count: outcome });
        else failed(outcome);
        break;
      }
      case "maintenance": {
        const order = message["order"] === null ? null : maintenanceOrder(message["order"]);
        if (typeof order === "string") failed(order);
        else done({ released: this.#actions.maintenance(order) });
        break;
      }
      case "stop":
        lines.send({ type: "progress", text: "stopping" });
        this.#actions.stop(message["now"] === true);
        return; // the end of the process ends the stream
      default:
        failed(`unknown request ${message.type.slice(0, 40)}`);
    }
    lines.end();
  }
}
