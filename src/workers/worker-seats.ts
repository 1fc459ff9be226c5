/** Makes the seats of a worker that has connected all of them. */
import type { Socket } from "node:net";
import { directStream } from "../streams/direct-stream.ts";
import type { RequestEncoder } from "../wire/request-encoder.ts";
import type { GenerationContext, GenerationSettings } from "./generation-settings.ts";
import { WorkerSeat } from "./seat.ts";
import type { SeatOwner } from "./seat-owner.ts";
import type { Readiness, Worker } from "./worker.ts";

/** Requests that one serial seat may hold: one at work, the others on their way. */
const SERIAL_CAPACITY = 64;

export function workerSeats(
  worker: Worker,
  readiness: Readiness,
  sockets: readonly Socket[],
  encoder: RequestEncoder,
  owner: SeatOwner,
  { workerConnections }: Pick<GenerationSettings, "workerConnections">,
  { clock, turnEnd }: GenerationContext,
): WorkerSeat[] {
  const { concurrent, templates: remembers } = readiness;
  const capacity = concurrent ? workerConnections : SERIAL_CAPACITY;
  return sockets.map((socket, index) => {
    const identity = { name: worker.name, workerPid: worker.pid, index, concurrent, remembers, capacity };
    const seat = new WorkerSeat((listener) => directStream(socket, listener), identity, encoder, owner, clock, turnEnd);
    seat.onRecall = () => worker.recall(index);
    return seat;
  });
}
