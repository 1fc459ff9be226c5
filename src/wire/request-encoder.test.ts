/** Heads as the codec makes them, encoded, and read by a real CPython: what the app will see. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Exchange, Peer } from "../http/exchange.ts";
import { headOf, RecordingSink } from "../http/exchange.test.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import { MarshalWriter } from "./marshal-writer.ts";
import { loadedByPython } from "./python.test.ts";
import { EnvironEncoder, environName, type RequestEncoder, ScopeEncoder } from "./request-encoder.ts";

const BASE = { serverName: "127.0.0.1", serverPort: 8000, rootPath: "", mount: "" };
const WITH_ROOT = { ...BASE, rootPath: "/app" };

const client = (): Peer => new Peer("192.0.2.7", 40_000, BASE.serverName, BASE.serverPort, "http");

interface Case {
  readonly title: string;
  readonly request: string;
  readonly peer?: Peer;
  readonly base?: typeof BASE;
  readonly body?: Buffer | null;
  readonly expected: string;
}

function encoded(encoder: RequestEncoder, { request, peer, body }: Omit<Case, "title" | "expected">, id = 5): Buffer {
  const exchange = new Exchange(headOf(request), peer ?? client(), new RecordingSink(), 0);
  exchange.body = body === undefined ? EMPTY_BODY : body;
  return encodedExchange(encoder, exchange, id);
}

function encodedExchange(encoder: RequestEncoder, exchange: Exchange, id: number): Buffer {
  const writer = new MarshalWriter(16);
  encoder.encode(writer, id, exchange, null);
  return writer.since(0);
}

function check(cases: readonly Case[], make: (base: typeof BASE) => RequestEncoder): void {
  const answers = loadedByPython(cases.map((one) => encoded(make(one.base ?? BASE), one)));
  for (const [i, one] of cases.entries()) test(one.title, () => assert.equal(answers[i], one.expected));
}

const request = (line: string, ...fields: string[]): string => `${[line, "Host: h", ...fields].join("\r\n")}\r\n\r\n`;

/** The environ of a request from the usual client; `parts` are what differs. */
function environ(method: string, path: string, query: string, uri: string, rest: string, body = "b''"): string {
  const queryPart = query === "" ? "" : `'QUERY_STRING': '${query}', `;
  const peer = "'REMOTE_ADDR': '192.0.2.7', 'REMOTE_PORT': '40000'";
  return `(5, {'REQUEST_METHOD': '${method}', 'PATH_INFO': '${path}', ${queryPart}'RAW_URI': '${uri}', ${peer}${rest}}, ${body})`;
}

const HOST = ", 'HTTP_HOST': 'h'";
const LONG = "v".repeat(300);

