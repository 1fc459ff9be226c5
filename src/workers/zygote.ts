/**
 * Starts the Python process that forks the workers, and talks with it (PROTOCOL.md, "Zygote link"). The front is its parent; the workers are its
 * children, so it alone can reap them and tell how each ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { ownPath } from "../own-files.ts";
import { PROTOCOL_VERSION } from "../wire/frames.ts";
import { JsonLines, type Message } from "./json-lines.ts";

/** Every type that the front writes, and what `marshal.dumps(…, 2)` must make of it: proof that this interpreter means what we mean. */
const MARSHAL_PROBE =
  "5b03000000290369070000007b5a09504154485f494e464f7a022f787a016b7502000000c3a961030000006162632902730200000000ff69ffffffff304e5446";
const MARSHAL_ANSWER =
  "5b03000000280300000069070000007b7509000000504154485f494e464f75020000002f7875010000006b7502000000c3a975030000006162632802000000730200000000ff69ffffffff304e5446";

const SHIM_FOLDER = ownPath("python");

/** What the zygote must know to load the app; the `start` message without its constants. */
export interface ZygoteSettings {
  readonly python: string;
  readonly chdir: string;
  readonly environ: Readonly<Record<string, string>>;
  readonly start: Readonly<Record<string, unknown>>;
}

export interface WorkerExit {
  readonly worker: number;
  readonly code: number | null;
  readonly signal: number | null;
  /** The progress board: requests begun per seat; null where nobody could read it (the zygote died too). */
  readonly started: readonly number[] | null;
}

/** Why the app cannot be served; `exitCode` as gunicorn's: 3 failed to boot, 4 no such application. */
export interface LoadFailure {
  readonly exitCode: number;
  readonly message: string;
  readonly traceback: string;
}

export interface ZygoteHandler {
  onHello(python: string, isFreeThreaded: boolean): void;
  onLoaded(warnings: readonly string[]): void;
  onFailed(failure: LoadFailure): void;
  onForked(worker: number, pid: number): void;
  onExit(exit: WorkerExit): void;
  /** The zygote is gone, and with it all its workers. `detail` is empty where that was asked for. */
  onGone(detail: string): void;
}

export class Zygote {
  #handler: ZygoteHandler;
  readonly #child: ChildProcess;
  readonly #link: JsonLines;
  #isClosing = false;
  #isGone = false;
  /** The interpreter, once it has said so. */
  #python: string | null = null;
  #hasNoGil = false;
  #problem = "";

  constructor(settings: ZygoteSettings, handler: ZygoteHandler) {
    this.#handler = handler;
    const boot = [
      "import sys",
      `sys.path.insert(0, ${JSON.stringify(SHIM_FOLDER)})`,
      "from maitred.worker.zygote import main",
      `sys.path.remove(${JSON.stringify(SHIM_FOLDER)})`,
      "main()",
    ].join("; ");
    this.#child = spawn(settings.python, ["-c", boot], {
      cwd: settings.chdir,
      env: { ...process.env, ...settings.environ },
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    // Until the process exists there is no link: spawn reports a missing interpreter through "error".
    this.#child.on("error", (error) => this.#gone(`cannot run ${settings.python}: ${error.message}`));
    this.#child.on("exit", (code, signal) => {
      this.#gone(this.#problem || (signal === null ? `exit code ${code}` : `killed by ${signal}`));
    });
    const socket = this.#child.stdio[3] as Socket;
    this.#link = new JsonLines(
      socket,
      (message) => this.#receive(message),
      (problem) => (this.#problem ||= problem),
    );
    this.#link.send({ type: "start", protocol: PROTOCOL_VERSION, marshal_probe: MARSHAL_PROBE, ...settings.start });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Belongs to another from now on, who is told what has been said already. */
  handOver(handler: ZygoteHandler): void {
    this.#handler = handler;
    queueMicrotask(() => {
      if (this.#python !== null) handler.onHello(this.#python, this.#hasNoGil);
    });
  }

  /** Imports modules of the standard library ahead of time. */
  warm(modules: readonly string[]): void {
    if (modules.length > 0) this.#link.send({ type: "warm", modules });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  fork(worker: number): void {
    this.#link.send({ type: "fork", worker });
  }

  kill(worker: number, signal: number): void {
    this.#link.send({ type: "kill", worker, signal });
  }

  /** Makes this worker write its Python stacks to its stacks link. */
  stacks(worker: number): void {
    this.#link.send({ type: "stacks", worker });
  }

  /** The end: what is left of its workers is killed, and it exits. */
  close(): void {
    this.#isClosing = true;
    this.#link.end();
  }

  /** At once, with all its workers (they ask the kernel to die with their parent). */
  destroy(): void {
    this.#isClosing = true;
    this.#child.kill("SIGKILL");
  }

  #gone(detail: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#handler.onGone(this.#isClosing ? "" : detail);
  }

  #receive(message: Message): void {
    switch (message.type) {
      case "hello":
        if (message["protocol"] !== PROTOCOL_VERSION || message["marshal"] !== MARSHAL_ANSWER) {
          this.#problem = `${String(message["implementation"])} ${String(message["python"])} does not read and write marshal as CPython 3.9 to 3.13 do`;
          this.#child.kill("SIGKILL");
          return;
        }
        this.#hasNoGil = message["gil"] === false;
        this.#python = `${String(message["implementation"])} ${String(message["python"])}${this.#hasNoGil ? " (free-threaded)" : ""}`;
        this.#handler.onHello(this.#python, this.#hasNoGil);
        return;
      case "loaded":
        this.#handler.onLoaded(Array.isArray(message["warnings"]) ? message["warnings"].map(String) : []);
        return;
      case "failed":
        this.#handler.onFailed(loadFailure(message));
        return;
      case "forked":
        this.#handler.onForked(Number(message["worker"]), Number(message["pid"]));
        return;
      case "exit": {
        const started = message["started"];
        this.#handler.onExit({
          worker: Number(message["worker"]),
          code: message["code"] === null ? null : Number(message["code"]),
          signal: message["signal"] === null ? null : Number(message["signal"]),
          started: Array.isArray(started) ? started.map(Number) : null,
        });
        return;
      }
      default:
        this.#problem = `unknown message ${message.type}`;
        this.#child.kill("SIGKILL");
    }
  }
}

/** Reads a `failed` message, of the zygote or of a worker. */
export function loadFailure(message: Message): LoadFailure {
  return {
    exitCode: message["kind"] === "app" ? 4 : 3,
    message: text(message["message"]),
    traceback: text(message["traceback"]),
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
