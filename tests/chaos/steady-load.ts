/** Clients that ask again as soon as they have their answer, half of them on a kept-alive connection, half on a new one each time, and count everything. */
import { Agent, request } from "node:http";

export interface Answered {
  /** 0: the client's patience was over; -1: the connection broke. */
  readonly status: number;
  readonly ms: number;
  /** The body, or the error's code. */
  readonly text: string;
}

export interface Ask {
  readonly port: number;
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly patienceMs: number;
}

/** One request; resolves whatever becomes of it. */
export function ask({ port, path, method, patienceMs }: Ask, agent: Agent | false = false): Promise<Answered> {
  const began = performance.now();
  return new Promise((resolve) => {
    const finish = (status: number, text: string): void => {
      clearTimeout(timer);
      resolve({ status, ms: performance.now() - began, text });
    };
    const body = method === "POST" ? "x" : undefined;
    const outgoing = request({ host: "127.0.0.1", port, path, method, agent }, (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (data: string) => (text += data));
      response.on("error", (error: NodeJS.ErrnoException) => finish(-1, error.code ?? error.message));
      response.on("end", () => finish(response.statusCode ?? -1, text));
    });
    const timer = setTimeout(() => {
      finish(0, "patience");
      outgoing.destroy();
    }, patienceMs);
    outgoing.on("error", (error: NodeJS.ErrnoException) => finish(-1, error.code ?? error.message));
    if (body !== undefined) outgoing.setHeader("content-length", body.length);
    outgoing.end(body);
  });
}

export class Tally {
  readonly answers: Map<number, number> = new Map();
  readonly bodies: Set<string> = new Set();
  /** Error codes of broken connections and of clients whose patience was over. */
  readonly errors: Map<string, number> = new Map();
  slowestMs = 0;
  /** The last few bodies of a 200: the pids that answer now. */
  readonly recent: string[] = [];

  add({ status, ms, text }: Answered): void {
    this.slowestMs = Math.max(this.slowestMs, ms);
    if (status <= 0) {
      this.errors.set(text, (this.errors.get(text) ?? 0) + 1);
      return;
    }
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    if (status !== 200) return;
    this.bodies.add(text);
    if (this.recent.push(text) > 40) this.recent.shift();
  }

  get good(): number {
    return this.answers.get(200) ?? 0;
  }

  get failed(): number {
    let count = -this.good;
    for (const number of [...this.answers.values(), ...this.errors.values()]) count += number;
    return count;
  }

  /** "3 × 502, 2 × ECONNRESET"; empty where nothing failed. */
  get failures(): string {
    return [...this.answers, ...this.errors]
      .filter(([what]) => what !== 200)
      .map(([what, count]) => `${count} × ${what}`)
      .join(", ");
  }
}

const CLIENTS = 6;
/** A server that is gone refuses faster than anybody would ask. */
const AFTER_FAILURE_MS = 20;

/** Asks until `over`; the tally counts while it runs. */
export async function steadyLoad(what: Ask, over: Promise<unknown>, tally: Tally = new Tally()): Promise<Tally> {
  let wanted = true;
  void over.finally(() => (wanted = false));
  const client = async (_: unknown, index: number): Promise<void> => {
    const agent = index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    while (wanted) {
      const answered = await ask(what, agent);
      tally.add(answered);
      if (answered.status <= 0) await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS));
    }
    if (agent !== false) agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return tally;
}
