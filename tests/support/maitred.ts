/**
 * The real program, as an operator starts it: spawned, watched through its output, ended by its pid.
 *
 * Nothing here sleeps: start-up and everything after it is awaited by the line that announces it. MAITRED_BIN runs the same tests against
 * another command that understands the same flags.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { after } from "node:test";

import { examplesPython, repository } from "./places.ts";

const COMMAND = process.env["MAITRED_BIN"] ?? `${repository}/bin/maitred`;
const PATIENCE_MS = 30_000;
const LISTENING = /Listening at: (.+) \(\d+\)/g;
const WORKER_READY = /Booting worker with pid|worker \S+ .*\bready\b|\bready\b.*worker/i;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What --error-logfile writes to, where it is a file: it counts as printed on stderr. */
  readonly logFile?: string;
  /** Words before the command that run it as somebody else, as `asNobody` in places.ts. */
  readonly before?: readonly string[];
}

export interface Maitred {
  /** Port of the first TCP address, 0 when there is none. */
  readonly port: number;
  /** `http://127.0.0.1:PORT` or https, empty when there is no TCP address. */
  readonly base: string;
  /** Every address of the `Listening at` lines. */
  readonly addresses: readonly string[];
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** The first match in what was printed, on either stream, from the start of the program on, or as soon as it is. */
  waitForLine(pattern: RegExp): Promise<RegExpMatchArray>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal (SIGTERM) and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  readonly exited: Promise<Exit>;
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `maitred ARGS`, with the examples' Python unless the arguments name one, and waits until it listens and a worker is ready. */
export async function startMaitred(args: readonly string[], options: StartOptions = {}): Promise<Maitred> {
  const program = launch(args, options);
  await program.waitFor(LISTENING);
  await program.waitFor(WORKER_READY);
  const addresses = [...program.stderr().matchAll(LISTENING)]
    .flatMap((match) => (match[1] ?? "").split(","))
    .map((address) => address.trim());
  const base = addresses.find((address) => /^https?:/.test(address)) ?? "";
  return {
    port: base === "" ? 0 : Number(new URL(base).port),
    base,
    addresses,
    pid: program.pid,
    stdout: () => program.stdout(),
    stderr: () => program.stderr(),
    waitForLine: (pattern) => program.waitFor(pattern),
    signal: (signal) => process.kill(program.pid, signal),
    stop: (signal = "SIGTERM") => {
      if (running.has(program.child)) process.kill(program.pid, signal);
      return within(program.exited, () => `did not end after ${signal}`, program);
    },
    exited: program.exited,
  };
}

/** Runs `maitred ARGS` to its end: for starts that must fail. */
export async function runMaitred(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  const program = launch(args, options);
  const exit = await within(program.closed, () => "did not end by itself", program);
  return { ...exit, stdout: program.stdout(), stderr: program.stderr() };
}

// Private

interface Program {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  waitFor(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The process has ended; its workers may still hold the pipes. */
  readonly exited: Promise<Exit>;
  /** Ended, and all its output read. */
  readonly closed: Promise<Exit>;
}

const running = new Set<ChildProcess>();

/** What each program has printed, by those that it has started to take its place too. */
const outputs = new Set<{ readonly stderr: string }>();

after(() => {
  for (const child of running) child.kill("SIGKILL");
  // A test that failed in the midst of an upgrade has left a server behind, which would keep the run from ending.
  for (const { stderr } of outputs)
    for (const [, pid] of stderr.matchAll(/\[(\d+)\] \[INFO\] Starting maitred/g)) killOurs(Number(pid));
});

/** Unless the number is another program's by now. */
function killOurs(pid: number): void {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("dist/main.js")) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function launch(args: readonly string[], options: StartOptions): Program {
  if (!existsSync(COMMAND)) throw new Error(`there is no ${COMMAND} to test`);
  // Commands beside serving (src/cli/commands.ts) are known by their first word.
  const withPython = args.includes("--python") || args[0] === "cert" ? args : ["--python", examplesPython(), ...args];
  const env = { ...process.env, ...options.env };
  for (const name of ["WEB_CONCURRENCY", "PORT", "GUNICORN_CMD_ARGS", "NODE_TEST_CONTEXT", "MAITRED_BIN"])
    if (!(name in (options.env ?? {}))) delete env[name];
  const [file = COMMAND, ...words] = [...(options.before ?? []), COMMAND, ...withPython];
  const child = spawn(file, words, { cwd: options.cwd ?? repository, env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);

  const text = { stdout: "", stderr: "" };
  outputs.add(text);
  const { logFile } = options;
  const printed = (): string =>
    text.stderr + (logFile !== undefined && existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  const watchers = new Set<() => void>();
  const announce = (): void => watchers.forEach((look) => look());
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (data: string) => {
      text[name] += data;
      announce();
    });
  }
  if (logFile !== undefined) {
    const looking = setInterval(announce, 20);
    child.once("exit", () => clearInterval(looking));
  }
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  let closed = false;
  const closing = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      closed = true;
      resolve({ code, signal });
      announce();
    });
  });
  exited.catch(() => undefined);

  const program: Program = {
    child,
    pid: child.pid ?? -1,
    stdout: () => text.stdout,
    stderr: printed,
    exited,
    closed: closing,
    waitFor: (pattern) => {
      const once = new RegExp(pattern.source, pattern.flags.replace("g", ""));
      const seen = new Promise<RegExpMatchArray>((resolve, reject) => {
        const look = (): void => {
          const match = once.exec(printed()) ?? once.exec(text.stdout);
          if (match === null && !closed) return;
          watchers.delete(look);
          if (match === null) reject(new Error(`ended without printing ${String(pattern)}${output(program)}`));
          else resolve(match);
        };
        watchers.add(look);
        look();
      });
      return within(seen, () => `did not print ${String(pattern)}`, program);
    },
  };
  return program;
}

async function within<T>(promise: Promise<T>, complaint: () => string, program: Program): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`maitred ${complaint()} within ${PATIENCE_MS / 1000} s${output(program)}`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function output(program: Program): string {
  return `\n--- its stdout\n${program.stdout()}\n--- its stderr\n${program.stderr()}`;
}
