/** The bundled load client: every connection sends its next request when it has its answer. Stands in where wrk is missing. */
import { createHistogram } from "node:perf_hooks";
import { Connection, get } from "./connection.ts";
import { Faults } from "./faults.ts";

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly isSecure?: boolean;
  /** Value of Accept-Encoding. */
  readonly accepts?: string | undefined;
  readonly connections: number;
  readonly seconds: number;
  /** Stops earlier, once that many requests were sent. */
  readonly requests?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly faults: readonly string[];
}

export async function closedLoop(load: Load): Promise<LoadResult> {
  const request = get(load.path, load.accepts);
  const latencies = createHistogram({ figures: 3 });
  const faults = new Faults();
  const connections = Array.from({ length: load.connections }, () => new Connection(load.port, load.isSecure));
  const startMs = performance.now();
  const deadlineMs = startMs + load.seconds * 1000;
  let unsent = load.requests ?? Number.POSITIVE_INFINITY;

  const run = (connection: Connection): Promise<void> =>
    new Promise((resolve) => {
      const next = (): void => {
        const sentMs = performance.now();
        if (unsent <= 0 || sentMs >= deadlineMs) return resolve();
        unsent--;
        connection.send(request, (answer) => {
          latencies.record(Math.max(1, Math.round((performance.now() - sentMs) * 1e6)));
          faults.judge(answer);
          // A turn later: a server that refuses every connection must not make this a recursion.
          if (answer.type === "failed") setImmediate(next);
          else next();
        });
      };
      next();
    });

  // An answer that never comes must not hold the bench up.
  const giveUp = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => {
      faults.add("no answer 10 s after the end");
      giveUp.resolve();
    },
    load.seconds * 1000 + 10_000,
  );
  await Promise.race([Promise.all(connections.map(run)), giveUp.promise]);
  clearTimeout(timer);

  const seconds = (performance.now() - startMs) / 1000;
  for (const connection of connections) connection.close();
  return {
    requests: latencies.count,
    seconds,
    p50Ms: latencies.percentile(50) / 1e6,
    p99Ms: latencies.percentile(99) / 1e6,
    faults: faults.list,
  };
}
