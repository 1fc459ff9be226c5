/** A TLS client over node:tls that knows what was agreed: for certificates, versions, sessions. */
import { once } from "node:events";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { authority } from "./certificates.ts";

const PATIENCE_MS = 15_000;

export class SecureClient {
  readonly socket: TLSSocket;
  /** The last session ticket; TLS 1.3's come after the handshake. */
  session: Buffer | null = null;
  #text = "";

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("session", (session: Buffer) => (this.session = session));
    socket.on("data", (text: string) => (this.#text += text));
    socket.on("error", () => {});
  }

  /** Resolves when the handshake is complete, as far as the client knows; rejects with what it was refused for. */
  static async open(
    port: number,
    options: ConnectionOptions & { allowHalfOpen?: boolean } = {},
  ): Promise<SecureClient> {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.cert, servername: "localhost", ...options });
    const client = new SecureClient(socket);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`nothing came in ${PATIENCE_MS / 1000} s`)));
    await once(socket, "secureConnect");
    return client;
  }

  /** The host names of the server's certificate. */
  get certificateNames(): string {
    return this.socket.getPeerCertificate().subjectaltname ?? "";
  }

  /** The whole answer to GET; its body has a length. */
  async get(path: string): Promise<{ readonly head: string; readonly body: string }> {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n") + 4;
      const length = Number(/content-length: (\d+)/i.exec(this.#text.slice(0, end))?.[1] ?? NaN);
      if (end > 3 && this.#text.length >= end + length) {
        const answer = { head: this.#text.slice(0, end), body: this.#text.slice(end, end + length) };
        this.#text = this.#text.slice(end + length);
        return answer;
      }
      await new Promise<void>((resolve, reject) => {
        const done = (): void => {
          this.socket.off("data", done).off("close", gone).off("error", gone);
          resolve();
        };
        const gone = (error?: unknown): void => {
          this.socket.off("data", done).off("close", gone).off("error", gone);
          reject(error instanceof Error ? error : new Error(`closed; got ${JSON.stringify(this.#text)}`));
        };
        this.socket.on("data", done).on("close", gone).on("error", gone);
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The server is asked once; the connection is gone afterwards. */
export async function secureGet(
  port: number,
  path: string,
  options: ConnectionOptions = {},
): Promise<{ readonly head: string; readonly body: string; readonly names: string; readonly client: SecureClient }> {
  const client = await SecureClient.open(port, options);
  const answer = await client.get(path);
  const names = client.certificateNames;
  client.close();
  return { ...answer, names, client };
}
