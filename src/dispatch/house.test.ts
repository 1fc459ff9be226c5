/** The dispatcher's surroundings for its tests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import type { Exchange } from "../http/exchange.ts";
import { fieldsOf, RecordingSink, sampleExchange } from "../http/exchange.test.ts";
import type { ResponseFields } from "../http/response-fields.ts";
import { Dispatcher, type DispatcherSettings } from "./dispatcher.ts";
import { FakeSeat } from "./scheduler.test.ts";

export const NONE: ResponseFields = fieldsOf();
/** A dispatcher with its clock, its log and one sink for all requests. */
export class House {
  readonly clock: FakeClock = new FakeClock();
  readonly lines: string[] = [];
  readonly sink: RecordingSink = new RecordingSink();
  readonly dispatcher: Dispatcher;

  constructor({ queueSize = 100, queueTimeoutMs = 1000, queueTargetMs = 0 }: Partial<DispatcherSettings> = {}) {
    const tell = (level: string) => (line: string) => this.lines.push(`${level} ${line}`);
    const log = {
      debug: tell("debug"),
      info: tell("info"),
      warning: tell("warning"),
      error: tell("error"),
      critical: tell("critical"),
    };
    this.dispatcher = new Dispatcher({ queueSize, queueTimeoutMs, queueTargetMs }, this.clock, log);
  }

  seat(differences: Partial<FakeSeat> = {}): FakeSeat {
    const seat = new FakeSeat(differences);
    this.dispatcher.addSeat(seat);
    return seat;
  }

  submit(path: string, method = "GET"): Exchange {
    const exchange = sampleExchange(path, method, this.sink);
    Object.assign(exchange, { receivedAt: this.clock.now() });
    this.dispatcher.submit(exchange);
    return exchange;
  }

  /** The app answers. */
  answer(exchange: Exchange, ms = 1): void {
    const seat = exchange.seat as FakeSeat;
    seat.free(exchange);
    exchange.complete(200, "OK", NONE, "");
    this.dispatcher.finished(exchange, ms);
    this.dispatcher.pump();
  }

  /** Teaches the dispatcher how long a route takes. */
  teach(path: string, ms: number, times = 1): void {
    const seat = this.seat();
    for (let i = 0; i < times; i++) this.answer(this.submit(path), ms);
    this.dispatcher.removeSeat(seat);
    this.sink.events.length = 0;
  }
}

export const paths = (exchanges: readonly Exchange[]): string => exchanges.map(({ head }) => head.path).join(" ");

test("a request is given, answered and counted", () => {
  const house = new House();
  const seat = house.seat();
  house.answer(house.submit("/a"));
  assert.deepEqual([house.sink.events, seat.inFlight], [['complete /a 200 ""'], 0]);
});
