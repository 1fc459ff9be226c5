import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sampleExchange } from "../http/exchange.test.ts";
import { RequestBody } from "../http/request-body.ts";
import { creditFrame, frame, FromWorker, RESPONSE_CREDIT, ToWorker } from "../wire/frames.ts";
import { Link, payload, turn } from "./fake-link.test.ts";

describe("requests", () => {
  test("of one turn leave in one frame at its end", async () => {
    const link = new Link();
    link.give("/a");
    link.give("/b");
    assert.deepEqual([link.seat.isGathering, link.seat.inFlight, link.frames()], [true, 2, []]);
    await turn();
    assert.deepEqual([link.seat.isGathering, link.frames()], [false, ["requests 0 of 2"]]);
  });

  test("leave at once when there are many bytes of them", () => {
    const link = new Link();
    const exchange = sampleExchange("/", "POST", link.sink);
    exchange.body = Buffer.alloc(300_000);
    link.seat.give(exchange, 1, link.clock.now());
    assert.deepEqual(link.frames(), ["requests 0 of 1"]);
  });

  test("are numbered, counted and dated", () => {
    const link = new Link();
    link.clock.advance(5);
    const [a, b] = [link.give("/a", 2), link.give("/b", 3)];
    assert.deepEqual(
      [a.slot, a.sequence, a.attempts, a.givenAt, a.workerPid, b.slot, b.sequence],
      [0, 1, 1, 5, 7, 1, 2],
    );
    assert.deepEqual([link.seat.backlogMs, link.seat.busySince], [5, 5]);
    assert.deepEqual(link.seat.unfinished(), [a, b]);
  });

  test("a backlog of unknown length is known again once the unknown is finished", () => {
    const link = new Link();
    link.give("/a", Number.POSITIVE_INFINITY);
    link.give("/b", 2);
    assert.equal(link.seat.backlogMs, Number.POSITIVE_INFINITY);
    link.responses("ok0");
    assert.equal(link.seat.backlogMs, 2);
    link.responses("ok1");
    assert.equal(link.seat.backlogMs, 0);
  });
});

describe("complete answers", () => {
  test("free their ids, which are used again, and share the time of their batch", () => {
    const link = new Link();
    link.give("/a");
    link.give("/b");
    link.responses("ok10", 800);
    assert.deepEqual(link.sink.events, ['complete /b 200 "y"', 'complete /a 200 "x"']);
    assert.deepEqual(link.told, ["finished /b 0.4", "finished /a 0.4"]);
    assert.equal(link.seat.inFlight, 0);
    assert.deepEqual(new Set([link.give("/c").slot, link.give("/d").slot]), new Set([0, 1]));
  });

  test("a batch that took long owes it to its last request", () => {
    const link = new Link();
    link.give("/a");
    link.give("/b");
    link.responses("ok10", 40_500);
    assert.deepEqual(link.told, ["finished /b 1", "finished /a 39.5"]);
  });

  test("a time beyond what the frame can say is measured here", () => {
    const link = new Link();
    link.give("/a");
    link.clock.advance(20_000);
    link.responses("ok0", 0xffffff);
    assert.deepEqual(link.told, ["finished /a 20000"]);
  });

  test("what cannot be sent is 500 and told", () => {
    const link = new Link();
    link.give("/a");
    link.responses("bad0");
    assert.deepEqual(link.sink.events, ['complete /a 500 "500 Internal Server Error\\n"']);
    assert.match(link.told[0]!, /^bad response \/a: header "A"/);
    assert.equal(link.told[1], "finished /a 0.5");
    assert.equal(link.seat.inFlight, 0);
  });

  test("a busy seat takes nothing until it is idle", () => {
    const link = new Link();
    link.give("/a");
    link.responses("ok0", 1, FromWorker.responsesBusy);
    assert.deepEqual([link.seat.isOpen, link.seat.inFlight], [false, 0]);
    link.says(frame(FromWorker.idle, 0));
    assert.equal(link.seat.isOpen, true);
  });
});

