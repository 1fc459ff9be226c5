/** Measurements of a siege: what slow, idle and large clients cost everybody else, and the server. */
import { setTimeout as sleep } from "node:timers/promises";
import { costed } from "./cost.ts";
import { Connection, get } from "./load/connection.ts";
import { Faults } from "./load/faults.ts";
import { type Asked, normalClient } from "./load/normal-client.ts";
import { SlowClients } from "./load/slow-clients.ts";
import { uploads } from "./load/uploads.ts";
import type { Measurement } from "./measure.ts";
import { peakMegabytes, pssMegabytes, resetPeak } from "./process-tree.ts";
import type { RunningServer } from "./running-server.ts";
import type { Load, Scenario } from "./scenarios.ts";

const patienceMs = 2000;

/**
 * A normal client for some seconds of quiet, then while the slow ones are at it: from the first reader's request until so many seconds after the last
 * reader reads or was refused, for which twice the seconds are waited. One that is not served within its patience counts as the whole patience.
 */
export async function slowClients(
  server: RunningServer,
  { path }: Scenario,
  { dribblers, readers, readBytes, readPerSecond, perSecond }: Load & { type: "slowClients" },
  seconds: number,
): Promise<Measurement> {
  const client = (over: Promise<unknown>): Promise<readonly Asked[]> =>
    normalClient({ port: server.port, path, perSecond, patienceMs }, over);
  await client(sleep(1000));
  const quiet = await client(sleep(seconds * 1000));
  const slow = new SlowClients(server.port);
  await slow.dribble("/length", dribblers);
  let [firstAtMs, allReadAtMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const besiege = async (): Promise<void> => {
    const readings = await slow.read(`/large?bytes=${readBytes}`, readers, readPerSecond);
    firstAtMs = readings.firstAtMs;
    await Promise.race([readings.all.then(() => (allReadAtMs = performance.now())), sleep(2000 * seconds)]);
    await sleep(seconds * 1000);
  };
  const over = besiege();
  const { result, cost } = await costed(server, async () => ({ asked: await client(over), requests: 1 }));
  const asked = result.asked.filter(({ sentAtMs }) => sentAtMs >= firstAtMs);
  const { reading, cutOff } = slow;
  const pss = pssMegabytes(server.roots);
  slow.close();
  const allRead = asked.filter(({ sentAtMs }) => sentAtMs >= allReadAtMs);
  return {
    figures: {
      quietP99Ms: p99(quiet),
      besiegedP99Ms: p99(asked),
      ...(allRead.length > 0 && { allReadP99Ms: p99(allRead) }),
      lostPercent: (100 * asked.filter(({ isAnswered }) => !isAnswered).length) / asked.length,
      readers: reading,
      cutOff,
      pssMegabytes: pss,
      othersCores: cost.othersCores,
    },
    faults: lostInQuiet(quiet),
  };
}

/** So many connections ask at once. */
const GROUP = 50;
/** An idle server that has not answered by then does not answer. */
const ANSWER_MS = 3000;
const MOST_SILENT = 5;

/** Kept-alive connections that have had a response each, what they add to the memory of the whole process tree, and whether they are answered again. */
export async function idle(
  server: RunningServer,
  { path }: Scenario,
  { connections }: Load & { type: "idle" },
): Promise<Measurement> {
  const request = get(path);
  const faults = new Faults();
  const ask = (connection: Connection): Promise<boolean> =>
    new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), ANSWER_MS);
      connection.send(request, (answer) => {
        clearTimeout(late);
        faults.judge(answer);
        resolve(answer.type === "response" && answer.status === 200);
      });
    });
  /** Not all at once: that would be another scenario. Whoever leaves whole groups without an answer is not asked for ever. */
  const askAll = async (all: readonly Connection[]): Promise<number> => {
    let answered = 0;
    let silent = 0;
    for (let from = 0; from < all.length && silent < MOST_SILENT; from += GROUP) {
      const good = (await Promise.all(all.slice(from, from + GROUP).map(ask))).filter(Boolean).length;
      answered += good;
      if (good === 0) silent++;
    }
    return answered;
  };
  const open = (count: number): Connection[] => Array.from({ length: count }, () => new Connection(server.port));
  const warm = open(50);
  for (let round = 0; round < 40; round++) await askAll(warm);
  await sleep(2000);
  const before = pssMegabytes(server.roots);
  const idle = open(connections);
  await askAll(idle);
  await sleep(3000);
  const after = pssMegabytes(server.roots);
  const answeredAgain = await askAll(idle);
  for (const connection of [...warm, ...idle]) connection.close();
  return {
    figures: {
      connectionKilobytes: ((after - before) * 1024) / connections,
      answeredAgain,
      pssMegabytes: after,
    },
    faults: faults.list,
  };
}

/** Large bodies to an app that reads them, one after the other. */
export async function upload(
  server: RunningServer,
  { bytes }: Load & { type: "upload" },
  seconds: number,
): Promise<Measurement> {
  const before = resetPeak(server.roots);
  const { result, cost } = await costed(server, () => uploads({ port: server.port, path: "/length", bytes, seconds }));
  return {
    figures: {
      megabytesPerSecond: (result.requests * bytes) / 1e6 / result.seconds,
      cpuMilliseconds: cost.cpuMicroseconds / 1000,
      peakMegabytes: peakMegabytes(server.roots) - before,
      othersCores: cost.othersCores,
    },
    faults: result.faults,
  };
}

// Private

function p99(asked: readonly Asked[]): number {
  const sorted = asked.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}

function lostInQuiet(quiet: readonly Asked[]): readonly string[] {
  const lost = quiet.filter(({ isAnswered }) => !isAnswered).length;
  return lost === 0 ? [] : [`${lost} x no answer before the siege`];
}
