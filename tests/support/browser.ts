/** A small browser on node:http: cookies, redirects, forms, multipart, and responses read piece by piece. Keeps its connections alive. */
import { Agent, request, type IncomingMessage } from "node:http";

const PATIENCE_MS = 15_000;

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly text: string;
  /** Where the redirects ended: path and query. */
  readonly url: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Pieces of a body of unknown length: sent with Transfer-Encoding: chunked. */
  readonly chunks?: readonly (string | Buffer)[];
  /** Follow redirects as browsers do (default). */
  readonly follow?: boolean;
}

export interface FilePart {
  readonly field: string;
  readonly name: string;
  readonly bytes: Buffer;
}

/** `at`: the port on 127.0.0.1, or the path of a Unix socket. */
export class Browser {
  readonly cookies: Map<string, string> = new Map();
  readonly #at: number | string;
  readonly #agent: Agent;

  constructor(at: number | string, connections: number = Number.POSITIVE_INFINITY) {
    this.#at = at;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.ask(url, { headers });
  }

  /** Posts form fields, urlencoded. */
  submit(
    url: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    const body = new URLSearchParams(fields).toString();
    return this.ask(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    });
  }

  sendJson(url: string, value: unknown): Promise<Page> {
    return this.ask(url, {
      method: "POST",
      body: JSON.stringify(value),
      headers: { "content-type": "application/json" },
    });
  }

  /** Posts fields and one file as multipart/form-data. */
  upload(url: string, fields: Readonly<Record<string, string>>, file: FilePart): Promise<Page> {
    const boundary = "----maitred-test-boundary";
    const parts = Object.entries(fields).map(
      ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${file.field}"; filename="${file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const body = Buffer.concat([
      Buffer.from(parts.join("") + head),
      file.bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    return this.ask(url, {
      method: "POST",
      body,
      headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    });
  }

  async ask(url: string, ask: Ask = {}): Promise<Page> {
    const response = await this.open(url, ask);
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if (ask.follow !== false && location !== undefined && [301, 302, 303, 307, 308].includes(status)) {
      const next = new URL(location, `http://127.0.0.1${url}`);
      const again = status === 307 || status === 308 ? ask : {};
      return this.ask(next.pathname + next.search, again);
    }
    const body = Buffer.concat(pieces);
    return { status, headers: response.headers, body, text: body.toString("utf8"), url };
  }

  /** The response as it begins; the caller reads or destroys it. */
  open(url: string, ask: Ask = {}): Promise<IncomingMessage> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers: Record<string, string> = { ...(cookie === "" ? {} : { cookie }), ...ask.headers };
    if (ask.body !== undefined) headers["content-length"] = String(Buffer.byteLength(ask.body));
    const target = typeof this.#at === "number" ? { host: "127.0.0.1", port: this.#at } : { socketPath: this.#at };
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...target, path: url, method: ask.method ?? "GET", headers, agent: this.#agent });
      // Without it a server that forgets a request would hang the test run instead of failing a test.
      outgoing.setTimeout(PATIENCE_MS, () =>
        outgoing.destroy(new Error(`nothing came for ${ask.method ?? "GET"} ${url} in ${PATIENCE_MS / 1000} s`)),
      );
      outgoing.once("error", reject);
      outgoing.once("response", (response) => {
        this.#keepCookies(response.headers["set-cookie"] ?? []);
        resolve(response);
      });
      for (const chunk of ask.chunks ?? []) outgoing.write(chunk);
      outgoing.end(ask.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  // Private

  #keepCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf("="));
      const value = pair.slice(pair.indexOf("=") + 1);
      const removed = attributes.some((attribute) => /^max-age=0$/i.test(attribute)) || value === "" || value === '""';
      if (removed) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

/** Reads a streamed response until its text matches. Streams in these tests go on for a minute: text that is here at once was not held back. */
export async function readUntil(
  response: IncomingMessage,
  pattern: RegExp,
  patienceMs: number = 10_000,
): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => finish(() => reject(new Error(`${why}; got ${JSON.stringify(text)}`)));
    const timer = setTimeout(() => fail(`nothing like ${String(pattern)} within ${patienceMs} ms`), patienceMs);
    const onEnd = (): void => fail(`the response ended without ${String(pattern)}`);
    const onData = (data: string): void => {
      text += data;
      if (pattern.test(text)) finish(() => resolve(text));
    };
    const finish = (then: () => void): void => {
      clearTimeout(timer);
      response.off("data", onData).off("end", onEnd).off("error", onEnd);
      response.on("error", () => undefined);
      response.pause();
      then();
    };
    response.on("data", onData).on("end", onEnd).on("error", onEnd);
  });
}
