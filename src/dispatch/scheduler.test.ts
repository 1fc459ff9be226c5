import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "../http/exchange.ts";
import { BUDGET_MS, chooseSeat, WINDOW } from "./scheduler.ts";
import type { Seat } from "./seat.ts";

/** A seat of which the tests decide everything. */
export class FakeSeat implements Seat {
  name = "worker 1 (pid 1)";
  concurrent = false;
  capacity = 64;
  isOpen = true;
  backlogMs = 0;
  busySince = 0;
  isGathering = false;
  inFlight = 0;
  webSockets = 0;
  /** What it was given and has not finished. */
  readonly held: Exchange[] = [];
  recalls = 0;

  constructor(differences: Partial<FakeSeat> = {}) {
    Object.assign(this, differences);
  }

  give(exchange: Exchange, estimateMs: number): void {
    exchange.attempts++;
    exchange.seat = this;
    exchange.onGone = () => {};
    this.held.push(exchange);
    this.inFlight++;
    this.backlogMs += estimateMs;
  }

  /** Takes an exchange out of the seat. */
  free(exchange: Exchange): void {
    this.held.splice(this.held.indexOf(exchange), 1);
    this.inFlight--;
    if (this.inFlight === 0) this.backlogMs = 0;
  }

  recall(): void {
    this.recalls++;
  }
}

const free: Partial<FakeSeat> = {};
const light: Partial<FakeSeat> = { inFlight: 1, backlogMs: BUDGET_MS * 0.9 };
const heavy: Partial<FakeSeat> = { inFlight: 1, backlogMs: BUDGET_MS };
const unknown: Partial<FakeSeat> = { inFlight: 1, backlogMs: Number.POSITIVE_INFINITY };
const onLoop = (seat: Partial<FakeSeat>): Partial<FakeSeat> => ({ ...seat, concurrent: true, capacity: 1000 });

const table: readonly [string, Partial<FakeSeat>[], number | null][] = [
  ["no seat at all", [], null],
  ["a free seat", [free], 0],
  ["the first of two free seats", [free, free], 0],
  ["a free seat rather than one whose work is long", [heavy, free], 1],
  ["a free seat rather than one whose work is not known", [unknown, free], 1],
  ["a seat with little work rather than a free one, which would have to be woken", [free, light], 1],
  ["the fuller of two with little work", [light, { ...light, inFlight: 3 }, free], 1],
  [
    "the one that gathers in this turn rather than a fuller one",
    [
      { ...light, inFlight: 9 },
      { ...light, isGathering: true },
    ],
    1,
  ],
  ["no seat where all have long work", [heavy, unknown], null],
  [
    "no closed seat",
    [
      { ...free, isOpen: false },
      { ...light, isOpen: false },
    ],
    null,
  ],
  ["no seat at its capacity", [{ ...light, inFlight: 4, capacity: 4 }], null],
  ["no serial seat with a full window", [{ inFlight: WINDOW, backlogMs: 0, capacity: 1000 }], null],
  ["a free event loop rather than a busy one", [onLoop(heavy), onLoop(free)], 1],
  [
    "the event loop with the fewest requests where none is free",
    [onLoop({ ...heavy, inFlight: 5 }), onLoop({ ...unknown, inFlight: 2 })],
    1,
  ],
  ["an event loop beyond a serial seat's window", [onLoop({ inFlight: WINDOW, backlogMs: 0 })], 0],
  ["no event loop at its capacity", [onLoop({ ...heavy, inFlight: 1000 })], null],
];

for (const [title, seats, chosen] of table) {
  test(`chooses ${title}`, () => {
    const all = seats.map((seat) => new FakeSeat(seat));
    assert.equal(chooseSeat(all, 0), chosen === null ? null : all[chosen]);
  });
}
