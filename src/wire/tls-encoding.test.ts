/** TLS details encoded and read by a real CPython: what the app will see. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Exchange, Peer, type TlsDetails } from "../http/exchange.ts";
import { headOf, RecordingSink } from "../http/exchange.test.ts";
import { EMPTY_BODY } from "../http/request-body.ts";
import { MarshalWriter } from "./marshal-writer.ts";
import { loadedByPython } from "./python.test.ts";
import { EnvironEncoder, type RequestEncoder, ScopeEncoder } from "./request-encoder.ts";

const BASE = { serverName: "127.0.0.1", serverPort: 8000, rootPath: "", mount: "" };
const ANONYMOUS: TlsDetails = {
  version: 0x0304,
  cipher: "TLS_AES_256_GCM_SHA384",
  serverName: "",
  clientChain: [],
  clientName: "",
  clientError: "",
};
const KNOWN: TlsDetails = {
  ...ANONYMOUS,
  version: 0x0303,
  cipher: "CAMELLIA128-SHA",
  serverName: "example.org",
  clientChain: ["-----BEGIN 1\n", "-----BEGIN 2\n"],
  clientName: "CN=Jos\u00e9,O=\u20ac",
};
const DOUBTED: TlsDetails = { ...KNOWN, clientError: "certificate has expired" };

function seen(make: (base: typeof BASE) => RequestEncoder): string[] {
  return loadedByPython(
    [ANONYMOUS, KNOWN, DOUBTED].map((tls) => {
      const peer = new Peer("192.0.2.7", 40_000, BASE.serverName, BASE.serverPort, "https", tls);
      const exchange = new Exchange(headOf("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), peer, new RecordingSink(), 0);
      exchange.body = EMPTY_BODY;
      const writer = new MarshalWriter(16);
      make(BASE).encode(writer, 5, exchange, null);
      return writer.since(0);
    }),
  );
}

describe("over TLS", () => {
  test("a scope has the tls extension's dict", () => {
    const [anonymous, known, doubted] = seen((base) => new ScopeEncoder(base));
    const tls = (chain: string, name: string, error: string, version: number, suite: string): string =>
      `'scheme': 'https', 'tls': {'server_cert': None, 'client_cert_chain': ${chain}, 'client_cert_name': ${name}, ` +
      `'client_cert_error': ${error}, 'tls_version': ${version}, 'cipher_suite': ${suite}}, 'headers'`;
    assert.ok(anonymous!.includes(tls("[]", "None", "None", 772, "4866")), anonymous);
    const chain = "['-----BEGIN 1\\n', '-----BEGIN 2\\n']";
    assert.ok(known!.includes(tls(chain, "'CN=Jos\\xe9,O=\\u20ac'", "None", 771, "None")), known);
    assert.ok(
      doubted!.includes(tls(chain, "'CN=Jos\\xe9,O=\\u20ac'", "'certificate has expired'", 771, "None")),
      doubted,
    );
  });

  test("an environ has mod_ssl's variables", () => {
    const [anonymous, known, doubted] = seen((base) => new EnvironEncoder(base));
    const start = "'wsgi.url_scheme': 'https', 'HTTPS': 'on', ";
    assert.ok(
      anonymous!.includes(
        `${start}'SSL_PROTOCOL': 'TLSv1.3', 'SSL_CIPHER': 'TLS_AES_256_GCM_SHA384', 'SSL_CLIENT_VERIFY': 'NONE', 'HTTP_HOST'`,
      ),
      anonymous,
    );
    const client =
      "'SSL_TLS_SNI': 'example.org', 'SSL_CLIENT_S_DN': 'CN=Jos\\xc3\\xa9,O=\\xe2\\x82\\xac', 'SSL_CLIENT_CERT': '-----BEGIN 1\\n', 'HTTP_HOST'";
    assert.ok(
      known!.includes(
        `${start}'SSL_PROTOCOL': 'TLSv1.2', 'SSL_CIPHER': 'CAMELLIA128-SHA', 'SSL_CLIENT_VERIFY': 'SUCCESS', ${client}`,
      ),
      known,
    );
    assert.ok(doubted!.includes(`'SSL_CLIENT_VERIFY': 'FAILED:certificate has expired', ${client}`), doubted);
  });
});