describe("a WSGI environ", () => {
  const cases: Case[] = [
    {
      title: "has method, path, query, URI, peer and fields",
      request: request("GET /a/b?c=d&e HTTP/1.1", "Accept: */*", "X-Own: 1"),
      expected: environ("GET", "/a/b", "c=d&e", "/a/b?c=d&e", `${HOST}, 'HTTP_ACCEPT': '*/*', 'HTTP_X_OWN': '1'`),
    },
    {
      title: "has a method that is not one of the usual",
      request: request("PROPFIND / HTTP/1.1"),
      expected: environ("PROPFIND", "/", "", "/", HOST),
    },
    {
      title: "has a percent-encoded path as latin-1 characters of its bytes (PEP 3333)",
      request: request("GET /caf%C3%A9%2F%20+ HTTP/1.1"),
      expected: environ("GET", "/caf\\xc3\\xa9/ +", "", "/caf%C3%A9%2F%20+", HOST),
    },
    {
      title: "has a path that is not UTF-8 byte for byte, and broken escapes as they are",
      request: request("GET /%FF%FE/%zz/%1 HTTP/1.1"),
      expected: environ("GET", "/\\xff\\xfe/%zz/%1", "", "/%FF%FE/%zz/%1", HOST),
    },
    {
      title: "has a query as it came",
      request: request("GET /?q=%C3%A9&x=%zz HTTP/1.1"),
      expected: environ("GET", "/", "q=%C3%A9&x=%zz", "/?q=%C3%A9&x=%zz", HOST),
    },
    {
      title: "has non-ASCII values as latin-1 characters",
      request: request("GET / HTTP/1.1", "X-Name: caf\u00c3\u00a9 \u00ff"),
      expected: environ("GET", "/", "", "/", `${HOST}, 'HTTP_X_NAME': 'caf\\xc3\\xa9 \\xff'`),
    },
    {
      title: "has fields of one name joined by a comma, cookies by a semicolon, in the place of the first",
      request: request("GET / HTTP/1.1", "X-A: 1", "Cookie: a=1", "x-a: 2", "X-B: 3", "cookie: b=2", "X-A: \u00e9"),
      expected: environ(
        "GET",
        "/",
        "",
        "/",
        `${HOST}, 'HTTP_X_A': '1,2,\\xe9', 'HTTP_COOKIE': 'a=1; b=2', 'HTTP_X_B': '3'`,
      ),
    },
    {
      title: "has Content-Type and Content-Length without HTTP_",
      request: request("POST / HTTP/1.1", "Content-Type: text/plain", "Content-Length: 2"),
      body: Buffer.from("hi"),
      expected: environ("POST", "/", "", "/", `${HOST}, 'CONTENT_TYPE': 'text/plain', 'CONTENT_LENGTH': '2'`, "b'hi'"),
    },
    {
      title: "of a chunked body that is complete has its length and no Transfer-Encoding",
      request: request("POST / HTTP/1.1", "Transfer-Encoding: chunked", "X-A: 1", "X-A: 2"),
      body: Buffer.from("hello"),
      expected: environ("POST", "/", "", "/", `${HOST}, 'HTTP_X_A': '1,2', 'CONTENT_LENGTH': '5'`, "b'hello'"),
    },
    {
      title: "of a chunked body that is still coming says so",
      request: request("POST / HTTP/1.1", "Transfer-Encoding: chunked"),
      body: null,
      expected: environ("POST", "/", "", "/", `${HOST}, 'HTTP_TRANSFER_ENCODING': 'chunked'`, "None"),
    },
    {
      title: "of a client that waits for 100 Continue has True for its body",
      request: request("POST / HTTP/1.1", "Content-Length: 9", "Expect: 100-continue"),
      body: null,
      expected: environ("POST", "/", "", "/", `${HOST}, 'CONTENT_LENGTH': '9', 'HTTP_EXPECT': '100-continue'`, "True"),
    },
    {
      title: "has long values, paths and names",
      request: request(`GET /${LONG}?${LONG} HTTP/1.1`, `X-${LONG}: ${LONG}`),
      expected: environ(
        "GET",
        `/${LONG}`,
        LONG,
        `/${LONG}?${LONG}`,
        `${HOST}, 'HTTP_X_${LONG.toUpperCase()}': '${LONG}'`,
      ),
    },
    {
      title: "of HTTP/1.0 says so",
      request: "GET / HTTP/1.0\r\n\r\n",
      expected: environ("GET", "/", "", "/", ", 'SERVER_PROTOCOL': 'HTTP/1.0'"),
    },
    {
      title: "through another listener names that one",
      request: request("GET / HTTP/1.1"),
      peer: new Peer("::1", 9, "localhost", 8443, "https"),
      expected:
        "(5, {'REQUEST_METHOD': 'GET', 'PATH_INFO': '/', 'RAW_URI': '/', 'REMOTE_ADDR': '::1', 'REMOTE_PORT': '9', " +
        `'SERVER_NAME': 'localhost', 'SERVER_PORT': '8443', 'wsgi.url_scheme': 'https'${HOST}}, b'')`,
    },
    {
      title: "of a client whose proxy took a prefix away has it in SCRIPT_NAME",
      request: request("GET /app/x HTTP/1.1"),
      peer: new Peer("192.0.2.7", 40_000, BASE.serverName, BASE.serverPort, "http", null, "/outer"),
      base: WITH_ROOT,
      expected: environ("GET", "/x", "", "/app/x", `, 'SCRIPT_NAME': '/outer/app'${HOST}`),
    },
    {
      title: "of a Unix peer has an empty address and no port",
      request: request("GET / HTTP/1.1"),
      peer: new Peer("", 0, BASE.serverName, BASE.serverPort, "http"),
      expected: `(5, {'REQUEST_METHOD': 'GET', 'PATH_INFO': '/', 'RAW_URI': '/', 'REMOTE_ADDR': ''${HOST}}, b'')`,
    },
    ...(
      [
        ["/app", ""],
        ["/app/", "/"],
        ["/app/a%20b", "/a b"],
        ["/%61pp/x", "/x"],
        ["/apple", "/apple"],
        ["/other/app", "/other/app"],
      ] as const
    ).map(([path, info]) => ({
      title: `under the root path /app: ${path} is ${info || "empty"}`,
      request: request(`GET ${path} HTTP/1.1`),
      base: WITH_ROOT,
      expected: environ("GET", info, "", path, HOST),
    })),
    {
      title: "of the asterisk-form has the path *",
      request: request("OPTIONS * HTTP/1.1"),
      expected: environ("OPTIONS", "*", "", "*", HOST),
    },
  ];
  check(cases, (base) => new EnvironEncoder(base));

  test("names follow RFC 3875", () => {
    const names = ["content-type", "content-length", "x-content-type", "a.b~c", "host"].map(environName);
    assert.deepEqual(names, ["CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_X_CONTENT_TYPE", "HTTP_A.B~C", "HTTP_HOST"]);
  });
});

