import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../clock.test.ts";
import { Exchange, Peer } from "../http/exchange.ts";
import { fieldsOf, headOf, RecordingSink } from "../http/exchange.test.ts";
import { compileAccessLog } from "./access-log.ts";

const COMBINED = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"';
const CREDENTIALS = Buffer.from("ann:secret").toString("base64");
const REQUEST = `POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nReferer: http://x/\r\nUser-Agent: curl/8\r\nAuthorization: Basic ${CREDENTIALS}\r\nContent-Length: 0\r\n\r\n`;

function exchangeOf(request: string, notes: Partial<Exchange> = {}, address = "192.0.2.7"): Exchange {
  const exchange = new Exchange(headOf(request), new Peer(address, 4, "h", 80, "http"), new RecordingSink(), 0);
  const fields = fieldsOf("X-Own", 'a"b', "x-own", "second", "Content-Type", "text/plain");
  return Object.assign(exchange, { status: 200, sentBytes: 12, workerPid: 77, responseFields: fields, ...notes });
}

function line(format: string, exchange = exchangeOf(REQUEST), environ: Record<string, string> = {}): string {
  const clock = new FakeClock();
  clock.time = 1234.5678;
  return compileAccessLog(format, environ)(exchange, clock).slice(0, -1);
}

test("gunicorn's default is the combined format", () => {
  assert.match(
    line(COMBINED),
    /^192\.0\.2\.7 - ann \[2[01]\/Nov\/2026:\d\d:\d\d:29 [+-]\d{4}\] "POST \/a%20b\?c=d HTTP\/1\.1" 200 12 "http:\/\/x\/" "curl\/8"$/,
  );
});

test("a line has one end", () => {
  assert.equal(compileAccessLog("x", {})(exchangeOf(REQUEST), new FakeClock()), "x\n");
});

describe("atoms", () => {
  const bare = exchangeOf("GET / HTTP/1.0\r\n\r\n", { sentBytes: 0, workerPid: 0, responseFields: null }, "");
  // format, of a full request, of a bare one
  for (const [format, full, empty] of [
    ["%(h)s", "192.0.2.7", "-"],
    ["%(l)s", "-", "-"],
    ["%(u)s", "ann", "-"],
    ["%(r)s", "POST /a%20b?c=d HTTP/1.1", "GET / HTTP/1.0"],
    ["%(m)s", "POST", "GET"],
    ["%(U)s", "/a%20b", "/"],
    ["%(q)s", "c=d", ""],
    ["%(H)s", "HTTP/1.1", "HTTP/1.0"],
    ["%(s)s", "200", "200"],
    ["%(b)s", "12", "-"],
    ["%(B)s", "12", "0"],
    ["%(f)s", "http://x/", "-"],
    ["%(a)s", "curl/8", "-"],
    ["%(T)s", "1", "1"],
    ["%(M)s", "1234", "1234"],
    ["%(D)s", "1234567", "1234567"],
    ["%(L)s", "1.234568", "1.234568"],
    ["%(p)s", "<77>", `<${process.pid}>`],
    ["%({User-Agent}i)s", "curl/8", "-"],
    ["%({nothing}i)s", "-", "-"],
    ["%({X-OWN}o)s", 'a\\"b', "-"],
    ["%({content-type}o)s", "text/plain", "-"],
    ["%({STAGE}e)s", "live", "live"],
    ["%({NONE}e)s", "-", "-"],
    ["100%% %(s)s%%", "100% 200%", "100% 200%"],
    ["%(x)s|%(zz)s|%(constructor)s|%()s", "-|-|-|-", "-|-|-|-"],
    ["%s (s) %(s", "%s (s) %(s", "%s (s) %(s"],
  ] as const) {
    test(format, () => {
      assert.equal(line(format, exchangeOf(REQUEST), { STAGE: "live" }), full);
      assert.equal(line(format, bare, { STAGE: "live" }), empty);
    });
  }

  test("the user's name is that of Basic credentials only, and the password is never written", () => {
    const user = (value: string): string =>
      line("%(u)s", exchangeOf(`GET / HTTP/1.1\r\nHost: h\r\nAuthorization: ${value}\r\n\r\n`));
    const basic = (text: string): string => `basic ${Buffer.from(text).toString("base64")}`;
    assert.equal(user(basic("ann:pass:word")), "ann");
    assert.equal(user(basic("ann")), "ann");
    assert.equal(user(basic(":password")), "-");
    assert.equal(user("Bearer token"), "-");
    assert.equal(user("Basic"), "-");
    assert.equal(user(basic('a"\nb\u2028c:x')), 'a\\"\\x0ab\\u2028c');
  });
});

describe("no line can be forged", () => {
  const unsafe = /[\p{Cc}\u2028\u2029]|(?<!\\)(?:\\\\)*"/u;

  test("whatever a client sends", () => {
    const value = fc.string({
      unit: fc.constantFrom(...Array.from('ab \t"\\\u0080\u0085\u009b\u00ff')),
      maxLength: 12,
    });
    fc.assert(
      fc.property(value, value, (agent, password) => {
        const basic = Buffer.from(`${password}\n\u2028:x`).toString("base64");
        const exchange = exchangeOf(
          `GET /"a\\?"\\ HTTP/1.1\r\nHost: h\r\nUser-Agent: ${agent}\r\nReferer: ${agent}\r\nAuthorization: Basic ${basic}\r\n\r\n`,
        );
        for (const atom of ["%(a)s", "%(f)s", "%(u)s", "%(r)s", "%(U)s", "%(q)s", "%({user-agent}i)s"]) {
          assert.doesNotMatch(line(atom, exchange), unsafe);
        }
      }),
    );
  });

  test("or an app answers", () => {
    const exchange = exchangeOf(REQUEST, { responseFields: fieldsOf("X", 'a\t"\\\u0085') });
    assert.equal(line("%({x}o)s", exchange), 'a\\x09\\"\\\\\\x85');
  });
});

test("the time stamp is that of its second, also when the clock steps back", () => {
  const clock = new FakeClock();
  const of = compileAccessLog("%(t)s", {});
  const exchange = exchangeOf(REQUEST);
  const first = of(exchange, clock);
  clock.time = 999;
  assert.equal(of(exchange, clock), first);
  clock.time = 1000;
  assert.notEqual(of(exchange, clock), first);
  clock.time = 0;
  assert.equal(of(exchange, clock), first);
});
