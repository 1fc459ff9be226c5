/**
 * Which seat gets the next request: pure decision over the seats' figures (docs/decisions/0007).
 *
 * Waking a sleeping worker costs about 50 µs of CPU, far more than a fast request; standing behind a slow one costs its whole time. So a request joins
 * a seat that is at work already as long as the work before it is known to be below BUDGET_MS ("pack"), else it takes a free seat, else it
 * waits in the queue, from where the first seat to become free takes it.
 */
import type { Seat } from "./seat.ts";

/** How long a request may be made to wait behind others in a seat. */
export const BUDGET_MS = 1.5;

/** Requests that a serial seat may hold. */
export const WINDOW = 64;

/** A seat that has been silent for longer than this is not doing what was estimated: nobody is put behind it. */
export const PATIENCE_MS = 3;

/** The seat for a request at this time, or null where it must wait. */
export function chooseSeat(seats: readonly Seat[], nowMs: number): Seat | null {
  let free: Seat | null = null;
  let packed: Seat | null = null;
  let lightest: Seat | null = null;
  for (let i = 0; i < seats.length; i++) {
    const seat = seats[i]!;
    if (!seat.isOpen || seat.inFlight >= seat.capacity) continue;
    if (seat.inFlight === 0) {
      free ??= seat;
    } else if (seat.concurrent ? seat.backlogMs < BUDGET_MS : mayJoin(seat, nowMs)) {
      if (packed === null || seat.isGathering || (!packed.isGathering && seat.inFlight > packed.inFlight))
        packed = seat;
    } else if (seat.concurrent && (lightest === null || seat.inFlight < lightest.inFlight)) {
      lightest = seat;
    }
  }
  return packed ?? free ?? lightest;
}

/**
 * The seat for a WebSocket: the one with the fewest that are open or on their way. What it will cost nobody knows, and it may last for days, so they
 * are spread and not packed.
 */
export function chooseSeatForWebSocket(seats: readonly Seat[]): Seat | null {
  let chosen: Seat | null = null;
  for (const seat of seats) {
    if (!seat.isOpen || seat.inFlight >= seat.capacity) continue;
    if (chosen === null || seat.webSockets + seat.inFlight < chosen.webSockets + chosen.inFlight) chosen = seat;
  }
  return chosen;
}

function mayJoin(seat: Seat, nowMs: number): boolean {
  return seat.backlogMs < BUDGET_MS && seat.inFlight < WINDOW && nowMs - seat.busySince < PATIENCE_MS;
}
