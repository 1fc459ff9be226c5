/** The maintenance switch with a fake clock: what is answered, what is held, for how long, and what becomes of it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { Exchange, Peer } from "../http/exchange.ts";
import { headOf, RecordingSink } from "../http/exchange.test.ts";
import { Maintenance, underMaintenance } from "./maintenance.ts";
import { type MaintenanceOrder, maintenanceOrder } from "./maintenance-order.ts";

interface House {
  readonly maintenance: Maintenance;
  readonly clock: FakeClock;
  readonly told: string[];
  /** Paths of those that went on. */
  readonly passed: string[];
  readonly ask: (path: string, address?: string, lines?: string) => { exchange: Exchange; events: string[] };
}

const PLAIN: MaintenanceOrder = { holdMs: null, page: null, retryAfterSeconds: 60, allow: [] };
const HOLD: MaintenanceOrder = { ...PLAIN, holdMs: 1000 };

function house(mostHeld = 3): House {
  const clock = new FakeClock();
  const told: string[] = [];
  const passed: string[] = [];
  const tell = (line: string): void => void told.push(line);
  const log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
  const maintenance = new Maintenance(mostHeld, clock, log);
  const pass = (exchange: Exchange): void => void passed.push(exchange.head.path);
  let door = pass;
  maintenance.onSwitch = () => (door = maintenance.isOn ? maintenance.guard(pass) : pass);
  maintenance.onward = (exchange) => door(exchange);
  return {
    maintenance,
    clock,
    told,
    passed,
    ask: (path, address = "192.0.2.7", lines = "") => {
      const sink = new RecordingSink();
      const peer = new Peer(address, 1, "h", 80, "http");
      const exchange = new Exchange(headOf(`GET ${path} HTTP/1.1\r\nHost: h\r\n${lines}\r\n`), peer, sink, clock.now());
      door(exchange);
      return { exchange, events: sink.events };
    },
  };
}

