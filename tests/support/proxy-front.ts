/** The edge before one upstream, in this process: what a route to it is made of, without workers. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { type UpstreamPlan, upstreamSettings } from "../../src/config/sites/upstream.ts";
import { edgeContext } from "../../src/edge/house.test.ts";
import { Http1Connection } from "../../src/edge/http1-connection.ts";
import { Peer } from "../../src/http/exchange.ts";
import { SocketStream } from "../../src/streams/byte-stream.ts";
import { Upstreams } from "../../src/upstream/upstreams.ts";

export class ProxyFront {
  readonly lines: string[] = [];
  readonly done: string[] = [];
  port = 0;
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(plan: UpstreamPlan) {
    const tell = (line: string): void => {
      this.lines.push(line);
      this.#changed();
    };
    const log = { debug: tell, info: tell, warning: tell, error: tell, critical: tell };
    const handler = new Upstreams(systemClock, log).handler(plan);
    const context = edgeContext(systemClock, tell, {
      keepAliveMs: 20_000,
      webSocket: { maxSize: 16_777_216, pingIntervalMs: 0, pingTimeoutMs: 0, deflate: true },
      streamsBodies: () => true,
      speaksAsgi: () => true,
      submit: handler,
      onDone: (exchange) => {
        this.done.push(`${exchange.head.path} ${exchange.status} ${exchange.sentBytes}`);
        this.#changed();
      },
      onRejected: (_address, status, detail) => tell(`rejected ${status} ${detail}`),
    });
    this.#server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
      this.#sockets.push(socket);
      const peer = new Peer(socket.remoteAddress!, socket.remotePort!, "127.0.0.1", this.port, "http");
      new Http1Connection((listener) => new SocketStream(socket, listener), peer, context);
    });
  }

  /** `settings` as they stand in the configuration file. */
  static async open(settings: unknown): Promise<ProxyFront> {
    const front = new ProxyFront(upstreamSettings.parse(settings));
    front.#server.listen(0, "127.0.0.1");
    await new Promise((resolve) => front.#server.once("listening", resolve));
    front.port = (front.#server.address() as AddressInfo).port;
    opened.push(front);
    return front;
  }

  /** Waits until a line of the log matches. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** Waits until a request is over that matches "path status bytes". */
  async finished(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.done.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

// Private

const opened: ProxyFront[] = [];

// Here and not in open(): called inside a hook, after() would belong to that hook.
after(() => {
  for (const front of opened) front.close();
});