/** The scope of a request from the usual client. */
function scope(
  method: string,
  path: string,
  raw: string,
  query: string,
  rest: string,
  headers = "",
  body = "b''",
): string {
  const client = "'client': ('192.0.2.7', 40000)";
  return `(5, {'method': '${method}', 'path': '${path}', 'raw_path': b'${raw}', 'query_string': b'${query}', ${client}${rest}, 'headers': [(b'host', b'h')${headers}]}, ${body})`;
}

describe("an ASGI scope", () => {
  const cases: Case[] = [
    {
      title: "has method, path, query, peer and fields in their order, names in lower case",
      request: request("GET /a?b=c HTTP/1.1", "X-A: 1", "Accept: */*", "x-a: 2"),
      expected: scope("GET", "/a", "/a", "b=c", "", ", (b'x-a', b'1'), (b'accept', b'*/*'), (b'x-a', b'2')"),
    },
    {
      title: "has the path decoded as UTF-8 and the raw path as it came",
      request: request("GET /caf%C3%A9/%F0%9F%98%80?%C3 HTTP/1.1"),
      expected: scope("GET", "/caf\\xe9/\\U0001f600", "/caf%C3%A9/%F0%9F%98%80", "%C3", ""),
    },
    {
      title: "has U+FFFD for what is not UTF-8",
      request: request("GET /%FF%zz HTTP/1.1"),
      expected: scope("GET", "/\\ufffd%zz", "/%FF%zz", "", ""),
    },
    {
      title: "has values as bytes",
      request: request("GET / HTTP/1.1", "X-Name: caf\u00c3\u00a9 \u00ff", `X-Long: ${LONG}`),
      expected: scope("GET", "/", "/", "", "", `, (b'x-name', b'caf\\xc3\\xa9 \\xff'), (b'x-long', b'${LONG}')`),
    },
    {
      title: "keeps Transfer-Encoding",
      request: request("POST / HTTP/1.1", "Transfer-Encoding: chunked"),
      body: null,
      expected: scope("POST", "/", "/", "", "", ", (b'transfer-encoding', b'chunked')", "None"),
    },
    {
      title: "of HTTP/1.0 says so",
      request: "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
      expected: scope("GET", "/", "/", "", ", 'http_version': '1.0'"),
    },
    {
      title: "keeps the root path in the path (ASGI: path contains root_path)",
      request: request("GET /app/x HTTP/1.1"),
      base: WITH_ROOT,
      expected: scope("GET", "/app/x", "/app/x", "", ""),
    },
    {
      title: "through another listener names that one",
      request: request("GET / HTTP/1.1"),
      peer: new Peer("::1", 9, "unix.sock", 0, "https"),
      expected:
        "(5, {'method': 'GET', 'path': '/', 'raw_path': b'/', 'query_string': b'', 'client': ('::1', 9), " +
        "'server': ('unix.sock', None), 'scheme': 'https', 'headers': [(b'host', b'h')]}, b'')",
    },
    {
      title: "of a client whose proxy took a prefix away has it in root_path",
      request: request("GET / HTTP/1.1"),
      peer: new Peer("::1", 0, BASE.serverName, BASE.serverPort, "https", null, "/outer"),
      base: WITH_ROOT,
      expected:
        "(5, {'method': 'GET', 'path': '/', 'raw_path': b'/', 'query_string': b'', 'client': ('::1', 0), " +
        "'root_path': '/outer/app', 'scheme': 'https', 'headers': [(b'host', b'h')]}, b'')",
    },
    {
      title: "of a Unix peer has no client",
      request: request("PURGE / HTTP/1.1"),
      peer: new Peer("", 0, BASE.serverName, BASE.serverPort, "http"),
      expected:
        "(5, {'method': 'PURGE', 'path': '/', 'raw_path': b'/', 'query_string': b'', 'client': None, " +
        "'headers': [(b'host', b'h')]}, b'')",
    },
  ];
  check(cases, (base) => new ScopeEncoder(base));
});

