/** One server at work on the chaos application, in a folder, a session and with a log of its own; all of it is gone after `end`. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { processTree } from "../../../benchmarks/process-tree.ts";
import { isAlive } from "../../support/processes.ts";
import { ask } from "../steady-load.ts";
import { repository, type Server, type Wish } from "./servers.ts";

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const START_MS = 15_000;

export class Running {
  readonly server: Server;
  readonly port: number;
  readonly folder: string;
  readonly #workers: number;
  readonly #members = new Set<number>();
  #child: ChildProcess;
  #exit: Promise<number | string>;

  private constructor(server: Server, wish: Wish) {
    this.server = server;
    this.port = wish.port;
    this.folder = wish.folder;
    this.#workers = wish.workers;
    [this.#child, this.#exit] = this.#spawn(wish);
  }

  /** Resolves when it answers with as many workers as were wished for. */
  static async start(server: Server, wish: Partial<Wish> = {}): Promise<Running> {
    const folder = mkdtempSync(join(tmpdir(), "maitred-chaos-"));
    copyFileSync(join(repository, "tests/apps/chaos_app.py"), join(folder, "chaos_app.py"));
    const port = await freePort();
    const running = new Running(server, { workers: 2, maxRequests: 0, timeoutSeconds: 0, ...wish, port, folder });
    if ((await running.answersWithin(START_MS)) === null) {
      const log = running.log;
      await running.end();
      throw new Error(`${server.name} did not start:\n${log}`);
    }
    await running.#allWorkers();
    return running;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }

  /** How often the application has noted that it ran something. */
  get runs(): number {
    const file = join(this.folder, "runs");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
  }

  /** Its exit code, or the signal that ended it. */
  get exit(): Promise<number | string> {
    return this.#exit;
  }

  /** Every process of it that lives. */
  get processes(): readonly number[] {
    for (const { pid } of processTree([this.pid])) this.#members.add(pid);
    return [...this.#members].filter(isAlive);
  }

  /** Milliseconds until a GET was answered; null when none was in time. */
  async answersWithin(ms: number): Promise<number | null> {
    const began = performance.now();
    while (performance.now() - began < ms) {
      const { status } = await ask({ port: this.port, path: "/pid", method: "GET", patienceMs: 1000 });
      if (status === 200) return performance.now() - began;
      await pause(20);
    }
    return null;
  }

  /** The same command again on the same port, as a service manager does it. */
  startAgain(): void {
    [this.#child, this.#exit] = this.#spawn({
      port: this.port,
      folder: this.folder,
      workers: this.#workers,
      maxRequests: 0,
      timeoutSeconds: 0,
    });
  }

  /** The next import of the application fails. */
  breakCode(): void {
    writeFileSync(join(this.folder, "chaos_app.py"), "raise ValueError('not today')\n");
  }

  /** Kills what is left of it. */
  async end(): Promise<void> {
    for (let left = this.processes; left.length > 0; left = this.processes) {
      for (const pid of left) kill(pid, "SIGKILL");
      await pause(20);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(wish: Wish): [ChildProcess, Promise<number | string>] {
    const [program = "", ...flags] = this.server.command(wish);
    const log = openSync(join(this.folder, "log"), "a");
    const child = spawn(program, flags, {
      cwd: this.folder,
      env: { ...process.env, CHAOS_RUNS: join(this.folder, "runs"), PYTHONDONTWRITEBYTECODE: "1", HOME: this.folder },
      detached: true, // setsid
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const exit = new Promise<number | string>((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? signal ?? "?"));
      child.once("error", (error) => resolve(String(error)));
    });
    return [child, exit];
  }

  async #allWorkers(): Promise<void> {
    const seen = new Set<string>();
    const deadline = performance.now() + START_MS;
    while (seen.size < this.#workers && performance.now() < deadline) {
      const both = await Promise.all(
        Array.from({ length: this.#workers * 2 }, () =>
          ask({ port: this.port, path: "/work?ms=50", method: "GET", patienceMs: 2000 }),
        ),
      );
      for (const { status, text } of both) if (status === 200) seen.add(text);
    }
    void this.processes;
  }
}

export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false; // gone already
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
