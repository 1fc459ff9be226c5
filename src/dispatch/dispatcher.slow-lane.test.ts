/** Requests of routes that are slow beside the others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange } from "../http/exchange.ts";
import { House, paths } from "./house.test.ts";
import type { FakeSeat } from "./scheduler.test.ts";

describe("the slow lane", () => {
  /** Three seats, and a route that takes 100 ms where others take 1. */
  function houseWithSlowRoute(): { house: House; seats: FakeSeat[] } {
    const house = new House({ queueTimeoutMs: 60_000 });
    house.teach("/fast", 2, 300);
    house.teach("/slow", 100);
    return { house, seats: [house.seat(), house.seat(), house.seat()] };
  }

  test("leaves one seat to the fast", () => {
    const { house, seats } = houseWithSlowRoute();
    for (let i = 0; i < 4; i++) house.submit("/slow");
    assert.deepEqual(
      seats.map(({ held }) => paths(held)),
      ["/slow", "/slow", ""],
    );
    house.submit("/fast");
    assert.equal(paths(seats[2]!.held), "/fast");
    assert.equal(house.dispatcher.waiting, 2);
  });

  test("takes that seat too when it has waited five times as long as it will take", () => {
    const { house, seats } = houseWithSlowRoute();
    for (let i = 0; i < 3; i++) house.submit("/slow");
    house.clock.advance(490);
    assert.equal(paths(seats[2]!.held), "");
    house.clock.advance(20);
    assert.equal(paths(seats[2]!.held), "/slow");
  });

  test("is not starved by a queue of fast ones that never empties", () => {
    const { house, seats } = houseWithSlowRoute();
    for (const seat of seats) seat.isOpen = false;
    const slow = house.submit("/slow");
    const worker = seats[0]!;
    for (let i = 0; i < 40; i++) house.submit("/fast");
    worker.isOpen = true;
    for (let i = 0; i < 100 && slow.state === "queued"; i++) {
      house.dispatcher.pump();
      house.submit("/fast");
      house.clock.advance(5);
      for (const exchange of worker.held.slice()) if (exchange !== slow) house.answer(exchange, 2);
    }
    assert.equal(slow.state, "given");
    assert.ok(house.dispatcher.waiting > 0);
    // The 40 that came with it are served first, 5 ms each.
    assert.ok(house.clock.now() <= 210, `${house.clock.now()} ms`);
  });

  test("counts those at work right, however they end", () => {
    const { house, seats } = houseWithSlowRoute();
    const ends: ((exchange: Exchange) => void)[] = [
      (exchange) => house.answer(exchange, 100),
      (exchange) => {
        (exchange.seat as FakeSeat).free(exchange);
        exchange.leave();
        house.dispatcher.returned([exchange]);
      },
      (exchange) => {
        (exchange.seat as FakeSeat).free(exchange);
        exchange.leave();
        house.dispatcher.lost(exchange, "why");
      },
      (exchange) => {
        (exchange.seat as FakeSeat).free(exchange);
        exchange.attempts = 2;
        house.dispatcher.lost(exchange, "why");
      },
    ];
    for (const end of ends) {
      for (let round = 0; round < 3; round++) {
        const both = [house.submit("/slow"), house.submit("/slow")];
        assert.deepEqual(
          seats.map((seat) => seat.inFlight),
          [1, 1, 0],
        );
        for (const exchange of both) end(exchange);
        assert.deepEqual(
          seats.map((seat) => seat.inFlight),
          [0, 0, 0],
        );
      }
    }
  });

  test("leaves no seat where there are only two, or event loops", () => {
    for (const seats of [[{}, {}], [{ concurrent: true, capacity: 9 }]]) {
      const { house, seats: three } = houseWithSlowRoute();
      for (const seat of three) house.dispatcher.removeSeat(seat);
      const all = seats.map((seat) => house.seat(seat));
      house.submit("/slow");
      house.submit("/slow");
      assert.equal(
        all.reduce((sum, seat) => sum + seat.inFlight, 0),
        2,
      );
    }
  });

  /** Answers everything that has been given: slow ones after 50 ms, others after 1. Returns how many were slow. */
  function answerAll(house: House, seats: readonly FakeSeat[]): number {
    let slow = 0;
    house.clock.advance(50);
    for (const seat of seats)
      for (const exchange of seat.held.slice()) {
        const isSlow = exchange.head.path === "/many";
        if (isSlow) slow++;
        house.answer(exchange, isSlow ? 50 : 1);
      }
    return slow;
  }

  test("is also for those whose route proves slow while they wait: many that come at once leave a seat to the others", () => {
    const house = new House({ queueSize: 500, queueTimeoutMs: 60_000 });
    house.teach("/fast", 1, 300);
    const seats = [house.seat({ capacity: 1 }), house.seat({ capacity: 1 })];
    // Nobody knows yet what they take.
    for (let i = 0; i < 100; i++) house.submit("/many");
    const fast = Array.from({ length: 10 }, () => house.submit("/fast"));
    let served = answerAll(house, seats);
    assert.equal(served, 2);
    for (let round = 0; round < 10; round++) served += answerAll(house, seats);
    assert.ok(fast.every(({ status }) => status === 200));
    assert.ok(served >= 6 && served <= 13, `${served} of the many, one at a time, after the others`);
    // Until a second is over nobody waits for the other seat.
    for (; house.clock.now() < 900; answerAll(house, seats)) {
      const one = house.submit("/fast");
      assert.equal(one.state, "given");
    }
  });

  test("of two seats leaves one from the moment that more than four wait for each, though others still come", () => {
    const house = new House({ queueSize: 500, queueTimeoutMs: 60_000 });
    house.teach("/fast", 1, 300);
    house.teach("/many", 50);
    const seats = [house.seat({ capacity: 1 }), house.seat({ capacity: 1 })];
    // Both are at work on them, and so many wait as could also be a bad moment.
    for (let i = 0; i < 2 + 8; i++) house.submit("/many");
    answerAll(house, seats);
    assert.equal(answerAll(house, seats), 2, "no backlog: both seats again");
    for (let i = 0; i < 90; i++) house.submit("/many");
    const fast = house.submit("/fast");
    answerAll(house, seats);
    for (let round = 0; round < 6; round++) {
      house.submit("/many");
      assert.equal(answerAll(house, seats) <= 1, true, "one seat is everybody else's");
    }
    assert.equal(fast.status, 200);
  });

  test("may have half of the last seat's time once it has waited for a second", () => {
    const house = new House({ queueSize: 500, queueTimeoutMs: 60_000 });
    house.teach("/fast", 1, 300);
    house.teach("/many", 50);
    const seats = [house.seat({ capacity: 1 }), house.seat({ capacity: 1 })];
    for (let i = 0; i < 100; i++) house.submit("/many");
    let served = 0;
    while (house.clock.now() < 1100) served += answerAll(house, seats);
    const before = served;
    for (let round = 0; round < 20; round++) served += answerAll(house, seats);
    assert.ok(served - before >= 29 && served - before <= 31, `${served - before} in 20 times their time`);
  });

  test("is for one that is the only route there is not", () => {
    const house = new House({ queueTimeoutMs: 60_000 });
    const seats = [house.seat({ capacity: 1 }), house.seat({ capacity: 1 }), house.seat({ capacity: 1 })];
    for (let i = 0; i < 9; i++) house.submit("/many");
    for (let round = 0; round < 2; round++) assert.equal(answerAll(house, seats), 3);
  });
});