describe("streamed answers", () => {
  const begin = (link: Link): void => link.says(frame(FromWorker.head, 0, payload("head")));

  test("pass on head, pieces and end, and free the id at the end", () => {
    const link = new Link();
    link.give("/a");
    begin(link);
    link.says(frame(FromWorker.body, 0, Buffer.from("one")), frame(FromWorker.body, 0, Buffer.from("two")));
    link.clock.advance(30);
    assert.equal(link.seat.inFlight, 1);
    link.says(frame(FromWorker.end, 0));
    assert.deepEqual(link.sink.events, ["start /a 200", "write /a one", "write /a two", "end /a"]);
    assert.deepEqual([link.told, link.seat.inFlight], [["finished /a 30"], 0]);
  });

  test("credit is given back in quarters, as the client takes the bytes", async () => {
    const link = new Link();
    const exchange = link.give("/a");
    await turn();
    begin(link);
    link.frames();
    const half = Buffer.alloc(RESPONSE_CREDIT / 8);
    for (let i = 0; i < 8; i++) link.says(frame(FromWorker.body, 0, half));
    assert.equal(link.seat.isHeldByClient, true);
    exchange.onSent!(half.length);
    assert.deepEqual(link.frames(), []);
    exchange.onSent!(half.length);
    assert.deepEqual(link.frames(), [`credit 0 ${RESPONSE_CREDIT / 4}`]);
    for (let i = 0; i < 6; i++) exchange.onSent!(half.length);
    assert.deepEqual([link.seat.isHeldByClient, exchange.bufferedBytes], [false, 0]);
  });

  test("a relay that begins at a piece finds it uncounted: only what came before is at the sink", async () => {
    const link = new Link();
    link.give("/a");
    await turn();
    begin(link);
    const quarter = Buffer.alloc(RESPONSE_CREDIT / 4);
    link.says(frame(FromWorker.body, 0, quarter));
    assert.deepEqual(link.bufferedWhenSlow, []);
    link.says(frame(FromWorker.body, 0, quarter));
    assert.deepEqual(link.bufferedWhenSlow, [quarter.length]);
  });

  test("what a client takes after the end is no credit for the next bearer of the id", async () => {
    const link = new Link();
    const exchange = link.give("/a");
    begin(link);
    link.says(
      frame(FromWorker.body, 0, Buffer.alloc(200_000)),
      frame(FromWorker.body, 0, Buffer.alloc(200_000)),
      frame(FromWorker.end, 0),
    );
    const next = link.give("/b");
    assert.deepEqual([next.slot, exchange.slot], [0, -1]);
    await turn();
    link.frames();
    link.clock.advance(9);
    exchange.onSent!(400_000);
    assert.deepEqual(link.frames(), []);
    assert.equal(link.seat.busySince, 0, "nor a sign of life from the worker");
  });

  test("more than the credit is a violation, so that nothing grows without bound", () => {
    const link = new Link();
    link.give("/a");
    begin(link);
    const piece = Buffer.alloc(262_144);
    for (let i = 0; i < 4; i++) link.says(frame(FromWorker.body, 0, piece));
    assert.deepEqual(link.told, []);
    link.says(frame(FromWorker.body, 0, Buffer.from("x")));
    assert.deepEqual(link.told, ["broken: more of response 0 than its credit"]);
  });

  test("a head that cannot be sent is 500, the rest goes nowhere, and the id is freed once", async () => {
    const link = new Link();
    link.give("/a");
    await turn();
    link.says(frame(FromWorker.head, 0, payload("badHead")), frame(FromWorker.body, 0, Buffer.from("x")));
    assert.equal(link.seat.inFlight, 1);
    link.says(frame(FromWorker.end, 0));
    assert.deepEqual(link.sink.events, ['complete /a 500 "500 Internal Server Error\\n"']);
    assert.deepEqual(link.told, ['bad response /a: status "99"', "finished /a 0"]);
    assert.deepEqual(link.frames(), ["requests 0 of 1", "credit 0 1"]);
  });

  test("an abort before the head is 500, after it the client is cut; the reason is told", () => {
    const early = new Link();
    early.give("/a");
    early.says(frame(FromWorker.abort, 0, Buffer.from("why")));
    assert.deepEqual(early.sink.events, ['complete /a 500 "500 Internal Server Error\\n"']);
    const late = new Link();
    late.give("/a");
    begin(late);
    late.says(frame(FromWorker.abort, 0, Buffer.from("why")));
    assert.deepEqual(late.sink.events, ["start /a 200", "cut /a"]);
    for (const link of [early, late])
      assert.deepEqual([link.told, link.seat.inFlight], [["bad response /a: why", "finished /a 0"], 0]);
  });

  test("on an event loop one costs nothing that could be told", () => {
    const link = new Link({ concurrent: true });
    link.give("/a");
    begin(link);
    link.says(frame(FromWorker.end, 0));
    assert.deepEqual(link.told, ["finished /a -1"]);
  });
});

