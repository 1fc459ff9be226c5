import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FakeClock } from "../clock.test.ts";
import { type LimitPlan, limitMistakes, limitsSettings } from "../config/sites/limits.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Stage } from "../http/handler.ts";
import { ownFields } from "../http/response-changes.ts";
import { answerWith, asked, type Asking, Destination, KeptLog, through } from "./house.test.ts";
import { LimitZones } from "./limit-zones.ts";
import { limiting } from "./limits.ts";

function plans(...written: Record<string, unknown>[]): readonly LimitPlan[] {
  return limitsSettings.parse(written);
}

class House {
  readonly clock: FakeClock = new FakeClock();
  readonly log: KeptLog = new KeptLog();
  readonly zones: LimitZones = new LimitZones();

  constructor() {
    this.clock.time = 1000;
  }

  stage(limits: readonly LimitPlan[], where = "/"): Stage {
    return limiting(limits, { name: `${where} (maitred.toml:3)`, where }, this);
  }
}

function statuses(stage: Stage, count: number, asking: Asking = {}): number[] {
  return Array.from({ length: count }, () => through(stage, asking).status);
}

suite("rates", () => {
  test("beyond the rate and its burst clients get 429, and are told when to come again", () => {
    const house = new House();
    const stage = house.stage(plans({ name: "login", rate: "5/m", burst: 1, nodelay: true }));
    assert.deepEqual(statuses(stage, 2), [200, 200]);
    const { answer } = through(stage);
    assert.equal(answer?.status, 429);
    assert.equal(answer.fields["retry-after"], "12");
    assert.equal(answer.fields["ratelimit-policy"], '"login";q=2;w=24');
    assert.equal(answer.fields["ratelimit"], '"login";r=0;t=12');
    house.clock.advance(12_000);
    assert.deepEqual(statuses(stage, 2), [200, 429]);
  });

  test("each client has its own allowance; an IPv6 client is its /64", () => {
    const house = new House();
    const stage = house.stage(plans({ rate: "1/m" }));
    assert.deepEqual(statuses(stage, 2, { from: "192.0.2.1" }), [200, 429]);
    assert.deepEqual(statuses(stage, 2, { from: "192.0.2.2" }), [200, 429]);
    assert.deepEqual(statuses(stage, 1, { from: "2001:db8:1:2::1" }), [200]);
    assert.deepEqual(statuses(stage, 1, { from: "2001:db8:1:2:ffff::9" }), [429]);
    assert.deepEqual(statuses(stage, 1, { from: "2001:db8:1:3::1" }), [200]);
  });

  test("clients of one Unix socket, for whom nobody speaks, are one", () => {
    const stage = new House().stage(plans({ rate: "1/m" }));
    assert.deepEqual(statuses(stage, 2, { from: "" }), [200, 429]);
  });

  test("by a header or a cookie; who sends none counts by address, and does not go free", () => {
    const house = new House();
    const key = (value: string): Asking => ({ fields: [`X-API-Key: ${value}`] });
    const byHeader = house.stage(plans({ by: "header:X-API-Key", rate: "1/m" }));
    assert.deepEqual(statuses(byHeader, 2, key("a")), [200, 429]);
    assert.deepEqual(statuses(byHeader, 1, key("b")), [200]);
    const long = "x".repeat(100);
    assert.deepEqual(
      [...statuses(byHeader, 1, key(`${long}1`)), ...statuses(byHeader, 1, key(`${long}2`))],
      [200, 200],
    );
    assert.deepEqual(statuses(byHeader, 2), [200, 429]);
    assert.deepEqual(statuses(byHeader, 1, { from: "192.0.2.99" }), [200]);

    const byCookie = house.stage(plans({ by: "cookie:session", rate: "1/m" }), "/c");
    const session = (value: string): Asking => ({ fields: [`Cookie: a=1; session=${value}; b=2`] });
    assert.deepEqual(statuses(byCookie, 2, session("s1")), [200, 429]);
    assert.deepEqual(statuses(byCookie, 1, session("s2")), [200]);
  });

  test("one value of a header is never another's, whatever a client sends", () => {
    const stage = new House().stage(plans({ by: "header:x-key", rate: "1/m" }));
    assert.deepEqual(statuses(stage, 1, { fields: ["X-Key: @192.0.2.50"] }), [200]);
    assert.deepEqual(statuses(stage, 1, { from: "192.0.2.50" }), [200], "it cannot use up an address's allowance");
  });

  test("for all together", () => {
    const stage = new House().stage(plans({ by: "all", rate: "2/m", burst: 1, nodelay: true }));
    assert.deepEqual([...statuses(stage, 1), ...statuses(stage, 2, { from: "192.0.2.8" })], [200, 200, 429]);
  });

  test("who is refused by one limit has not used up another", () => {
    const house = new House();
    const stage = house.stage(
      plans({ name: "wide", rate: "10/m", burst: 1, nodelay: true }, { name: "narrow", rate: "1/h" }),
    );
    assert.deepEqual(statuses(stage, 5), [200, 429, 429, 429, 429]);
    const wide = house.stage(plans({ name: "wide", rate: "10/m", burst: 1, nodelay: true }), "/other");
    assert.deepEqual(statuses(wide, 2), [200, 429], "of the wide one, only the request that passed was taken");
  });

  test("the longest wait is told where several limits refuse", () => {
    const stage = new House().stage(plans({ name: "a", rate: "1/s" }, { name: "b", rate: "1/m" }));
    through(stage);
    assert.equal(through(stage).answer?.fields["retry-after"], "60");
  });

  test("announce tells what is left with every response", () => {
    const stage = new House().stage(plans({ name: "api", rate: "10/s", burst: 4, nodelay: true, announce: true }));
    assert.equal(through(stage).answer?.fields["ratelimit"], '"api";r=4;t=1');
    assert.equal(through(stage).answer?.fields["ratelimit"], '"api";r=3;t=1');
  });

  test("t is the time until there is more, and Retry-After never names an earlier one", () => {
    const house = new House();
    const limits = plans(
      { name: "slow", rate: "1/m", burst: 2, nodelay: true, announce: true },
      { rate: "2/h", burst: 5, nodelay: true, concurrent: 1, announce: true },
    );
    const stage = house.stage(limits);
    const said = (): string[] => {
      const { fields } = through(stage).answer!;
      return [fields["ratelimit-policy"]!, fields["ratelimit"]!, fields["retry-after"] ?? ""];
    };
    const policies = '"default-2";q=6;w=10800, "default-2-concurrent";q=1;qu="concurrent-requests", "slow";q=3;w=180';
    const first = said();
    assert.equal(first[0], policies);
    assert.equal(first[1], '"default-2";r=5;t=1800, "default-2-concurrent";r=0, "slow";r=2;t=60');
    house.clock.advance(45_000);
    assert.equal(said()[1], '"default-2";r=4;t=1755, "default-2-concurrent";r=0, "slow";r=1;t=15');
    said();
    assert.deepEqual(
      said(),
      ['"slow";q=3;w=180', '"slow";r=0;t=15', "15"],
      "of those that refuse, the one to wait for",
    );
  });

  test("what is full says so, and nothing of its rate", () => {
    const stage = new House().stage(plans({ name: "api", rate: "1/h", burst: 5, concurrent: 1 }));
    through(stage, {}, new Destination(null));
    const { answer } = through(stage);
    assert.equal(
      answer!.fields["ratelimit-policy"],
      '"api";q=6;w=21600, "api-concurrent";q=1;qu="concurrent-requests"',
    );
    assert.deepEqual([answer!.fields["ratelimit"], answer!.fields["retry-after"]], ['"api-concurrent";r=0', "1"]);
  });

  test("the status is the operator's", () => {
    const stage = new House().stage(plans({ rate: "1/m", status: 503 }));
    assert.deepEqual(statuses(stage, 2), [200, 503]);
  });

  test("a dry run refuses and delays nobody, and the log says whom it would have", () => {
    const house = new House();
    const stage = house.stage(plans({ name: "try", rate: "1/m", burst: 1, "dry-run": true }));
    assert.deepEqual(statuses(stage, 5), [200, 200, 200, 200, 200]);
    house.clock.advance(1000);
    assert.deepEqual(house.log.lines, [
      "warning Limit try of / (maitred.toml:3) (1/m, burst 1): would refuse 1 request (dry run), the last GET from 192.0.2.7",
      "warning Limit try of / (maitred.toml:3) (1/m, burst 1): would refuse 2 requests (dry run), the last GET from 192.0.2.7",
    ]);
  });
});

