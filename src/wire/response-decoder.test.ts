import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WireError } from "./frames.ts";
import { dumpedByPython } from "./python.test.ts";
import { ResponseDecoder } from "./response-decoder.ts";

/** A decoder, and what it tells. */
function decoder(): { readonly decoder: ResponseDecoder; readonly events: unknown[][] } {
  const events: unknown[][] = [];
  return {
    events,
    decoder: new ResponseDecoder({
      onResponse: (id, status, reason, fields, body) =>
        events.push(["response", id, status, reason, fields.flat, body.toString("latin1")]),
      onHead: (id, status, reason, fields) => events.push(["head", id, status, reason, fields.flat]),
      onBadResponse: (id, reason) => events.push(["bad", id, reason]),
    }),
  };
}

function responsesOf(payload: Buffer): unknown[][] {
  const { decoder: one, events } = decoder();
  one.responses(payload);
  return events;
}

describe("a batch that CPython made", () => {
  const long = "x".repeat(5000);
  const table: readonly [string, string, unknown[][]][] = [
    ["no response", "[]", []],
    ["str for WSGI", "[(1, '200 OK', [('A', 'b')], b'body')]", [["response", 1, 200, "OK", ["A", "b"], "body"]]],
    ["bytes for ASGI", "[(2, 404, [(b'a', b'b')], b'')]", [["response", 2, 404, "", ["a", "b"], ""]]],
    [
      "pairs as lists",
      "[(3, 200, [['A', 'b'], [b'c', b'd']], b'')]",
      [["response", 3, 200, "", ["A", "b", "c", "d"], ""]],
    ],
    ["latin-1 in a str", "[(1, 200, [('A', 'caf\\xe9')], b'')]", [["response", 1, 200, "", ["A", "caf\u00e9"], ""]]],
    [
      "UTF-8 in bytes, byte for byte",
      "[(1, 200, [(b'a', 'é'.encode())], b'')]",
      [["response", 1, 200, "", ["a", "\u00c3\u00a9"], ""]],
    ],
    [
      "a body of all bytes",
      "[(1, 200, [], bytes(range(256)))]",
      [["response", 1, 200, "", [], String.fromCharCode(...Array(256).keys())]],
    ],
    ["a long body", `[(1, 200, [], b'x' * 5000)]`, [["response", 1, 200, "", [], long]]],
    [
      "a status without reason",
      "[(1, '200', [], b''), (2, '299 ', [], b'')]",
      [
        ["response", 1, 200, "", [], ""],
        ["response", 2, 299, "", [], ""],
      ],
    ],
    ["the largest id", "[(0xffffff, '200 \\xe9', [], b'')]", [["response", 0xffffff, 200, "\u00e9", [], ""]]],
    [
      "several",
      "[(1, '200 OK', [('A', '1')], b'x'), (2, '200 OK', [('A', '1')], b'y'), (3, '200 OK', [('A', '2')], b'z'), (4, '200 OK', [('A', '1')], b'')]",
      [
        ["response", 1, 200, "OK", ["A", "1"], "x"],
        ["response", 2, 200, "OK", ["A", "1"], "y"],
        ["response", 3, 200, "OK", ["A", "2"], "z"],
        ["response", 4, 200, "OK", ["A", "1"], ""],
      ],
    ],
  ];
  for (const version of [2, 4] as const) {
    const payloads = dumpedByPython(
      table.map(([, expression]) => expression),
      version,
    );
    for (const [i, [title, , expected]] of table.entries()) {
      test(`${title}, version ${version}`, () => assert.deepEqual(responsesOf(payloads[i]!), expected));
    }
  }

  test("what the responses share is written once and means the same each time", () => {
    const shared = [
      "(lambda s, h, b: [(i, s, h, b) for i in (7, 7, 300)])('200 OK', [('A', 'x'), ('B', 'y')], b'body')",
      "(lambda s, p: [(1, s, [p, ('C', 'z')], b''), (2, s, [('C', 'z'), p], b'')])('404 No', ('A', 'x'))",
      // One bytes object as a header's value and as the body; one int as id and as status.
      "(lambda one: [(200, 200, [(b'content-length', one)], one), (201, 200, [(b'x', one)], one)])(b'1')",
      "(lambda h: [(1, 200, [], b''), (2, 200, h, b'\\xff'), (3, 200, h, b'\\xff')])([('A', '\\xe9')])",
      "(lambda b: [(1, 200, [], b), (2, 200, [], b)])(b'x' * 5000)",
    ];
    for (const [i, payload] of dumpedByPython(shared).entries()) {
      const [plain] = dumpedByPython([shared[i]!], 2);
      assert.ok(payload.length < plain!.length, shared[i]);
      assert.deepEqual(responsesOf(payload), responsesOf(plain!), shared[i]);
    }
  });

  test("a list remembered from the batch before brings its referents along", () => {
    const [first, second] = dumpedByPython([
      "(lambda h, v: [(1, '200 OK', h, v)])([(b'a', b'long value')], b'other')",
      "(lambda v: (lambda h: [(1, '200 OK', h, v), (2, '200 OK', h, v)])([(b'a', b'long value')]))(b'shared')",
    ]);
    const { decoder: one, events } = decoder();
    one.responses(second!);
    const once = events.splice(0);
    one.responses(first!);
    events.length = 0;
    one.responses(second!);
    assert.deepEqual(events, once);
  });

  test("a reference to nothing, or to what does not fit, is refused", () => {
    const item = (middle: string): Buffer => Buffer.from(`5b01000000${"2904"}${middle}`, "hex");
    const status = "fa06" + Buffer.from("200 OK").toString("hex");
    for (const [what, middle] of [
      ["nothing", `6901000000${status}5b000000007205000000`],
      ["itself", `6901000000${status}db010000007201000000`],
      ["a str as an id", `${"7200000000"}${status}5b000000007300000000`],
      ["a str as headers", `6901000000${status}72000000007300000000`],
      ["a str as body", `6901000000${status}5b000000007200000000`],
      ["an int as status", `e901000000${"7200000000"}5b000000007300000000`],
    ] as const) {
      if (what === "an int as status") assert.deepEqual(responsesOf(item(middle)), [["bad", 1, 'status "1"']], what);
      else assert.throws(() => responsesOf(item(middle)), WireError, what);
    }
  });
});

