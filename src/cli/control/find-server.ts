/** Finds the control socket of the server that is meant, and makes sure that it is that process's own. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import { bindText } from "../../config/bind.ts";
import type { Bind } from "../../config/plan.ts";
import { controlSockets, type NamedSocket } from "../../operations/control-name.ts";
import { ask } from "./client.ts";
import type { Target } from "./options.ts";

export const exitCodes = { done: 0, failed: 1, mistake: 2, none: 3, several: 4, forbidden: 5 } as const;

export type Found =
  | { readonly type: "found"; readonly path: string; readonly name: string }
  | { readonly type: "not found"; readonly exitCode: 2 | 3 | 4 | 5; readonly message: string };

export async function findServer(target: Target): Promise<Found> {
  if (target.controlSocket !== null)
    return { type: "found", path: resolve(target.controlSocket), name: target.controlSocket };
  const { own, foreign } = servers();
  if (target.pid !== null) return byPid(target.pid, own, foreign);
  if (target.bind !== null) return await byBind(target.bind, own);
  if (own.length === 1) return found(own[0]!);
  if (own.length > 1) {
    const pids = own.map(({ pid }) => pid).join(", ");
    return notFound("several", `several servers are running (pids ${pids}): say which with --pid or --bind`);
  }
  if (foreign.length > 0) {
    const whose = foreign.map(({ pid, uid }) => `pid ${pid} of user ${uid}`).join(", ");
    return notFound("forbidden", `the only servers here are somebody else's (${whose}): ask as that user or as root`);
  }
  return notFound("none", "no server is running here (one started with --control-socket PATH is found by that option)");
}

// Private

interface Servers {
  readonly own: readonly NamedSocket[];
  readonly foreign: readonly NamedSocket[];
}

function servers(): Servers {
  let text: string;
  try {
    text = readFileSync("/proc/net/unix", "utf8");
  } catch {
    return { own: [], foreign: [] };
  }
  const own: NamedSocket[] = [];
  const foreign: NamedSocket[] = [];
  for (const socket of controlSockets(text)) {
    const holds = holdsSocket(socket);
    if (holds === true) own.push(socket);
    else if (holds === null) foreign.push(socket);
  }
  return { own, foreign };
}

/** Whether the process that the name tells of has this socket open; null where we may not look, which is nobody's of ours. */
function holdsSocket({ pid, inode }: NamedSocket): boolean | null {
  const folder = `/proc/${pid}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? null : false;
  }
  return names.some((name) => {
    try {
      return readlinkSync(`${folder}/${name}`) === `socket:[${inode}]`;
    } catch {
      return false;
    }
  });
}

function byPid(text: string, own: readonly NamedSocket[], foreign: readonly NamedSocket[]): Found {
  let pid = Number(text);
  if (!/^\d+$/.test(text)) {
    try {
      pid = Number(readFileSync(text, "utf8").trim());
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === "ENOENT"
        ? notFound("none", `no server is running: there is no pid file ${text}`)
        : notFound(code === "EACCES" ? "forbidden" : "mistake", `cannot read the pid file: ${message}`);
    }
    if (!Number.isInteger(pid) || pid < 1) return notFound("mistake", `${text} is not a pid file: it holds no number`);
  }
  const one = own.find((socket) => socket.pid === pid);
  if (one !== undefined) return found(one);
  const theirs = foreign.find((socket) => socket.pid === pid);
  if (theirs !== undefined)
    return notFound("forbidden", `the server with pid ${pid} is of user ${theirs.uid}: ask as that user or as root`);
  return notFound("none", `process ${pid} is no running server, or one without a control socket (--no-control-socket)`);
}

async function byBind(bind: Bind, own: readonly NamedSocket[]): Promise<Found> {
  for (const socket of own) {
    const answer = await ask(`\0${socket.name}`, { type: "status" }, () => {});
    if (answer.type !== "done") continue;
    const { listeners } = answer.message["status"] as { listeners: readonly string[] };
    if (listeners.some((url) => listensAt(url, bind))) return found(socket);
  }
  return notFound("none", `no server of yours listens on ${bindText(bind)}`);
}

/** `url` as `maitred status` tells it: "http://127.0.0.1:8000", "unix:/run/web". */
export function listensAt(url: string, bind: Bind): boolean {
  if (bind.type === "fd") return false;
  if (bind.type === "unix") {
    const path = bind.path.startsWith("\0") ? `@${bind.path.slice(1)}` : resolve(bind.path);
    return url === `unix:${path}`;
  }
  const match = /^https?:\/\/\[?([^\]]*?)\]?:(\d+)$/.exec(url);
  if (match === null || Number(match[2]) !== bind.port) return false;
  const everywhere = ["0.0.0.0", "::"];
  const host = bind.host === "localhost" ? "127.0.0.1" : bind.host;
  return match[1] === host || everywhere.includes(match[1] ?? "") || everywhere.includes(host);
}

function found(socket: NamedSocket): Found {
  return { type: "found", path: `\0${socket.name}`, name: `pid ${socket.pid}` };
}

function notFound(what: "none" | "several" | "forbidden" | "mistake", message: string): Found {
  return { type: "not found", exitCode: exitCodes[what], message };
}
