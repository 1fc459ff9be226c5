/** The wait for a PROXY protocol header, on a fake clock; what the header says is tested end to end (tests/server/proxy-protocol.test.ts). */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { SAMPLE_PEER } from "../http/exchange.test.ts";
import type { Peer } from "../http/exchange.ts";
import { trusted } from "../http/trusted-proxies.test.ts";
import { Client, turn } from "./house.test.ts";
import { ProxyProtocolConnection } from "./proxy-protocol.ts";

class Arrival {
  readonly house: Client = new Client({ headTimeoutMs: 1000 });
  readonly peers: Peer[] = [];
  readonly connection: ProxyProtocolConnection;
  readonly socket: Duplex;
  received = "";
  closed = 0;

  constructor(allowed = "*") {
    this.socket = new Duplex({
      allowHalfOpen: true,
      read() {},
      write: (chunk: Buffer, _encoding, done) => {
        this.received += chunk.toString("latin1");
        done();
      },
    });
    const policy = { mode: "auto", allowed: trusted(allowed) } as const;
    const onClient = (peer: Peer): unknown => this.peers.push(peer);
    this.connection = new ProxyProtocolConnection(
      this.socket as Socket,
      SAMPLE_PEER,
      policy,
      this.house.context,
      onClient,
    );
    this.connection.whenClosed = () => this.closed++;
  }

  async sends(text: string): Promise<void> {
    this.socket.push(Buffer.from(text, "latin1"));
    await turn();
  }

  async passes(ms: number): Promise<void> {
    this.house.clock.advance(ms);
    this.connection.checkTimeouts(this.house.clock.now());
    await turn();
  }
}

test("the socket is handed on once, paused, with the bytes that followed", async () => {
  const arrival = new Arrival();
  await arrival.sends("PROXY TCP4 203.0.113.7 127.0.0.1 4711 ");
  assert.equal(arrival.peers.length, 0);
  await arrival.sends("80\r\nGET /");
  assert.deepEqual(
    arrival.peers.map((peer) => [peer.address, peer.port, peer.serverName]),
    [["203.0.113.7", 4711, SAMPLE_PEER.serverName]],
  );
  assert.ok(arrival.socket.isPaused());
  assert.equal(String(arrival.socket.read()), "GET /");
  await arrival.sends("more");
  assert.equal(arrival.peers.length, 1);
  assert.deepEqual([arrival.received, arrival.closed, arrival.socket.listenerCount("data")], ["", 0, 0]);
});

test("a header that does not become complete is cut after the time for a head, and told", async () => {
  const arrival = new Arrival();
  await arrival.passes(900);
  await arrival.sends("PROXY TCP4 ");
  assert.equal(arrival.closed, 0);
  await arrival.passes(200);
  assert.deepEqual(arrival.house.told, ["rejected 408"]);
  assert.deepEqual([arrival.closed, arrival.received], [1, ""]);
});

test("who is refused gets time to read why, and no more", async () => {
  const arrival = new Arrival("none");
  await arrival.sends("GET / HTTP/1.1\r\n");
  assert.match(arrival.received, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.deepEqual(arrival.house.told, ["rejected 403"]);
  await arrival.sends("PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n");
  assert.equal(arrival.closed, 0);
  await arrival.passes(2100);
  assert.deepEqual([arrival.closed, arrival.peers.length], [1, 0]);
});

test("a client that leaves is told of once", async () => {
  const arrival = new Arrival();
  await arrival.sends("PROXY ");
  arrival.socket.push(null);
  await turn();
  await turn();
  assert.deepEqual([arrival.closed, arrival.house.told], [1, []]);
});