describe("what is remembered changes nothing", () => {
  const heads = [
    request("GET / HTTP/1.1", "X-A: 1", "X-B: \u00e9"),
    request("GET / HTTP/1.1", "X-A: 1", "x-a: 2", "Cookie: a", "Cookie: b"),
    request("POST / HTTP/1.1", "Transfer-Encoding: chunked"),
  ];
  for (const make of [(): RequestEncoder => new EnvironEncoder(BASE), (): RequestEncoder => new ScopeEncoder(BASE)]) {
    test(`a section encoded three times gives the same bytes (${make().constructor.name})`, () => {
      for (const text of heads) {
        const encoder = make();
        const exchange = new Exchange(headOf(text), client(), new RecordingSink(), 0);
        exchange.body = EMPTY_BODY;
        const bytes = [1, 2, 3].map(() => encodedExchange(encoder, exchange, 1).toString("hex"));
        assert.deepEqual(new Set(bytes).size, 1);
        // Another encoder (after a reload) does not take what this one remembered.
        const other = encodedExchange(make(), exchange, 1).toString("hex");
        assert.equal(other, bytes[0]);
      }
    });
  }

  test("an encoder of the other kind does not take a peer or a section that this one remembered", () => {
    const exchange = new Exchange(headOf(heads[0]!), client(), new RecordingSink(), 0);
    exchange.body = EMPTY_BODY;
    const environs = new EnvironEncoder(BASE);
    const scopes = new ScopeEncoder(BASE);
    const fresh = [encoded(environs, { request: heads[0]! }, 1), encoded(scopes, { request: heads[0]! }, 1)];
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(encodedExchange(environs, exchange, 1), fresh[0]);
      assert.deepEqual(encodedExchange(environs, exchange, 1), fresh[0]);
      assert.deepEqual(encodedExchange(scopes, exchange, 1), fresh[1]);
      assert.deepEqual(encodedExchange(scopes, exchange, 1), fresh[1]);
    }
  });
});
