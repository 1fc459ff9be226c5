/** What goes wrong, made to go wrong on any server, told as a cell of a table. Each lasts at most ten seconds. */
import { RawClient } from "../../support/raw-client.ts";
import { openLoop } from "../../support/open-loop.ts";
import { isAlive } from "../../support/processes.ts";
import { ask, type Answered, steadyLoad, Tally } from "../steady-load.ts";
import { kill, pause, Running } from "./running.ts";
import type { Server } from "./servers.ts";

export interface Scenario {
  readonly title: string;
  /** null: it cannot do that. */
  readonly run: (server: Server) => Promise<string | null>;
}

const SECONDS = 6;
const PATIENCE_MS = 4000;
const number = (count: number): string => count.toLocaleString("en");
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function told(tally: Tally): string {
  if (tally.failed === 0) return `${number(tally.good)} ok`;
  return `**${number(tally.failed)} failed** of ${number(tally.good + tally.failed)}: ${tally.failures}`;
}

/** Does something every so often for as long as a scenario lasts. */
async function every(ms: number, act: () => void): Promise<void> {
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() + ms < end) {
    await pause(ms);
    act();
  }
  await pause(Math.max(0, end - performance.now()));
}

/** A worker that has answered lately. */
function someWorker({ recent }: Tally): number {
  const alive = [...new Set(recent)].map(Number).filter(isAlive);
  return alive[Math.floor(Math.random() * alive.length)] ?? 0;
}

const killWorkers = (method: "GET" | "POST") => async (server: Server) => {
  const running = await Running.start(server);
  const tally = new Tally();
  let kills = 0;
  const acts = every(500, () => {
    const pid = someWorker(tally);
    if (pid > 0 && kill(pid, "SIGKILL")) kills++;
    void running.processes;
  });
  await steadyLoad({ port: running.port, path: "/work?ms=5", method, patienceMs: PATIENCE_MS }, acts, tally);
  await running.end();
  return `${told(tally)} (${kills} kills)`;
};

async function reloads(server: Server): Promise<string> {
  const running = await Running.start(server);
  const acts = every(1900, () => kill(running.pid, "SIGHUP"));
  const tally = await steadyLoad(
    { port: running.port, path: "/work?ms=5", method: "GET", patienceMs: PATIENCE_MS },
    acts,
  );
  await running.end();
  return `${told(tally)}, ${tally.bodies.size} workers seen`;
}

async function brokenReload(server: Server): Promise<string> {
  const running = await Running.start(server);
  running.breakCode();
  let sent = false;
  const acts = every(1000, () => {
    if (!sent) kill(running.pid, "SIGHUP");
    sent = true;
  });
  const tally = await steadyLoad(
    { port: running.port, path: "/work?ms=5", method: "GET", patienceMs: PATIENCE_MS },
    acts,
  );
  const answers = await running.answersWithin(1000);
  const lives = isAlive(running.pid);
  await running.end();
  const end = answers !== null ? "the old code serves" : lives ? "**serves nothing**" : "**the server has ended**";
  return `${told(tally)}; ${end}`;
}

async function recycling(server: Server): Promise<string | null> {
  if (!server.canRecycle) return null;
  const running = await Running.start(server, { maxRequests: 50 });
  const acts = every(1000, () => void running.processes);
  const tally = await steadyLoad(
    { port: running.port, path: "/work?ms=5", method: "GET", patienceMs: PATIENCE_MS },
    acts,
  );
  await running.end();
  return `${told(tally)}, ${tally.bodies.size} workers seen`;
}

async function upgrade(server: Server): Promise<string | null> {
  if (server.upgrade === null) return null;
  const running = await Running.start(server);
  const old = running.pid;
  let turn = 0;
  const acts = every(1500, () => {
    void running.processes;
    if (++turn === 1) kill(old, "SIGUSR2");
    else if (turn === 2 && server.upgrade === "by hand") kill(old, "SIGTERM");
  });
  const tally = await steadyLoad(
    { port: running.port, path: "/work?ms=5", method: "GET", patienceMs: PATIENCE_MS },
    acts,
  );
  const gone = !isAlive(old);
  await running.end();
  const hand = server.upgrade === "by hand" ? ", SIGTERM to the old one by hand" : "";
  return `${told(tally)}${gone ? "" : "; **the old one stays**"}${hand}`;
}

async function stopInFlight(server: Server): Promise<string> {
  const running = await Running.start(server);
  const inFlight = Array.from({ length: 8 }, () =>
    ask({ port: running.port, path: "/work?ms=500", method: "GET", patienceMs: 8000 }),
  );
  await pause(200);
  const began = performance.now();
  kill(running.pid, "SIGTERM");
  const exit = await Promise.race([running.exit, pause(9000).then(() => "still there after 9 s")]);
  const ms = performance.now() - began;
  const answers = await Promise.all(inFlight);
  await running.end();
  const good = answers.filter(({ status }) => status === 200).length;
  const share = good === answers.length ? "8 of 8 answered" : `**${good} of 8 answered**`;
  return `${share}; exit ${exit} after ${seconds(ms)}`;
}

/** One worker hangs under load; what do the others' clients notice, and when do all workers work again? */
async function hanging(running: Running, hang: (tally: Tally) => Promise<Answered | null>): Promise<string> {
  const tally = new Tally();
  // Its end is awaited below, not here.
  const victims: Promise<Answered | null>[] = [];
  const acts = pause(500)
    .then(() => void victims.push(hang(tally)))
    .then(() => pause(7000));
  await steadyLoad({ port: running.port, path: "/work?ms=5", method: "GET", patienceMs: PATIENCE_MS }, acts, tally);
  const slowest = tally.failed > 0 ? "" : `, the slowest ${seconds(tally.slowestMs)}`;
  const [own = null] = await Promise.all(victims);
  const end = own === null ? "" : `; its own client: ${describe(own)}`;
  return `others: ${told(tally)}${slowest}${end}`;
}