suite("requests that wait for their turn", () => {
  test("go on at the rate, in the order they came", () => {
    const house = new House();
    const destination = new Destination();
    const stage = house.stage(plans({ rate: "10/s", burst: 3 }))(destination.handler);
    const asks = ["/1", "/2", "/3", "/4", "/5"].map((path) => asked({ path }));
    for (const { exchange } of asks) stage(exchange);
    assert.equal(asks[4]!.client.status, 429);
    const paths = (): string[] => destination.got.map(({ head }) => head.path);
    assert.deepEqual(paths(), ["/1"]);
    house.clock.advance(100);
    assert.deepEqual(paths(), ["/1", "/2"]);
    house.clock.advance(200);
    assert.deepEqual(paths(), ["/1", "/2", "/3", "/4"]);
  });

  test("a client that leaves meanwhile is taken out, and nothing of it stays", () => {
    const house = new House();
    const destination = new Destination();
    const stage = house.stage(plans({ rate: "10/s", burst: 3, concurrent: 5 }))(destination.handler);
    const asks = [asked({ path: "/1" }), asked({ path: "/2" })];
    for (const { exchange } of asks) stage(exchange);
    asks[1]!.exchange.leave();
    house.clock.advance(1000);
    assert.deepEqual(
      destination.got.map(({ head }) => head.path),
      ["/1"],
    );
    assert.equal(house.clock.timers, 0);
  });
});

