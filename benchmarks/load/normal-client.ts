/**
 * A client as it should be, at a fixed rate, whatever becomes of its requests: each is sent at its moment, on a kept-alive connection that is free or on a
 * new one, and given up when its patience is over.
 */
import { Connection, get } from "./connection.ts";

export interface NormalLoad {
  readonly port: number;
  readonly path: string;
  readonly perSecond: number;
  readonly patienceMs: number;
}

export interface Asked {
  /** Moment of its sending, by performance.now(). */
  readonly sentAtMs: number;
  /** Until its answer; the whole patience where there was none. */
  readonly ms: number;
  readonly isAnswered: boolean;
}

/** Asks until `over`; resolves when the last request is answered or given up. */
export async function normalClient(load: NormalLoad, over: Promise<unknown>): Promise<readonly Asked[]> {
  const request = get(load.path);
  const free: Connection[] = [];
  const asked: Promise<Asked>[] = [];
  const ask = (): Promise<Asked> =>
    new Promise((resolve) => {
      const connection = free.pop() ?? new Connection(load.port);
      const sentAtMs = performance.now();
      const timer = setTimeout(() => {
        connection.close();
        resolve({ sentAtMs, ms: load.patienceMs, isAnswered: false });
      }, load.patienceMs);
      connection.send(request, (answer) => {
        clearTimeout(timer);
        const isAnswered = answer.type === "response" && answer.status === 200;
        if (answer.type === "response") free.push(connection);
        resolve({ sentAtMs, ms: isAnswered ? performance.now() - sentAtMs : load.patienceMs, isAnswered });
      });
    });
  const startMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - startMs) / 1000) * load.perSecond;
    while (asked.length < due) asked.push(ask());
  }, 1);
  await over;
  clearInterval(timer);
  const all = await Promise.all(asked);
  for (const connection of free) connection.close();
  return all;
}
