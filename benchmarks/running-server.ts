/**
 * A server under test, from its start to its end. Each command leads a session of its own, so that ending the process groups ends
 * all of it; what left its group is found in the process tree and ended by pid.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { askHttp2 } from "./load/http2-question.ts";
import { type Answer, Connection, get } from "./load/connection.ts";
import { type Process, isAlive, processTree } from "./process-tree.ts";
import type { Scenario } from "./scenarios.ts";
import type { Place, Setting } from "./servers.ts";

export interface Programs {
  readonly venv: string;
  readonly appsFolder: string;
  readonly maitred: string;
  readonly nginx: string;
  readonly varnish: string;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 3_000;
const running = new Set<RunningServer>();

export class RunningServer {
  readonly port: number;
  readonly #folder: string;
  readonly #children: readonly ChildProcess[];

  private constructor(port: number, folder: string, children: readonly ChildProcess[]) {
    this.port = port;
    this.#folder = folder;
    this.#children = children;
  }

  /** Resolves when the server gives the scenario's answer; throws, with the end of its log, when it exits or never does. */
  static async start(setting: Setting, scenario: Scenario, programs: Programs): Promise<RunningServer> {
    const folder = mkdtempSync(join(tmpdir(), "maitred-bench-"));
    const port = await freePort();
    const place: Place = { ...programs, app: scenario.app, port, folder };
    const { commands, files } = setting.launch(place);
    for (const [name, content] of Object.entries(files ?? {})) writeFileSync(join(folder, name), content);
    mkdirSync(join(folder, "home"));
    const log = openSync(join(folder, "log"), "a");
    const children = commands.map(([program = "", ...flags]) =>
      spawn(program, flags, {
        cwd: programs.appsFolder,
        env: {
          PATH: process.env["PATH"],
          HOME: join(folder, "home"),
          PYTHONPATH: programs.appsFolder,
          PYTHONDONTWRITEBYTECODE: "1",
        },
        detached: true, // setsid
        stdio: ["ignore", log, log],
      }).on("error", (error) => appendFileSync(join(folder, "log"), String(error))),
    );
    closeSync(log);
    const server = new RunningServer(port, folder, children);
    running.add(server);
    try {
      await server.#ready(scenario);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get roots(): readonly number[] {
    return this.#children.flatMap(({ pid }) => pid ?? []);
  }

  async stop(): Promise<void> {
    const members = processTree(this.roots);
    this.#signalGroups("SIGTERM");
    const deadlineMs = performance.now() + stopTimeoutMs;
    while (members.some(isAlive) && performance.now() < deadlineMs) await sleep(20);
    this.kill(members);
    running.delete(this);
  }

  /** At once, without waiting: the groups, then whoever left them; and the folder. */
  kill(members: readonly Process[] = processTree(this.roots)): void {
    this.#signalGroups("SIGKILL");
    for (const member of members) {
      if (isAlive(member)) kill(member.pid, "SIGKILL");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  // Private

  async #ready(scenario: Scenario): Promise<void> {
    const deadlineMs = performance.now() + startTimeoutMs;
    let last = "no answer";
    while (performance.now() < deadlineMs) {
      if (
        this.#children.some(
          ({ pid, exitCode, signalCode }) => pid === undefined || exitCode !== null || signalCode !== null,
        )
      ) {
        throw new Error(`it exited while starting; its log ends: ${this.#logEnd()}`);
      }
      const answer = await this.#ask(scenario, deadlineMs - performance.now());
      if (answer.type === "failed") last = answer.reason;
      else if (answer.status !== 200) last = `status ${answer.status}`;
      else if (scenario.accepts !== undefined && answer.coding === "") throw new Error("its answer is not compressed");
      else if (plain(answer).includes(scenario.expected)) return;
      else
        throw new Error(
          `its answer does not hold ${JSON.stringify(scenario.expected)}: ${JSON.stringify(answer.body.slice(0, 300))}`,
        );
      await sleep(50);
    }
    throw new Error(`not ready after ${startTimeoutMs / 1000} s: ${last}; its log ends: ${this.#logEnd()}`);
  }

  async #ask(scenario: Scenario, timeoutMs: number): Promise<Answer> {
    const { isSecure, accepts, load } = scenario;
    const path = scenario.askedFirst ?? scenario.path;
    if (load.type === "http2") return askHttp2(this.port, path, timeoutMs);
    const connection = new Connection(this.port, isSecure);
    const abort = new AbortController();
    const answer = await Promise.race([
      new Promise<Answer>((resolve) => connection.send(get(path, accepts), resolve)),
      sleep<Answer>(Math.max(0, timeoutMs), { type: "failed", reason: "no answer in time" }, { signal: abort.signal }),
    ]);
    abort.abort();
    connection.close();
    return answer;
  }

  #logEnd(): string {
    return readFileSync(join(this.#folder, "log"), "utf8").trim().split("\n").slice(-5).join(" | ") || "(empty)";
  }

  #signalGroups(signal: NodeJS.Signals): void {
    for (const pid of this.roots) kill(-pid, signal);
  }
}

/** For the bench's own end, whatever its reason: leaves no server behind. */
export function killRunningServers(): void {
  for (const server of running) server.kill();
}

/** Free a moment ago: the kernel chose it, and hands the next one to the next who asks. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** What the client would read. */
function plain({ body, coding }: { readonly body: string; readonly coding: string }): string {
  const decode = { gzip: gunzipSync, zstd: zstdDecompressSync }[coding];
  return decode === undefined ? body : decode(Buffer.from(body, "latin1")).toString("latin1");
}