suite("concurrency", () => {
  /** Requests of one client with two places. */
  function held(): { house: House; destination: Destination; ask: (asking?: Asking) => ReturnType<typeof asked> } {
    const house = new House();
    const destination = new Destination(null);
    const stage = house.stage(plans({ concurrent: 2 }))(destination.handler);
    const ask = (asking: Asking = {}): ReturnType<typeof asked> => {
      const one = asked(asking);
      stage(one.exchange);
      return one;
    };
    return { house, destination, ask };
  }

  const endings: Record<string, (exchange: Exchange) => void> = {
    "a complete answer": answerWith(200),
    "a streamed answer": (exchange) => {
      exchange.start(200, "OK", ownFields([]));
      exchange.end();
    },
    "an answer that is cut": (exchange) => {
      exchange.start(200, "OK", ownFields([]));
      exchange.cut();
    },
    "a client that leaves": (exchange) => exchange.leave(),
  };
  for (const [name, end] of Object.entries(endings)) {
    test(`${name} makes room for the next`, () => {
      const { ask } = held();
      const [first] = [ask(), ask()];
      assert.equal(ask().client.status, 429);
      assert.equal(ask({ from: "192.0.2.9" }).client.status, 0, "another client has its own places");
      end(first.exchange);
      assert.equal(ask().client.status, 0);
      assert.equal(ask().client.status, 429);
    });
  }

  test("a client that leaves keeps its place while a worker still has its request", () => {
    const { ask } = held();
    const [first] = [ask(), ask()];
    first.exchange.slot = 3;
    first.exchange.leave();
    assert.equal(ask().client.status, 429, "leaving and coming again gives nobody more than the others have");
    first.exchange.release();
    assert.equal(ask().client.status, 0);
  });

  test("an open WebSocket has its place until it is over", () => {
    const { ask, destination } = held();
    const [first] = [ask(), ask()];
    assert.equal(destination.got.length, 2);
    first.exchange.slot = 1;
    first.exchange.state = "streaming";
    assert.equal(ask().client.status, 429);
    first.exchange.finish();
    first.exchange.release();
    assert.equal(ask().client.status, 0);
  });
});

