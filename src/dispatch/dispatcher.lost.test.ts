import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../http/exchange.ts";
import { House, NONE, paths } from "./house.test.ts";

describe("a lost worker", () => {
  test("what it had not begun goes to the head of the queue in order, whatever the method", () => {
    const house = new House();
    const lost = house.seat();
    const a = house.submit("/a");
    house.submit("/x");
    const given = [a, house.submit("/b", "POST"), house.submit("/c", "PUT")];
    given[1]!.onGone!(given[1]!);
    given[2]!.onGone!(given[2]!);
    for (const exchange of given.slice(1)) lost.give(exchange, 0);
    for (const exchange of given) exchange.state = "given";
    house.dispatcher.removeSeat(lost);
    house.dispatcher.returned(given);
    const seat = house.seat();
    const order: string[] = [];
    while (seat.held.length > 0) {
      order.push(paths(seat.held));
      house.answer(seat.held[0]!);
    }
    assert.deepEqual(order, ["/a", "/b", "/c", "/x"]);
  });

  /** A request at work in a seat that is lost. */
  function lost(
    method: string,
    prepare: (exchange: Exchange) => void = () => {},
  ): { house: House; exchange: Exchange } {
    const house = new House();
    const seat = house.seat();
    const exchange = house.submit("/a", method);
    prepare(exchange);
    house.clock.advance(40);
    house.dispatcher.removeSeat(seat);
    seat.free(exchange);
    house.dispatcher.lost(exchange, "worker 1 (pid 1) died unexpectedly, killed by SIGKILL");
    return { house, exchange };
  }

  const because = "worker 1 (pid 1) died unexpectedly, killed by SIGKILL";

  test("GET is tried once more and then answered 502", () => {
    const { house, exchange } = lost("GET");
    assert.deepEqual(house.lines, [`warning Trying GET /a again: ${because}`]);
    const second = house.seat();
    assert.equal(paths(second.held), "/a");
    house.dispatcher.removeSeat(second);
    second.free(exchange);
    house.dispatcher.lost(exchange, because);
    assert.equal(paths(house.seat().held), "");
    assert.deepEqual(house.sink.events, ['complete /a 502 "502 Bad Gateway\\n"']);
    assert.equal(house.lines[1], `error GET /a failed (answered 502) after 40 ms: ${because}`);
  });

  test("a GET that another seat had handed back unbegun still has its second try", () => {
    const house = new House();
    const first = house.seat();
    const exchange = house.submit("/a");
    house.dispatcher.removeSeat(first);
    first.free(exchange);
    house.dispatcher.returned([exchange]);
    const second = house.seat();
    house.dispatcher.removeSeat(second);
    second.free(exchange);
    house.dispatcher.lost(exchange, because);
    assert.equal(paths(house.seat().held), "/a");
  });

  test("POST is answered 502, with the cause in the log", () => {
    const { house } = lost("POST");
    assert.deepEqual(house.sink.events, ['complete /a 502 "502 Bad Gateway\\n"']);
    assert.deepEqual(house.lines, [`error POST /a failed (answered 502) after 40 ms: ${because}`]);
  });

  test("a response that had begun is cut", () => {
    const { house } = lost("GET", (exchange) => exchange.start(200, "OK", NONE));
    assert.deepEqual(house.sink.events, ["start /a 200", "cut /a"]);
    assert.deepEqual(house.lines, [`error GET /a failed (the response was cut) after 40 ms: ${because}`]);
  });

  test("a client that has left is forgotten", () => {
    const { house } = lost("POST", (exchange) => exchange.leave());
    assert.deepEqual([house.sink.events, house.lines, house.dispatcher.waiting], [[], [], 0]);
  });
});

test("whatever happens, a request is answered once or its client has left", () => {
  const step = fc.tuple(
    fc.constantFrom("submit", "submit", "submit", "leave", "answer", "answer", "lose", "return", "seat", "wait"),
    fc.nat(1000),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const house = new House({ queueSize: 6, queueTimeoutMs: 500 });
      let seats = [house.seat(), house.seat(), house.seat()];
      const all: Exchange[] = [];
      const left = new Set<Exchange>();
      const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];
      for (const [what, n] of steps) {
        const seat = pick(seats, n);
        const held = seat === undefined ? undefined : pick(seat.held, n >> 3);
        if (what === "submit") {
          all.push(house.submit(`${pick(["/fast", "/slow", "/x"], n)}?${all.length}`, pick(["GET", "POST"], n >> 2)));
        } else if (what === "leave") {
          const exchange = pick(all, n);
          if (exchange === undefined || exchange.state === "done") continue;
          left.add(exchange);
          exchange.leave();
        } else if (what === "answer" && held !== undefined) house.answer(held, held.head.path === "/slow" ? 100 : 0.1);
        else if (what === "return" && seat !== undefined) {
          const back = seat.held.slice(n % 3);
          for (const exchange of back) seat.free(exchange);
          house.dispatcher.returned(back);
        } else if (what === "lose" && seat !== undefined) {
          seats = seats.filter((one) => one !== seat);
          house.dispatcher.removeSeat(seat);
          const [begun, ...rest] = seat.held.splice(0);
          if (begun !== undefined) house.dispatcher.lost(begun, "why");
          house.dispatcher.returned(rest);
        } else if (what === "seat" && seats.length < 5) seats.push(house.seat());
        else if (what === "wait") house.clock.advance(n % 200);
        // Nobody is in two places.
        const inSeats = seats.flatMap((one) => one.held);
        assert.equal(new Set(inSeats).size, inSeats.length);
        const waiting = all.filter(({ state }) => state === "queued");
        assert.equal(waiting.length, house.dispatcher.waiting);
        assert.ok(waiting.every((exchange) => !inSeats.includes(exchange)));
        assert.ok(all.every((one) => one.state === "queued" || one.state === "done" || inSeats.includes(one)));
      }
      for (const seat of seats) while (seat.held.length > 0) house.answer(seat.held[0]!);
      house.dispatcher.abandon();
      for (const seat of seats) while (seat.held.length > 0) house.answer(seat.held[0]!);
      const answers = house.sink.events.length;
      assert.equal(answers, all.length - left.size);
      assert.ok(all.every(({ state }) => state === "done"));
    }),
  );
});
