import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { House, paths } from "./house.test.ts";

const REFUSED = '503 "503 Service Unavailable\\n" retry-after 1';

describe("the queue", () => {
  test("serves first in, first out, as seats become free", () => {
    const house = new House();
    const seat = house.seat();
    const all = ["/a", "/b", "/c"].map((path) => house.submit(path));
    assert.equal(paths(seat.held), "/a");
    assert.equal(house.dispatcher.waiting, 2);
    house.answer(all[0]!);
    assert.equal(paths(seat.held), "/b");
    assert.equal(paths(house.seat().held), "/c");
    assert.equal(house.dispatcher.waiting, 0);
  });

  test("a request does not overtake those that wait, though a seat is free", () => {
    const house = new House();
    const seat = house.seat({ isOpen: false });
    house.submit("/a");
    seat.isOpen = true;
    house.submit("/b");
    house.dispatcher.pump();
    assert.equal(paths(seat.held), "/a");
  });

  test("a client that leaves is taken out and never given to a seat", () => {
    const house = new House();
    const [a, b, c] = ["/a", "/b", "/c"].map((path) => house.submit(path));
    b!.leave();
    assert.equal(house.dispatcher.waiting, 2);
    const seat = house.seat();
    house.answer(a!);
    assert.equal(paths(seat.held), "/c");
    c!.leave();
    assert.deepEqual(house.sink.events, ['complete /a 200 ""']);
  });

  test("a full one refuses with 503 and Retry-After, and says so once a second however many there are", () => {
    const house = new House({ queueSize: 2, queueTimeoutMs: 0 });
    house.clock.advance(5000);
    for (let i = 0; i < 5; i++) house.submit(`/${i}`);
    assert.deepEqual(
      house.sink.events,
      [2, 3, 4].map((i) => `complete /${i} ${REFUSED}`),
    );
    house.clock.advance(10);
    house.submit("/5");
    house.clock.advance(900);
    assert.deepEqual(house.lines, ["error Answered 503 to 3 requests: 2 are waiting (--queue-size 2)"]);
    house.clock.advance(200);
    assert.equal(house.lines[1], "error Answered 503 to 1 requests: 2 are waiting (--queue-size 2)");
  });

  test("one of length 0 serves while a seat is free", () => {
    const house = new House({ queueSize: 0 });
    const seat = house.seat();
    house.submit("/a");
    house.submit("/b");
    assert.equal(paths(seat.held), "/a");
    assert.deepEqual(house.sink.events, [`complete /b ${REFUSED}`]);
  });

  test("who waits too long gets 503 and a line in the log; the others go on waiting", () => {
    const house = new House({ queueTimeoutMs: 1000 });
    house.submit("/a?q", "POST");
    house.clock.advance(500);
    house.submit("/b");
    house.clock.advance(500);
    assert.deepEqual(house.sink.events, [`complete /a ${REFUSED}`]);
    assert.deepEqual(house.lines, ["error POST /a?q answered 503: no worker was free for 1000 ms (--queue-timeout 1)"]);
    assert.equal(house.dispatcher.waiting, 1);
  });

  test("whoever came back to its head does not hold up the time limit of those behind", () => {
    const house = new House({ queueTimeoutMs: 1000 });
    const seat = house.seat();
    const a = house.submit("/a");
    house.submit("/b");
    house.clock.advance(900);
    seat.isOpen = false;
    seat.free(a);
    house.dispatcher.returned([a]);
    house.clock.advance(150);
    assert.deepEqual(house.sink.events, [`complete /b ${REFUSED}`]);
  });

  test("an abandoned one answers 503 to all who wait and to all who come", () => {
    const house = new House();
    house.submit("/a");
    house.submit("/b");
    house.dispatcher.abandon();
    house.submit("/c");
    assert.deepEqual(
      house.sink.events,
      ["/a", "/b", "/c"].map((path) => `complete ${path} ${REFUSED}`),
    );
    assert.equal(house.dispatcher.waiting, 0);
  });

  test("no timer runs while nobody waits", () => {
    const house = new House();
    const seat = house.seat();
    house.answer(house.submit("/a"));
    assert.equal(house.clock.timers, 0);
    const b = house.submit("/b");
    const c = house.submit("/c");
    assert.equal(house.clock.timers, 1);
    house.answer(b);
    house.answer(c);
    house.clock.advance(100);
    assert.equal(house.clock.timers, 0);
    assert.equal(seat.inFlight, 0);
  });
});

describe("which seat", () => {
  test("requests known to be fast share one, up to the budget", () => {
    const house = new House();
    house.teach("/fast", 0.2, 200);
    const seats = [house.seat(), house.seat()];
    for (let i = 0; i < 8; i++) house.submit("/fast");
    assert.deepEqual(
      seats.map((seat) => seat.inFlight),
      [8, 0],
    );
    house.submit("/fast");
    assert.deepEqual(
      seats.map((seat) => seat.inFlight),
      [8, 1],
    );
  });

  test("nobody is put behind a request that has never been measured", () => {
    const house = new House();
    house.teach("/fast", 0.2, 200);
    const seats = [house.seat(), house.seat()];
    house.submit("/new");
    house.submit("/fast");
    house.submit("/fast");
    assert.deepEqual(
      seats.map(({ held }) => paths(held)),
      ["/new", "/fast /fast"],
    );
  });

  test("what waits behind a request that runs longer than 5 ms is asked back once another seat is free", () => {
    const house = new House();
    house.teach("/fast", 0.2, 200);
    const seat = house.seat();
    house.submit("/fast");
    house.submit("/fast");
    house.clock.advance(30);
    assert.equal(seat.recalls, 0, "nobody else could take them");
    const other = house.seat();
    house.clock.advance(10);
    assert.equal(seat.recalls, 1);
    assert.equal(other.recalls, 0);
  });

  test("a seat that has just answered is not asked, nor one with a single request, nor an event loop", () => {
    const house = new House();
    house.teach("/fast", 0.2, 200);
    const seat = house.seat();
    house.submit("/fast");
    house.submit("/fast");
    house.seat();
    const loop = house.seat({ concurrent: true, inFlight: 9, backlogMs: 9 });
    for (let i = 0; i < 5; i++) {
      seat.busySince = house.clock.now() + 6;
      house.clock.advance(10);
    }
    house.answer(seat.held[0]!);
    house.clock.advance(50);
    assert.equal(seat.recalls + loop.recalls, 0);
  });
});
