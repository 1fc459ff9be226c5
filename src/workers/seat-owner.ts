/** Who runs the dispatcher and the worker, as a seat sees it. */
import type { Exchange } from "../http/exchange.ts";
import type { WireError } from "../wire/frames.ts";
import type { WorkerSeat } from "./seat.ts";

export interface SeatIdentity {
  readonly name: string;
  readonly workerPid: number;
  readonly index: number;
  readonly concurrent: boolean;
  readonly capacity: number;
  /** The worker keeps templates. */
  readonly remembers: boolean;
}

export interface SeatOwner {
  /** A request is finished. `ms` is its service time, negative where it could not be told. */
  onFinished(seat: WorkerSeat, exchange: Exchange, ms: number): void;
  /** There is room again. */
  onRoom(seat: WorkerSeat): void;
  /** The worker broke the protocol. */
  onBroken(seat: WorkerSeat, error: WireError): void;
  /** The link is closed: the worker has ended, or is about to. */
  onClosed(seat: WorkerSeat): void;
  /** The app's answer could not be sent to any client. */
  onBadResponse(exchange: Exchange, reason: string): void;
  /** The client of this streamed response takes less than the worker gives, which a serial seat should not have to wait for. */
  onSlowClient(exchange: Exchange): void;
}
