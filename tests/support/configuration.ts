/** Configuration files for tests, and requests for hosts of all kinds. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { testApps } from "./places.ts";
import { RawClient, type RawResponse } from "./raw-client.ts";

/** A folder for one configuration; `write` replaces its file. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), "maitred-configuration-"));
  readonly file: string = join(this.path, "maitred.toml");

  write(text: string): void {
    writeFileSync(this.file, text);
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** One request on a connection of its own. */
export async function ask(
  port: number,
  host: string,
  target: string,
  options: { method?: string; head?: string; body?: string } = {},
): Promise<RawResponse & { text: string }> {
  const { method = "GET", head = "", body = "" } = options;
  const client = await RawClient.open(port);
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  await client.send(
    `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${length}${head}Connection: close\r\n\r\n${body}`,
  );
  const response = await client.response(method === "HEAD");
  client.leave();
  return { ...response, text: response.body.toString("utf8") };
}

/** What every such file begins with. */
export const common: string = `
app = "wsgi_app:application"
bind = "127.0.0.1:0"
chdir = "${testApps}"
workers = 1
`;
