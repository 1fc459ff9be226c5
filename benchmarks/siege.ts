/**
 * A siege: what slow and idle clients cost everybody else. `.tools/bin/node benchmarks/siege.ts [slow] [idle] [upload]`, all three without a word.
 *
 * slow:   300 clients send a body at one byte a second and 100 read 5 MB at 50 KB/s; a normal client's times with 2 sync workers, before and meanwhile.
 * idle:   5,000 keep-alive connections that have had one response: memory of the front for each, and whether all are answered again.
 * upload: 200 MB to a WSGI app that reads wsgi.input: speed, and memory of the front.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const DRIBBLERS = 300;
const READERS = 100;
const READ_BYTES = 5_000_000;
const READ_PER_SECOND = 50_000;
const NORMAL_PER_SECOND = 200;
const SECONDS = 12;
const BEGIN_SECONDS = 4;
const IDLE = 5000;
const UPLOAD_BYTES = 200_000_000;
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
}

async function start(...args: string[]): Promise<Server> {
  const child = spawn(
    join(ROOT, "bin/maitred"),
    [
      "--python",
      join(ROOT, ".tools/examples/bin/python"),
      "-b",
      "127.0.0.1:0",
      "-k",
      "sync",
      "--chdir",
      join(ROOT, "tests/apps"),
      ...args,
      "wsgi_app:application",
    ],
    { stdio: ["ignore", "inherit", "pipe"] },
  );
  let text = "";
  const port = await new Promise<number>((found, failed) => {
    child.stderr.setEncoding("utf8").on("data", (data: string) => {
      text += data;
      const match = /Listening at: http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
      if (match !== null && /is ready/.test(text)) found(Number(match[1]));
    });
    child.once("exit", () => failed(new Error(`maitred ended:\n${text}`)));
  });
  child.removeAllListeners("exit");
  return { child, pid: child.pid!, port };
}

async function stop({ child }: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGQUIT");
  await ended;
}

function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  return new Promise((resolve, reject) => socket.once("connect", () => resolve(socket)).once("error", reject));
}

/** One GET on an open connection; resolves when the response is there. */
function ask(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    const hear = (data: Buffer): void => {
      text += data.toString("latin1");
      if (!text.endsWith("hello")) return;
      socket.off("data", hear);
      socket.off("close", fail);
      resolve();
    };
    const fail = (): void => reject(new Error(`closed instead of an answer: ${JSON.stringify(text)}`));
    socket.on("data", hear);
    socket.once("close", fail);
    socket.write(GET);
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A normal client's response times in milliseconds, at a fixed rate on four connections. */
async function normal(port: number, seconds: number): Promise<number[]> {
  const sockets = await Promise.all([open(port), open(port), open(port), open(port)]);
  const times: number[] = [];
  const from = performance.now();
  const total = seconds * NORMAL_PER_SECOND;
  await Promise.all(
    sockets.map(async (socket, index) => {
      for (let count = index; count < total; count += sockets.length) {
        const due = from + (count * 1000) / NORMAL_PER_SECOND;
        const wait = due - performance.now();
        if (wait > 0) await pause(wait);
        await ask(socket);
        times.push(performance.now() - due);
      }
    }),
  );
  for (const socket of sockets) socket.destroy();
  return times.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(2);

/** Bytes of memory that are this process's own (proportional set size). */
function memory(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0) * 1024;
}

async function slow(): Promise<void> {
  const server = await start("-w", "2");
  await normal(server.port, 2);
  const quiet = await normal(server.port, SECONDS);
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];
  for (let count = 0; count < DRIBBLERS; count++) {
    const socket = await open(server.port);
    socket.write("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    timers.push(setInterval(() => socket.write("x"), 1000));
    sockets.push(socket);
  }
  for (let count = 0; count < READERS; count++) {
    const socket = await open(server.port);
    socket.pause();
    socket.write(`GET /large?bytes=${READ_BYTES} HTTP/1.1\r\nHost: x\r\n\r\n`);
    timers.push(setInterval(() => socket.read(READ_PER_SECOND / 2) ?? socket.read(), 500));
    sockets.push(socket);
  }
  // At first the app makes 500 MB of responses; afterwards its workers have nothing to do with the siege.
  const first = await normal(server.port, BEGIN_SECONDS);
  const besieged = await normal(server.port, SECONDS - BEGIN_SECONDS);
  const both = [...first, ...besieged].sort((a, b) => a - b);
  const figures = (times: readonly number[]): string => `p50 ${at(times, 0.5)} p99 ${at(times, 0.99)} ms`;
  console.log(
    `slow: quiet ${figures(quiet)}; besieged ${figures(both)}, of these the first ${BEGIN_SECONDS} s ${figures(first)}, later ${figures(besieged)} (${both.length} requests, all answered)`,
  );
  for (const timer of timers) clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  await stop(server);
}

async function idle(): Promise<void> {
  const server = await start("-w", "1");
  const warm = await Promise.all(Array.from({ length: 50 }, () => open(server.port)));
  for (let round = 0; round < 20; round++) await Promise.all(warm.map(ask));
  await pause(2000);
  const before = memory(server.pid);
  const sockets: Socket[] = [];
  while (sockets.length < IDLE) {
    const batch = await Promise.all(Array.from({ length: 50 }, () => open(server.port)));
    await Promise.all(batch.map(ask));
    sockets.push(...batch);
  }
  await pause(3000);
  const each = (memory(server.pid) - before) / IDLE;
  for (let from = 0; from < IDLE; from += 100) await Promise.all(sockets.slice(from, from + 100).map(ask));
  console.log(`idle: ${(each / 1024).toFixed(1)} KiB for each of ${IDLE} idle connections; all answered again`);
  for (const socket of [...warm, ...sockets]) socket.destroy();
  await stop(server);
}

async function upload(): Promise<void> {
  const server = await start("-w", "1");
  const socket = await open(server.port);
  await ask(socket);
  const peak = (): number =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "latin1"))?.[1]) * 1024;
  const before = peak();
  const piece = Buffer.alloc(1_000_000, "x");
  const answered = new Promise<string>((resolve) =>
    socket.once("data", (data: Buffer) => resolve(data.toString("latin1"))),
  );
  const from = performance.now();
  socket.write(`POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`);
  for (let sent = 0; sent < UPLOAD_BYTES; sent += piece.length)
    await new Promise((resolve) => socket.write(piece, resolve));
  const answer = await answered;
  const seconds = (performance.now() - from) / 1000;
  if (!answer.endsWith(String(UPLOAD_BYTES))) throw new Error(`not whole: ${answer}`);
  console.log(
    `upload: ${Math.round(UPLOAD_BYTES / 1e6 / seconds)} MB/s, ${((peak() - before) / 1e6).toFixed(1)} MB of memory over quiet`,
  );
  socket.destroy();
  await stop(server);
}

const scenes: Readonly<Record<string, () => Promise<void>>> = { slow, idle, upload };
const asked = process.argv.slice(2);
for (const [name, play] of Object.entries(scenes)) if (asked.length === 0 || asked.includes(name)) await play();
