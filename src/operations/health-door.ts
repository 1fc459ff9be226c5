/**
 * Health checks over HTTP on a listener of their own (--health-bind), by node:http: probes are few, and nothing of theirs touches the queue, the
 * connections' limits or the access log.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { healthAnswer, healthCheck, type HealthFacts } from "./health.ts";

const PATIENCE_MS = 5000;
const MOST_CONNECTIONS = 100;

export class HealthDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #facts: () => HealthFacts;

  constructor(facts: () => HealthFacts) {
    this.#facts = facts;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.headersTimeout = PATIENCE_MS;
    this.#server.requestTimeout = PATIENCE_MS;
    this.#server.keepAliveTimeout = PATIENCE_MS;
  }

  /** A connection that a listener has accepted. */
  accept(socket: Socket): void {
    if (this.#sockets.size >= MOST_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    this.#server.emit("connection", socket);
    socket.resume();
  }

  close(): void {
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const check = healthCheck(path, "");
    const isRead = request.method === "GET" || request.method === "HEAD";
    response.setHeader("Cache-Control", "no-store");
    if (check === null || !isRead) {
      const body = check === null ? "404 Not Found: there are /livez and /readyz\n" : "405 Method Not Allowed\n";
      response.writeHead(check === null ? 404 : 405, {
        "Content-Type": "text/plain; charset=utf-8",
        Allow: "GET, HEAD",
      });
      response.end(body);
      return;
    }
    const { status, type, body } = healthAnswer(check, this.#facts(), request.headers.accept ?? "");
    response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  }
}