function describe({ status, ms }: Answered): string {
  if (status === 0) return `nothing for ${seconds(ms)}`;
  return status === -1 ? `cut off after ${seconds(ms)}` : `${status} after ${seconds(ms)}`;
}

async function stuck(server: Server): Promise<string> {
  const running = await Running.start(server, { timeoutSeconds: 2 });
  const cell = await hanging(running, () =>
    ask({ port: running.port, path: "/stuck", method: "GET", patienceMs: 7000 }),
  );
  const isTold = /stuck_here/.test(running.log);
  const hasUrl = /\/stuck/.test(running.log);
  await running.end();
  return `${cell}; log: ${[isTold ? "stack" : "no stack", hasUrl ? "URL" : "no URL"].join(", ")}`;
}

async function stopped(server: Server): Promise<string> {
  const running = await Running.start(server, { timeoutSeconds: 2 });
  let pid = 0;
  const cell = await hanging(running, (tally) => {
    pid = someWorker(tally);
    kill(pid, "SIGSTOP");
    return Promise.resolve(null);
  });
  const replaced = !isAlive(pid);
  await running.end();
  return `${cell}; ${replaced ? "replaced" : "**it stays stopped**"}`;
}

async function killMaster(server: Server): Promise<string> {
  const running = await Running.start(server);
  void running.processes;
  kill(running.pid, "SIGKILL");
  await running.exit;
  await pause(1000);
  const left = running.processes.length;
  running.startAgain();
  // Where old processes still answer, it is the new one's end that tells.
  const ended = await Promise.race([running.exit, pause(3000).then(() => null)]);
  const ms = await running.answersWithin(2000);
  await running.end();
  const stays = left === 0 ? "nothing left after 1 s" : `**${left} process${left === 1 ? "" : "es"} left after 1 s**`;
  if (ended !== null) return `${stays}; **a new start fails** (exit ${ended})`;
  return `${stays}; ${ms === null ? "**a new start does not serve**" : "a new start serves"}`;
}

async function leftTheQueue(server: Server): Promise<string> {
  // One worker: which of two is free, every server decides by its own lights.
  const running = await Running.start(server, { workers: 1 });
  const held = ask({ port: running.port, path: "/work?ms=2000", method: "GET", patienceMs: 9000 });
  await pause(200);
  const clients = await Promise.all(Array.from({ length: 100 }, () => RawClient.open(running.port)));
  for (const client of clients) await client.send("GET /run HTTP/1.1\r\nHost: x\r\n\r\n");
  await pause(300);
  for (const client of clients) client.leave();
  await held;
  await pause(1500);
  const { runs } = running;
  await running.end();
  return runs === 0 ? "0 ran" : `**${runs} ran**`;
}

async function killsItsWorker(server: Server): Promise<string> {
  const running = await Running.start(server);
  const own = await ask({ port: running.port, path: "/die", method: "GET", patienceMs: 5000 });
  await pause(1500);
  const { runs } = running;
  const back = await running.answersWithin(3000);
  await running.end();
  return `ran ${runs === 1 ? "once" : `${runs} times`}; its client: ${describe(own)}; ${back === null ? "**serves no more**" : "the server serves"}`;
}

async function overload(server: Server): Promise<string> {
  const running = await Running.start(server);
  const path = "/work?ms=20";
  const patienceMs = 3000;
  const forSeconds = 5;
  await openLoop(running.port, path, { perSecond: 50, forMs: 500, patienceMs });
  const during = await openLoop(running.port, path, { perSecond: 300, forMs: forSeconds * 1000, patienceMs });
  const after = await openLoop(running.port, path, { perSecond: 50, forMs: 2000, patienceMs });
  await running.end();
  const inTime = during.filter(({ status, ms }) => status === 200 && ms <= 1000).length / forSeconds;
  const count = (wanted: number): number => during.filter(({ status }) => status === wanted).length;
  const late = after.filter(({ status, ms }) => status !== 200 || ms > 500).map(({ atMs }) => atMs);
  const broken = count(-1) === 0 ? "" : `, ${count(-1)} broken`;
  const slow =
    late.length === 0
      ? "normal at once"
      : `slow for ${seconds(Math.max(...late))}${Math.max(...late) > 1900 ? " and more" : ""}`;
  return `${inTime.toFixed(0)}/s within 1 s; ${count(200)} × 200, ${count(503)} × 503, ${count(0)} gave up${broken}; after it ${slow}`;
}

export const scenarios: readonly Scenario[] = [
  { title: "`kill -9` of a worker every 0.5 s, GET", run: killWorkers("GET") },
  { title: "the same, POST", run: killWorkers("POST") },
  { title: "SIGHUP every 2 s", run: reloads },
  { title: "SIGHUP into broken code", run: brokenReload },
  { title: "a worker is replaced after 50 requests", run: recycling },
  { title: "SIGUSR2: a new release takes over", run: upgrade },
  { title: "SIGTERM with 8 requests of 0.5 s", run: stopInFlight },
  { title: "a worker in `while True` (time limit 2 s)", run: stuck },
  { title: "a worker is SIGSTOPped (time limit 2 s)", run: stopped },
  { title: "`kill -9` of the main process", run: killMaster },
  { title: "100 clients leave the queue", run: leftTheQueue },
  { title: "a GET kills its worker", run: killsItsWorker },
  { title: "300/s for 2 workers of 20 ms, patience 3 s", run: overload },
];