describe("what may come besides head, body and end", () => {
  test("informational responses before it, trailers at its end", () => {
    const link = new Link();
    link.give("/a");
    link.says(frame(FromWorker.inform, 0, payload("hint")), frame(FromWorker.head, 0, payload("head")));
    link.says(frame(FromWorker.end, 0, payload("trailers")));
    assert.deepEqual(link.sink.events, ["inform /a 103 link </a>", "start /a 200", "end /a x-sum 1"]);
    assert.deepEqual([link.told, link.seat.inFlight], [["finished /a 0"], 0]);
  });

  test("nothing informational after the head, nor for whom it does not have", () => {
    const late = new Link();
    late.give("/a");
    late.says(frame(FromWorker.head, 0, payload("head")), frame(FromWorker.inform, 0, payload("hint")));
    assert.deepEqual(late.told, ["broken: a second answer for request 0"]);
    const stray = new Link();
    stray.says(frame(FromWorker.inform, 0, payload("hint")));
    assert.deepEqual(stray.told, ["broken: answer for request 0, which it does not have"]);
  });
});

describe("a client that leaves", () => {
  for (const [how, finish] of [
    ["a complete answer", (link: Link): void => link.responses("ok0")],
    ["an abort", (link: Link): void => link.says(frame(FromWorker.abort, 0))],
    [
      "head and end",
      (link: Link): void => link.says(frame(FromWorker.head, 0, payload("head")), frame(FromWorker.end, 0)),
    ],
    ["an end alone", (link: Link): void => link.says(frame(FromWorker.end, 0))],
    ["a bad answer", (link: Link): void => link.responses("bad0")],
  ] as const) {
    test(`is told to the worker, and the id is kept until it is finished by ${how}`, () => {
      const link = new Link();
      const exchange = link.give("/a");
      exchange.leave();
      assert.deepEqual(link.frames(), ["requests 0 of 1", "cancel 0"]);
      assert.equal(link.give("/b").slot, 1);
      finish(link);
      assert.deepEqual([link.sink.events, link.seat.inFlight], [[], 1]);
      assert.deepEqual(
        link.told.filter((line) => !line.startsWith("finished /a")),
        [],
      );
      assert.equal(link.give("/c").slot, 0);
    });
  }
});