describe("what can be sent to no client is a bad response, and the others of its batch are served", () => {
  const table: readonly [string, string, string][] = [
    ["a status below 200", "100, []", 'status "100"'],
    ["a status beyond 999", "1000, []", 'status "1000"'],
    ["a negative status", "-200, []", 'status "-200"'],
    ["a status of words", "'OK', []", 'status "OK"'],
    ["an informational status", "'103 Early Hints', []", 'status "103 Early Hints"'],
    ["a status with a line end", "'200 OK\\r\\nX: y', []", 'status "200 OK\\r\\nX: y"'],
    ["a reason beyond latin-1", "'200 \\u20ac', []", 'status "200 \u20ac"'],
    [
      "a value with a line end",
      "200, [('A', 'b\\r\\nC: d')]",
      'header "A": the value has a control character or one beyond latin-1',
    ],
    [
      "a value beyond latin-1",
      "200, [('A', '\\u20ac')]",
      'header "A": the value has a control character or one beyond latin-1',
    ],
    [
      "a value with a lone surrogate",
      "200, [('A', '\\udc80')]",
      'header "A": the value has a control character or one beyond latin-1',
    ],
    ["a name with a space", "200, [(b'a b', b'')]", 'header "a b": the name is not a token'],
    ["an empty name", "200, [('', '')]", 'header "": the name is not a token'],
    [
      "two lengths",
      "200, [('Content-Length', '1'), ('content-length', '2')]",
      'header "content-length": two lengths contradict each other',
    ],
  ];
  const batches = dumpedByPython(
    table.map(([, parts]) => `[(7, ${parts}, b'x'), (8, 200, [], b'y'), (9, ${parts}, b'')]`),
  );
  const heads = dumpedByPython(table.map(([, parts]) => `(${parts})`));
  for (const [i, [title, , reason]] of table.entries()) {
    test(title, () => {
      assert.deepEqual(responsesOf(batches[i]!), [
        ["bad", 7, reason],
        ["response", 8, 200, "", [], "y"],
        ["bad", 9, reason],
      ]);
      const { decoder: one, events } = decoder();
      one.head(7, heads[i]!);
      assert.deepEqual(events, [["bad", 7, reason]]);
    });
  }
});

