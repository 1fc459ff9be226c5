/** One measurement: a server is started, warmed up, put under the scenario's load and stopped; its figures and its faults come back. */
import { arrivals } from "./load/arrivals.ts";
import { type Load as ClosedLoad, type LoadResult, closedLoop } from "./load/closed-loop.ts";
import { h2load } from "./load/h2load.ts";
import { openLoop } from "./load/open-loop.ts";
import { webSocketEcho } from "./load/web-socket-echo.ts";
import { wrk } from "./load/wrk.ts";
import { costed } from "./cost.ts";
import type { FigureName } from "./figures.ts";
import { processTree, pssMegabytes } from "./process-tree.ts";
import { type Programs, RunningServer } from "./running-server.ts";
import type { Load, Scenario } from "./scenarios.ts";
import { idle, slowClients, upload } from "./siege.ts";
import type { Setting } from "./servers.ts";

export interface Measurement {
  readonly figures: Readonly<Partial<Record<FigureName, number>>>;
  /** Not empty: the figures are not to be trusted, and these sentences say why. */
  readonly faults: readonly string[];
}

export interface Run {
  readonly programs: Programs;
  /** Null: the bundled client. */
  readonly wrk: string | null;
  readonly seconds: number;
  /** Of the arrivals; every server of a round is sent the same ones. */
  readonly seed: number;
}

/** A server runs for days: what its compiler does in the first seconds (V8 needs some ten thousand requests) is not measured. */
const warmUpSeconds = (run: Run): number => Math.min(5, 2.5 * run.seconds);

/** Never throws for what a server does: one that does not start is a measurement with a fault. */
export async function measure(setting: Setting, scenario: Scenario, run: Run): Promise<Measurement> {
  let server: RunningServer;
  try {
    server = await RunningServer.start(setting, scenario, run.programs);
  } catch (error) {
    return { figures: {}, faults: [`did not start: ${error instanceof Error ? error.message : String(error)}`] };
  }
  try {
    return await underLoad(server, scenario, run);
  } finally {
    await server.stop();
  }
}

function underLoad(server: RunningServer, scenario: Scenario, run: Run): Promise<Measurement> {
  switch (scenario.load.type) {
    case "saturate":
      return saturate(server, scenario, scenario.load, run);
    case "http2":
      return saturate(server, scenario, scenario.load, run);
    case "echo":
      return echo(server, scenario, scenario.load, run);
    case "tail":
      return tail(server, scenario.load, run);
    case "slowClients":
      return slowClients(server, scenario, scenario.load, run.seconds);
    case "idle":
      return idle(server, scenario, scenario.load);
    case "upload":
      return upload(server, scenario.load, run.seconds);
    case "memory":
      return memory(server, scenario.path, scenario.load, run);
  }
}

async function saturate(
  server: RunningServer,
  { path, isSecure = false, accepts }: Scenario,
  load: Load & { type: "saturate" | "http2" },
  run: Run,
): Promise<Measurement> {
  const client = (closed: ClosedLoad): Promise<LoadResult> =>
    load.type === "http2"
      ? h2load({ ...closed, streams: load.streams })
      : run.wrk === null
        ? closedLoop(closed)
        : wrk(run.wrk, closed);
  const closed = { port: server.port, path, isSecure, accepts, connections: load.connections };
  const warmUp = await client({ ...closed, seconds: warmUpSeconds(run) });
  const { result, cost } = await costed(server, () => client({ ...closed, seconds: run.seconds }));
  return {
    figures: {
      rps: result.requests / result.seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      ...cost,
      pssMegabytes: pssMegabytes(server.roots),
    },
    faults: [...warmUp.faults, ...result.faults],
  };
}

async function echo(
  server: RunningServer,
  { path }: Scenario,
  { connections, messageBytes }: Load & { type: "echo" },
  run: Run,
): Promise<Measurement> {
  const load = { port: server.port, path, connections, messageBytes };
  const warmUp = await webSocketEcho({ ...load, seconds: warmUpSeconds(run) });
  const { result, cost } = await costed(server, () => webSocketEcho({ ...load, seconds: run.seconds }));
  return {
    figures: {
      messagesPerSecond: result.requests / result.seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      ...cost,
      pssMegabytes: pssMegabytes(server.roots),
    },
    faults: [...warmUp.faults, ...result.faults],
  };
}

async function tail(server: RunningServer, load: Load & { type: "tail" }, run: Run): Promise<Measurement> {
  const { fastPath, slowPath, connections, perSecond, slowShare } = load;
  const open = (seconds: number, seed: number): ReturnType<typeof openLoop> =>
    openLoop({
      port: server.port,
      fastPath,
      slowPath,
      connections,
      seed,
      arrivals: arrivals({ perSecond, slowShare, seconds, seed }),
    });
  const warmUp = await open(warmUpSeconds(run), run.seed + 1_000_000);
  const { result, cost } = await costed(server, () => open(run.seconds, run.seed));
  const { requests, faults, ...latencies } = result;
  // A client that is late itself adds to every latency; beyond this it measures the machine, not the server.
  const late =
    latencies.lateP99Ms > 10 ? ["the load client was late: the machine is too busy for this measurement"] : [];
  return {
    figures: { ...latencies, rps: requests / run.seconds, ...cost },
    faults: [...warmUp.faults, ...faults, ...late],
  };
}

async function memory(
  server: RunningServer,
  path: string,
  load: Load & { type: "memory" },
  run: Run,
): Promise<Measurement> {
  const { faults } = await closedLoop({
    port: server.port,
    path,
    connections: 16,
    seconds: run.seconds,
    requests: load.requests,
  });
  return { figures: { pssMegabytes: pssMegabytes(server.roots), processes: processTree(server.roots).length }, faults };
}
