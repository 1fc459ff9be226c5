/** Requests that come when they come, each on a connection of its own, whatever became of those before; each client leaves when its patience is over. */
import { connect } from "node:net";

export interface Answer {
  /** Milliseconds after the start of the load. */
  readonly atMs: number;
  /** Until the whole answer was there, or the end. */
  readonly ms: number;
  /** 0: the client left; -1: the connection broke. */
  readonly status: number;
  readonly retryAfter: string;
}

export interface OpenLoad {
  readonly perSecond: number;
  readonly forMs: number;
  readonly patienceMs: number;
}

/** Resolves when the last one has its answer. */
export async function openLoop(port: number, path: string, load: OpenLoad): Promise<Answer[]> {
  const { perSecond, forMs, patienceMs } = load;
  const start = performance.now();
  const answers: Promise<Answer>[] = [];
  const total = Math.round((perSecond * forMs) / 1000);
  while (answers.length < total) {
    const elapsed = performance.now() - start;
    while (answers.length < total && (answers.length * 1000) / perSecond <= elapsed)
      answers.push(one(port, path, patienceMs, elapsed));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return Promise.all(answers);
}

/**
 * How long after its decision each 503 of an overload came, the slowest: it was decided when the wait had become longer than the target, or, for who
 * waited that long before the overload was seen, at the first 503 of all.
 */
export function slowestRefusalMs(answers: readonly Answer[], targetMs: number): number {
  const refused = answers.filter(({ status }) => status === 503);
  const seenAt = Math.min(...refused.map(({ atMs, ms }) => atMs + ms));
  return Math.max(...refused.map(({ atMs, ms }) => atMs + ms - Math.max(atMs + targetMs, seenAt)));
}

function one(port: number, path: string, patienceMs: number, atMs: number): Promise<Answer> {
  const start = performance.now();
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const finish = (status: number): void => {
      clearTimeout(timer);
      socket.destroy();
      const retryAfter = /^retry-after: *(.*?)\r$/im.exec(text)?.[1] ?? "";
      resolve({ atMs, ms: performance.now() - start, status, retryAfter });
    };
    const timer = setTimeout(() => finish(0), patienceMs);
    socket.setEncoding("latin1");
    socket.on("connect", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    socket.on("data", (data: string) => (text += data));
    socket.on("error", () => finish(-1));
    socket.on("end", () => {
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? -1);
      finish(status);
    });
  });
}