describe("maintenance", () => {
  test("answers 503 with Retry-After while it is on, and is not there while it is off", () => {
    const { maintenance, ask, passed, told } = house();
    ask("/before");
    maintenance.begin(PLAIN);
    assert.deepEqual(ask("/during").events, ['complete /during 503 "503 Service Unavailable\\n" retry-after 60']);
    assert.equal(maintenance.end(), 0);
    ask("/after");
    assert.deepEqual(passed, ["/before", "/after"]);
    assert.match(told.join("\n"), /Maintenance: requests get 503\nMaintenance is over after 0\.0 s: 0 held.*1 got 503/);
    assert.equal(maintenance.end(), null);
  });

  test("shows a page to who accepts it", () => {
    const { maintenance, ask } = house();
    const page = { contentType: "text/html; charset=utf-8", text: "<p>back at n\u00f6\u00f6n</p>" };
    maintenance.begin({ ...PLAIN, page, retryAfterSeconds: null });
    const { exchange, events } = ask("/", "192.0.2.7", "Accept: text/html\r\n");
    assert.deepEqual(events, ['complete / 503 "<p>back at n\u00c3\u00b6\u00c3\u00b6n</p>"']);
    assert.deepEqual(exchange.responseFields?.flat, ["Content-Type", page.contentType, "Cache-Control", "no-store"]);
    assert.match(ask("/", "192.0.2.7", "Accept: application/json\r\n").events.join(), /"status.*503/);
  });

  test("lets pass who may", () => {
    const { maintenance, ask, passed } = house();
    maintenance.begin({ ...PLAIN, allow: ["10.0.0.0/8", "2001:db8::1", "unix"] });
    ask("/a", "10.1.2.3");
    ask("/b", "2001:db8::1");
    ask("/c", "");
    ask("/d", "::ffff:10.0.0.1");
    ask("/e", "11.0.0.1");
    assert.deepEqual(passed, ["/a", "/b", "/c", "/d"]);
    assert.deepEqual(maintenance.status?.refused, 1);
  });
});

describe("requests that are held", () => {
  test("go on in their order when it is over, without those whose clients left", () => {
    const { maintenance, ask, passed, clock } = house();
    maintenance.begin(HOLD);
    const all = ["/1", "/2", "/3"].map((path) => ask(path));
    assert.deepEqual([maintenance.status?.held, all[0]?.exchange.hasBegun], [3, false]);
    all[1]!.exchange.leave();
    assert.equal(maintenance.status?.held, 2);
    clock.advance(900);
    assert.equal(maintenance.end(), 2);
    assert.deepEqual(passed, ["/1", "/3"]);
    assert.equal(clock.timers, 0);
    assert.ok(all.every(({ events }) => events.length === 0));
  });

  test("are bounded in number and in time", () => {
    const { maintenance, ask, clock, passed } = house(2);
    maintenance.begin(HOLD);
    const first = ask("/1");
    clock.advance(500);
    const second = ask("/2");
    const third = ask("/3");
    assert.match(third.events.join(), /503/);
    clock.advance(500);
    assert.match(first.events.join(), /503.*retry-after 60/);
    assert.deepEqual(second.events, []);
    clock.advance(500);
    assert.match(second.events.join(), /503/);
    assert.deepEqual([clock.timers, passed.length, maintenance.status?.refused], [0, 0, 3]);
  });

  test("wait no longer than a new order says", () => {
    const { maintenance, ask, clock } = house();
    maintenance.begin(HOLD);
    const one = ask("/1");
    maintenance.begin({ ...HOLD, holdMs: 100 });
    clock.advance(99);
    assert.deepEqual(one.events, []);
    clock.advance(1);
    assert.match(one.events.join(), /503/);
    const two = ask("/2");
    maintenance.begin(PLAIN);
    assert.match(two.events.join(), /503/);
  });

  test("get 503 when the server stops, and nobody is held any more", () => {
    const { maintenance, ask, clock } = house();
    maintenance.begin(HOLD);
    const one = ask("/1");
    maintenance.abandon();
    assert.match(one.events.join(), /503/);
    assert.match(ask("/2").events.join(), /503/);
    assert.equal(clock.timers, 0);
  });
});

describe("an order from the control socket", () => {
  test("is read, or what is wrong with it is told", () => {
    assert.deepEqual(maintenanceOrder({ ...PLAIN }), PLAIN);
    assert.deepEqual(maintenanceOrder({}), { ...PLAIN, retryAfterSeconds: null });
    for (const wrong of [
      null,
      1,
      { holdMs: 0 },
      { holdMs: 1.5 },
      { holdMs: 1e9 },
      { retryAfterSeconds: -1 },
      { allow: "10.0.0.0/8" },
      { allow: ["host.example.com"] },
      { page: {} },
      { page: { contentType: "text/html\r\nX: y", text: "" } },
      { page: { contentType: "text/html", text: "x".repeat(1_048_577) } },
    ])
      assert.equal(typeof maintenanceOrder(wrong), "string", JSON.stringify(wrong).slice(0, 80));
  });
});

test("a route's own maintenance answers all but those who may pass", () => {
  const events: string[] = [];
  const tell = (line: string): void => void events.push(line);
  const log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
  const stage = underMaintenance({ page: null, retryAfterSeconds: 5, allow: ["10.0.0.0/8"] }, log);
  const passed: string[] = [];
  const handler = stage((exchange) => passed.push(exchange.peer.address));
  for (const address of ["10.0.0.1", "192.0.2.1"]) {
    const sink = new RecordingSink();
    handler(new Exchange(headOf("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), new Peer(address, 1, "h", 80, "http"), sink, 0));
    events.push(...sink.events);
  }
  assert.deepEqual(passed, ["10.0.0.1"]);
  assert.deepEqual(events, ['complete / 503 "503 Service Unavailable\\n" retry-after 5']);
});
