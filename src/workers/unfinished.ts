/** What a lost worker had not finished, in two: not begun (any worker may have it) and begun. Pure. */
import type { Exchange } from "../http/exchange.ts";
import type { Worker } from "./worker.ts";
import type { WorkerExit } from "./zygote.ts";

export interface Unfinished {
  readonly unstarted: Exchange[];
  readonly begun: Exchange[];
}

export function unfinishedOf(worker: Worker, exit: WorkerExit): Unfinished {
  const unstarted: Exchange[] = [];
  const begun: Exchange[] = [];
  for (const seat of worker.seats) {
    const started = exit.started?.[seat.index] ?? Number.POSITIVE_INFINITY;
    for (const exchange of seat.unfinished()) {
      exchange.release();
      // A streamed body may already be in the dead worker's socket: it cannot be given again.
      if (isAfter(exchange.sequence, started) && exchange.stream === null) unstarted.push(exchange);
      else begun.push(exchange);
    }
  }
  return { unstarted, begun };
}

/** Whether a request came after the one that the progress board names, which knows the number modulo 2^30. */
function isAfter(sequence: number, started: number): boolean {
  const distance = (sequence - started) & 0x3fffffff;
  return distance > 0 && distance < 0x20000000;
}