suite("what limits remember", () => {
  test("stays when the configuration is read again, and goes when it no longer asks for it", () => {
    const house = new House();
    const wanted = plans({ name: "a", rate: "1/m" }, { rate: "1/h" });
    assert.deepEqual(statuses(house.stage(wanted), 2), [200, 429]);
    house.zones.settle();
    assert.deepEqual(statuses(house.stage(wanted), 1), [429]);
    house.zones.settle();
    house.zones.settle();
    assert.deepEqual(statuses(house.stage(wanted), 1), [200]);
  });

  test("limits of one name count together, others by route", () => {
    const house = new House();
    const named = plans({ name: "all", rate: "1/m" });
    assert.deepEqual([...statuses(house.stage(named, "/a"), 1), ...statuses(house.stage(named, "/b"), 1)], [200, 429]);
    const own = plans({ rate: "1/m" });
    assert.deepEqual([...statuses(house.stage(own, "/a"), 1), ...statuses(house.stage(own, "/b"), 1)], [200, 200]);
  });

  test("is bounded: who was not seen for longest is forgotten, and the log says so", () => {
    const house = new House();
    const stage = house.stage(plans({ rate: "1/h", entries: 16 }));
    for (let host = 1; host <= 17; host++) assert.deepEqual(statuses(stage, 1, { from: `192.0.2.${host}` }), [200]);
    assert.deepEqual(statuses(stage, 1, { from: "192.0.2.17" }), [429]);
    assert.deepEqual(statuses(stage, 1, { from: "192.0.2.1" }), [200], "forgotten");
    assert.match(house.log.lines[0]!, /^warning Limit number 1 of .*: forgot 1 of 16 keys to make room for others/);
  });

  test("a thousand refusals are two lines", () => {
    const house = new House();
    const stage = house.stage(plans({ rate: "1/h" }));
    statuses(stage, 1001);
    house.clock.advance(5000);
    assert.deepEqual(
      house.log.lines.map((line) => /\d+ requests? answered 429/.exec(line)?.[0]),
      ["1 request answered 429", "999 requests answered 429"],
    );
  });
});

suite("limits as they are written", () => {
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ rate: "fast" }, /is not a rate: write requests and a time/],
    [{ rate: "0/s" }, /nothing would ever pass/],
    [{ rate: "1/365d" }, /less than one request in 30 days/],
    [{}, /limits nothing/],
    [{ concurrent: 3, burst: 2 }, /without rate/],
    [{ rate: "1/s", burst: 2, delay: 1, nodelay: true }, /has delay and nodelay/],
    [{ rate: "1/s", by: "cookie" }, /is not what a limit counts by/],
    [{ rate: "1/s", burst: -1 }, /too small|>=0/i],
    [{ rate: "1/s", brust: 1 }, /brust/],
  ];
  for (const [written, message] of wrong) {
    test(`${JSON.stringify(written)} is refused`, () => {
      const parsed = limitsSettings.safeParse([written]);
      assert.equal(parsed.success, false);
      assert.match(JSON.stringify(parsed.error.issues), message);
    });
  }

  test("nginx's spelling of a rate is understood", () => {
    assert.equal(plans({ rate: "10r/s" })[0]?.rate?.intervalMs, 100);
    assert.equal(plans({ rate: "100/10m" })[0]?.rate?.intervalMs, 6000);
  });

  test("two limits of one name that count something else contradict each other", () => {
    const mistakes = limitMistakes([
      { where: "maitred.toml:3", limits: plans({ name: "a", rate: "1/s", burst: 2 }) },
      { where: "maitred.toml:9", limits: plans({ name: "a", rate: "1/s" }) },
      { where: "maitred.toml:12", limits: plans({ name: "a", rate: "2/s" }) },
    ]);
    assert.deepEqual(mistakes.length, 1);
    assert.match(mistakes[0]!, /^maitred.toml:12: the limit a counts something else than in maitred.toml:3/);
  });
});
