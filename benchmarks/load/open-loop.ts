/**
 * Open-loop load: requests arrive when they arrive, however slow the server is, and each one's latency counts from the moment it
 * was meant to be sent. (A closed loop sends less while the server is stuck, and so hides the very waiting that is to be measured:
 * coordinated omission.)
 *
 * Arrivals take any free one of a fixed pool of kept-alive connections, as the requests of many browsers or of a proxy's pool do;
 * when none is free they wait, and the waiting counts.
 */
import { type RecordableHistogram, createHistogram } from "node:perf_hooks";
import { type Arrival, randomNumbers } from "./arrivals.ts";
import { Connection, get } from "./connection.ts";
import { Faults } from "./faults.ts";

export interface OpenLoad {
  readonly port: number;
  readonly fastPath: string;
  readonly slowPath: string;
  readonly connections: number;
  readonly arrivals: readonly Arrival[];
  readonly seed: number;
}

export interface OpenResult {
  readonly requests: number;
  readonly fastP50Ms: number;
  readonly fastP99Ms: number;
  readonly slowP99Ms: number;
  /** How late this client itself sent requests: its own share of the latencies above. */
  readonly lateP99Ms: number;
  readonly faults: readonly string[];
}

const drainMs = 10_000;

export async function openLoop(load: OpenLoad): Promise<OpenResult> {
  const [fast, slow, late] = [
    createHistogram({ figures: 3 }),
    createHistogram({ figures: 3 }),
    createHistogram({ figures: 3 }),
  ];
  const faults = new Faults();
  const random = randomNumbers(load.seed);
  const connections = Array.from({ length: load.connections }, () => new Connection(load.port));
  const [fastRequest, slowRequest] = [get(load.fastPath), get(load.slowPath)];
  const free = [...connections];
  const waiting: Arrival[] = [];
  const over = Promise.withResolvers<void>();
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  let unanswered = load.arrivals.length;

  const dispatch = (): void => {
    while (waiting.length > 0 && free.length > 0) {
      const [connection] = free.splice(Math.floor(random() * free.length), 1);
      const arrival = waiting.shift();
      if (connection === undefined || arrival === undefined) return;
      connection.send(arrival.slow ? slowRequest : fastRequest, (answer) => {
        record(arrival.slow ? slow : fast, elapsedMs() - arrival.atMs);
        faults.judge(answer);
        free.push(connection);
        if (--unanswered === 0) over.resolve();
        dispatch();
      });
    }
  };

  let next = 0;
  const tick = (): void => {
    const nowMs = elapsedMs();
    for (
      let arrival = load.arrivals[next];
      arrival !== undefined && arrival.atMs <= nowMs;
      arrival = load.arrivals[++next]
    ) {
      record(late, nowMs - arrival.atMs);
      waiting.push(arrival);
    }
    dispatch();
    const upcoming = load.arrivals[next];
    if (upcoming !== undefined) setTimeout(tick, Math.max(1, upcoming.atMs - elapsedMs()));
    else setTimeout(() => over.resolve(), drainMs).unref();
  };
  tick();
  await over.promise;

  if (unanswered > 0) faults.add(`no answer ${drainMs / 1000} s after the last arrival`, unanswered);
  for (const connection of connections) connection.close();
  return {
    requests: fast.count + slow.count,
    fastP50Ms: fast.percentile(50) / 1e6,
    fastP99Ms: fast.percentile(99) / 1e6,
    slowP99Ms: slow.percentile(99) / 1e6,
    lateP99Ms: late.percentile(99) / 1e6,
    faults: faults.list,
  };
}

function record(histogram: RecordableHistogram, milliseconds: number): void {
  histogram.record(Math.max(1, Math.round(milliseconds * 1e6)));
}