describe("handed back", () => {
  test("in the order given, each once, and what was finished meanwhile is not among them", () => {
    const link = new Link();
    const all = ["/a", "/b", "/c"].map((path) => link.give(path));
    link.responses("ok1");
    assert.deepEqual(link.seat.takeBack([2, 1, 0, 2, 77, Number.NaN]), [all[0], all[2]]);
    assert.deepEqual([link.seat.inFlight, link.seat.takeBack([0, 2])], [0, []]);
  });

  test("a recall is asked once until it is answered", () => {
    const link = new Link();
    let recalls = 0;
    link.seat.onRecall = () => recalls++;
    link.seat.recall();
    link.seat.recall();
    assert.equal(recalls, 1);
    link.seat.takeBack([]);
    link.seat.recall();
    assert.equal(recalls, 2);
  });

  test("a body that was on its way is whole again for the next seat", () => {
    const first = new Link();
    const stream = new RequestBody();
    stream.push(Buffer.from("abc"));
    const exchange = first.giveStreamed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", stream);
    stream.push(Buffer.from("def"));
    assert.deepEqual(first.frames(), ["requests 0 of 1", "body 0 abc", "body 0 def"]);
    assert.deepEqual(first.seat.takeBack([0]), [exchange]);
    const second = new Link();
    second.seat.give(exchange, 1, second.clock.now());
    stream.push(Buffer.from("ghi"));
    stream.end();
    assert.deepEqual(
      [first.frames(), second.frames()],
      [[], ["requests 0 of 1", "body 0 abcdef", "body 0 ghi", "end 0"]],
    );
  });

  test("after its answer began, or after it asked for its body, is a violation", () => {
    const begun = new Link();
    begun.give("/a");
    begun.says(frame(FromWorker.head, 0, payload("head")));
    assert.deepEqual(begun.seat.takeBack([0]), []);
    assert.deepEqual(begun.told, ["broken: request 0 handed back after its answer began"]);
    const asked = new Link();
    asked.giveStreamed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", new RequestBody());
    asked.says(creditFrame(FromWorker.credit, 0, 1));
    assert.deepEqual(asked.seat.takeBack([0]), []);
    assert.deepEqual(asked.told, ["broken: request 0 handed back after it asked for its body"]);
  });
});

describe("what the worker may not say", () => {
  const head = frame(FromWorker.head, 0, payload("head"));
  const answer = frame(FromWorker.responses, 0, payload("ok0"));
  const table: readonly [string, readonly Buffer[], RegExp][] = [
    ["an unknown frame", [frame(0x60, 0)], /frame type 0x60/],
    ["a message of no WebSocket", [frame(FromWorker.wsText, 0)], /WebSocket 0, which is not open/],
    ["a frame of ours", [frame(ToWorker.requests, 0)], /frame type 0x1/],
    ["an answer to nobody", [frame(FromWorker.responses, 0, payload("ok1"))], /request 1, which it does not have/],
    [
      "two answers in one batch",
      [frame(FromWorker.responses, 0, payload("twice"))],
      /request 0, which it does not have/,
    ],
    ["two answers in two", [answer, answer], /request 0, which it does not have/],
    ["a head after a head", [head, head], /a second answer for request 0/],
    ["a complete answer after a head", [head, answer], /a second answer for request 0/],
    [
      "a bad answer after a head",
      [head, frame(FromWorker.responses, 0, payload("bad0"))],
      /a second answer for request 0/,
    ],
    ["a body before its head", [frame(FromWorker.body, 0, Buffer.from("x"))], /request 0 before its head/],
    ["an end before its head", [frame(FromWorker.end, 0)], /request 0 before its head/],
    ["an end of nobody", [frame(FromWorker.end, 3)], /request 3, which it does not have/],
    ["an abort of nobody", [frame(FromWorker.abort, 3)], /request 3, which it does not have/],
    ["credit without a number", [frame(FromWorker.credit, 0)], /CREDIT without a number/],
    ["no marshal", [frame(FromWorker.responses, 0, Buffer.from("N"))], /expected list/],
    ["a length beyond all bounds", [Buffer.alloc(8, 0xff)], /frame of 4294967295 bytes/],
  ];
  for (const [title, frames, message] of table) {
    test(`${title}: it is broken, told once, and nothing after it counts`, () => {
      const link = new Link();
      link.give("/a");
      link.says(...frames);
      const broken = link.told.filter((line) => line.startsWith("broken"));
      assert.equal(broken.length, 1);
      assert.match(broken[0]!, message);
      const before = [link.sink.events.length, link.told.length];
      link.says(answer, frame(0x50, 0));
      assert.deepEqual([link.sink.events.length, link.told.length], before);
    });
  }

  test("what a batch answered before it broke is finished all the same", () => {
    const link = new Link();
    link.give("/a");
    link.responses("ok0then9", 500);
    assert.deepEqual(link.told, ["finished /a 0.5", "broken: answer for request 9, which it does not have"]);
  });
});