describe("what PROTOCOL.md does not allow is a WireError", () => {
  const responses = [
    "(1, 200, [], b'')",
    "[[1, 200, [], b'']]",
    "[(1, 200, [])]",
    "[(1, 200, [], b'', 0)]",
    "[('1', 200, [], b'')]",
    "[(True, 200, [], b'')]",
    "[(2**40, 200, [], b'')]",
    "[(1, None, [], b'')]",
    "[(1, 200.0, [], b'')]",
    "[(1, True, [], b'')]",
    "[(1, 200, (), b'')]",
    "[(1, 200, None, b'')]",
    "[(1, 200, ['Ab'], b'')]",
    "[(1, 200, [('A',)], b'')]",
    "[(1, 200, [('A', 'b', 'c')], b'')]",
    "[(1, 200, [('A', 1)], b'')]",
    "[(1, 200, [('A', None)], b'')]",
    "[(1, 200, [], 'text')]",
    "[(1, 200, [], None)]",
    "{}",
    "None",
  ];
  const heads = ["[200, []]", "(200,)", "(200, [], b'')", "(200, {})", "None"];
  const dumped = dumpedByPython([...responses, ...heads]);
  for (const [i, expression] of responses.entries()) {
    test(`responses ${expression}`, () => assert.throws(() => responsesOf(dumped[i]!), WireError));
  }
  for (const [i, expression] of heads.entries()) {
    test(`head ${expression}`, () =>
      assert.throws(() => decoder().decoder.head(1, dumped[responses.length + i]!), WireError));
  }

  test("bytes after the end", () => {
    const [batch, head] = dumpedByPython(["[]", "(200, [])"]) as [Buffer, Buffer];
    const more = Buffer.from("N");
    assert.throws(() => responsesOf(Buffer.concat([batch, more])), WireError);
    assert.throws(() => decoder().decoder.head(1, Buffer.concat([head, more])), WireError);
  });
});

describe("damage", () => {
  const [batch, head] = dumpedByPython([
    "[(1, '200 OK', [('Content-Type', 'text/plain'), ['X', '\\xe9']], b'body'), (2, 200, [('Content-Type', 'text/plain'), ['X', '\\xe9']], b'')]",
    "('200 OK', [(b'content-type', b'text/plain')])",
  ]) as [Buffer, Buffer];

  /** Decodes or throws a WireError; anything else fails the test. */
  function isRefused(decode: () => void): boolean {
    try {
      decode();
      return false;
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
      return true;
    }
  }

  test("every truncation is refused", () => {
    for (let length = 0; length < batch.length; length++) {
      assert.ok(
        isRefused(() => responsesOf(batch.subarray(0, length))),
        `${length} bytes`,
      );
    }
    for (let length = 0; length < head.length; length++) {
      assert.ok(
        isRefused(() => decoder().decoder.head(1, head.subarray(0, length))),
        `${length} bytes`,
      );
    }
  });

  test("every change of one byte is decoded or refused, and the decoder goes on with the next payload", () => {
    const expected = responsesOf(batch);
    const { decoder: one, events } = decoder();
    let refused = 0;
    for (let at = 0; at < batch.length; at++) {
      for (let value = 0; value < 256; value++) {
        const mutant = Buffer.from(batch);
        mutant[at] = value;
        if (isRefused(() => one.responses(mutant))) refused++;
      }
      events.length = 0;
      one.responses(batch);
      assert.deepEqual(events, expected, `after mutants of byte ${at}`);
    }
    assert.ok(refused > batch.length * 50);
    for (let at = 0; at < head.length; at++) {
      for (let value = 0; value < 256; value++) {
        const mutant = Buffer.from(head);
        mutant[at] = value;
        isRefused(() => one.head(1, mutant));
      }
    }
  });
});

