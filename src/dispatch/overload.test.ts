import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Exchange } from "../http/exchange.ts";
import { House } from "./house.test.ts";
import { PATIENCE_FACTOR } from "./overload.ts";
import type { FakeSeat } from "./scheduler.test.ts";

/** Two sync workers, so much time per request, arrivals as they come, clients that leave after their patience. */
class Simulation {
  readonly house: House;
  readonly seats: readonly FakeSeat[];
  readonly serviceMs: number;
  readonly waits: number[] = [];
  /** How long after its arrival each refused request was refused. */
  readonly refusals: number[] = [];
  /** And how long after the moment it was decided: the wait had become too long, and the lane was late. */
  readonly delays: number[] = [];
  left = 0;
  readonly #random: () => number;
  readonly #patienceMs: number;
  /** The first refusal says that the lane is late. */
  #lateAt = -1;

  constructor(serviceMs: number, seats = 2, queueTargetMs = 500) {
    this.house = new House({ queueSize: 10_000, queueTimeoutMs: 30_000, queueTargetMs });
    this.house.teach("/", serviceMs, 300);
    this.seats = Array.from({ length: seats }, () => this.house.seat());
    this.serviceMs = serviceMs;
    this.#patienceMs = Math.max(queueTargetMs, PATIENCE_FACTOR * serviceMs);
    let state = 7;
    this.#random = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  }

  /** `perSecond` requests for so long; each client waits 3 s. */
  run(ms: number, perSecond: number): void {
    const end = this.house.clock.now() + ms;
    let next = this.house.clock.now() + this.#gap(perSecond);
    while (this.house.clock.now() < end) {
      this.house.clock.advance(1);
      for (; next <= this.house.clock.now(); next += this.#gap(perSecond)) this.#arrive();
      this.#work();
    }
  }

  reset(): void {
    this.waits.length = this.refusals.length = this.delays.length = this.left = 0;
  }

  readonly #waiting = new Set<Exchange>();
  readonly #begun = new Map<Exchange, number>();

  #gap(perSecond: number): number {
    return (-Math.log(1 - this.#random()) * 1000) / perSecond;
  }

  #arrive(): void {
    const exchange = this.house.submit("/");
    this.#waiting.add(exchange);
  }

  #work(): void {
    const now = this.house.clock.now();
    for (const { held } of this.seats) {
      const exchange = held[0];
      if (exchange === undefined) continue;
      const begun = this.#begun.get(exchange) ?? now;
      this.#begun.set(exchange, begun);
      if (now - begun < this.serviceMs) continue;
      this.#begun.delete(exchange);
      if (exchange.state !== "done") this.waits.push(now - exchange.receivedAt);
      this.#waiting.delete(exchange);
      this.house.answer(exchange, this.serviceMs);
    }
    for (const exchange of this.#waiting) {
      if (exchange.state === "done") {
        this.refusals.push(now - exchange.receivedAt);
        if (this.#lateAt < 0) this.#lateAt = now;
        this.delays.push(now - Math.max(exchange.receivedAt + this.#patienceMs, this.#lateAt));
        this.#waiting.delete(exchange);
      } else if (now - exchange.receivedAt > 3000) {
        exchange.leave();
        this.left++;
        this.#waiting.delete(exchange);
      }
    }
  }
}

const overloads = ({ house }: Simulation): readonly string[] => house.lines.filter((line) => /Overload/.test(line));
const share = (waits: readonly number[], belowMs: number): number =>
  waits.filter((wait) => wait <= belowMs).length / waits.length;

suite("three times more than two workers can do", () => {
  test("is served at full speed and in time; the rest is refused soon, and nobody leaves unanswered", () => {
    const simulation = new Simulation(20);
    simulation.run(1000, 300);
    simulation.reset();
    simulation.run(10_000, 300);
    assert.ok(
      simulation.waits.length >= 940,
      `${simulation.waits.length} served in 10 s (one tick of 1 ms is lost each)`,
    );
    assert.ok(share(simulation.waits, 200) > 0.95, "the newest go first");
    assert.ok(Math.max(...simulation.waits) <= 1000);
    assert.ok(simulation.refusals.length > 1500);
    assert.ok(Math.max(...simulation.delays) <= 100, "a 503 follows within 100 ms of its decision");
    assert.equal(simulation.left, 0);
  });

  test("is over half a second after it ends, and told twice", () => {
    const simulation = new Simulation(20);
    simulation.run(5000, 300);
    simulation.run(500, 50);
    simulation.reset();
    simulation.run(3000, 50);
    assert.deepEqual(simulation.refusals, []);
    assert.ok(Math.max(...simulation.waits) < 250, `${Math.max(...simulation.waits)} ms`);
    const told = overloads(simulation);
    assert.equal(told.length, 2);
    assert.match(told[0]!, /^error Overload: \d+ requests wait, the oldest for 5\d\d ms/);
    assert.match(told[1]!, /^warning Overload is over after \d\.\d s: \d+ requests got 503/);
  });

  test("without a target everybody waits in order, until they leave", () => {
    const simulation = new Simulation(20, 2, 0);
    simulation.run(4000, 300);
    simulation.reset();
    simulation.run(5000, 300);
    assert.ok(share(simulation.waits, 1000) < 0.5);
    assert.ok(simulation.left > 500);
  });
});

test("a little too much is overload too, once the wait is long", () => {
  const simulation = new Simulation(20);
  simulation.run(60_000, 120);
  assert.equal(overloads(simulation).length > 0, true);
  assert.ok(share(simulation.waits, 1000) > 0.99);
});

test("a burst is served in order, however long the last one waits", () => {
  const simulation = new Simulation(20);
  simulation.run(10, 20_000);
  simulation.run(2500, 20);
  assert.deepEqual([overloads(simulation), simulation.refusals], [[], []]);
  assert.ok(simulation.waits.length > 180);
});

test("the queue behind a stuck worker waits, and is served when it goes on", () => {
  const simulation = new Simulation(20, 1);
  const seat = simulation.seats[0]!;
  seat.isOpen = false;
  simulation.run(2000, 20);
  seat.isOpen = true;
  simulation.house.dispatcher.pump();
  simulation.run(3000, 20);
  assert.deepEqual([overloads(simulation), simulation.refusals], [[], []]);
});

test("who may wait longer does not hold up the 503 of those behind", () => {
  const house = new House({ queueSize: 1000, queueTimeoutMs: 30_000, queueTargetMs: 500 });
  // Four times the average is the slow lane's; a little less waits with the others, for 380 ms times five.
  house.teach("/fast", 100, 300);
  house.teach("/long", 380, 1);
  const seat = house.seat();
  const fast: Exchange[] = [];
  const run = (ms: number): void => {
    for (let passed = 10; passed <= ms; passed += 10) {
      house.clock.advance(10);
      fast.push(house.submit("/fast"));
      if (passed % 100 === 0) house.answer(seat.held[0]!, 100);
    }
  };
  run(1500);
  assert.match(house.lines[0] ?? "", /Overload/);
  const long = house.submit("/long");
  run(1000);
  assert.deepEqual([long.isSlow, long.state], [false, "queued"]);
  const overdue = fast.filter(({ receivedAt }) => house.clock.now() - receivedAt > PATIENCE_FACTOR * 105);
  assert.deepEqual([...new Set(overdue.map(({ state }) => state))], ["done"]);
});

test("patience grows with what requests take: 400 ms each may wait 2 s", () => {
  const simulation = new Simulation(400);
  simulation.run(8000, 15);
  assert.ok(simulation.refusals.length > 0);
  assert.ok(Math.min(...simulation.refusals) >= 1990, `${Math.min(...simulation.refusals)} ms`);
});

test("clients that ask again only after their answer do not make an overload, however many they are", () => {
  const house = new House({ queueSize: 1000, queueTimeoutMs: 30_000, queueTargetMs: 500 });
  const seats = [house.seat(), house.seat()];
  for (let client = 0; client < 150; client++) house.submit("/");
  for (let round = 0; round < 500; round++) {
    house.clock.advance(20);
    for (const { held } of seats) {
      house.answer(held[0]!, 20);
      house.submit("/");
    }
  }
  assert.deepEqual(house.lines, []);
});

test("a burst of long requests among short ones is served, all of it", () => {
  const house = new House({ queueSize: 10_000, queueTimeoutMs: 30_000, queueTargetMs: 500 });
  house.teach("/short", 1, 300);
  const seats = [house.seat(), house.seat()];
  const taken = new Map<Exchange, number>();
  const burst = Array.from({ length: 100 }, () => house.submit("/long"));
  const short: Exchange[] = [];
  // 1.5 s of work for two seats; meanwhile 200 short ones come a second, which would be a fifth of a second's.
  for (let ms = 0; ms < 3000; ms++) {
    house.clock.advance(1);
    if (ms % 5 === 0) short.push(house.submit("/short"));
    for (const { held } of seats) {
      const exchange = held[0];
      if (exchange === undefined) continue;
      const left = (taken.get(exchange) ?? (burst.includes(exchange) ? 30 : 1)) - 1;
      taken.set(exchange, left);
      if (left <= 0) house.answer(exchange, burst.includes(exchange) ? 30 : 1);
    }
  }
  assert.deepEqual(house.lines, []);
  assert.ok([...burst, ...short.slice(0, -10)].every(({ state, status }) => state === "done" && status !== 503));
});