test("a header list is recognised only where it is the same to the last byte", () => {
  const lists = [
    "[]",
    "[('A', '1')]",
    "[('A', '12')]",
    "[('A', '1'), ('B', '2')]",
    "[(b'A', b'1')]",
    "[('A', '1\\r')]",
    "[]",
  ];
  const meanings = ["", "A,1", "A,12", "A,1,B,2", "A,1", "bad", ""];
  const pairs = lists.flatMap((_, i) => lists.map((_, j) => [i, j] as const));
  const payloads = dumpedByPython(pairs.map(([i, j]) => `[(1, 200, ${lists[i]}, b''), (2, 200, ${lists[j]}, b'')]`));
  const { decoder: one, events } = decoder();
  const meaning = (event: unknown[]): string => (event[0] === "bad" ? "bad" : String(event[4]));
  for (const [k, [i, j]] of pairs.entries()) {
    events.length = 0;
    one.responses(payloads[k]!);
    assert.deepEqual(events.map(meaning), [meanings[i], meanings[j]], `${lists[i]} then ${lists[j]}`);
  }
});

describe("what the worker sends besides responses", () => {
  const { decoder: one } = decoder();
  const good = dumpedByPython([
    "(103, [('Link', '</a>')])",
    "(199, [])",
    "[(b'a', b'b'), (b'a', b'c')]",
    "('chat', [(b'a', b'b')])",
    "(None, [])",
  ]);

  test("is read", () => {
    assert.deepEqual(
      [one.inform(good[0]!), one.inform(good[1]!)].map(({ status, fields }) => [status, fields.flat]),
      [
        [103, ["Link", "</a>"]],
        [199, []],
      ],
    );
    assert.deepEqual(one.trailers(good[2]!).flat, ["a", "b", "a", "c"]);
    assert.deepEqual([one.accept(good[3]!).subprotocol, one.accept(good[3]!).fields.flat], ["chat", ["a", "b"]]);
    assert.equal(one.accept(good[4]!).subprotocol, null);
  });

  const bad = {
    inform: [
      "(100, [])",
      "(101, [])",
      "(200, [])",
      "('103', [])",
      "(103, [('A', 'b\\r\\nc')])",
      "(103,)",
      "[]",
      "(103, None)",
    ],
    trailers: ["[('A', 'b\\nc')]", "[('A',)]", "None", "([], 1)", "[(1, 2)]"],
    accept: ["(1, [])", "(None, None)", "(None, [('a b', '')])", "(None, [], 1)", "None"],
  } as const;
  for (const [what, expressions] of Object.entries(bad)) {
    const payloads = dumpedByPython(expressions);
    test(`is a WireError where PROTOCOL.md does not allow it: ${what}`, () => {
      const read = (payload: Buffer): unknown => one[what as keyof typeof bad](payload);
      for (const [i, payload] of payloads.entries()) assert.throws(() => read(payload), WireError, expressions[i]);
      for (const whole of good) {
        for (let length = 0; length < whole.length; length++)
          assert.throws(() => read(whole.subarray(0, length)), WireError);
        assert.throws(() => read(Buffer.concat([whole, Buffer.from("N")])), WireError);
      }
    });
  }
});
