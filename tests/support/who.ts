/** What tests/apps/who.py answers, and the command lines that serve it. */
import { testApps } from "./places.ts";
import type { RawResponse } from "./raw-client.ts";

export interface Who {
  readonly address: string;
  readonly port: number;
  readonly scheme: string;
  readonly server: readonly [string, number];
  readonly mount: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

export const whoModels: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: "WSGI", args: ["--chdir", testApps, "-k", "sync", "-w", "1", "who:wsgi"] },
  { name: "ASGI", args: ["--chdir", testApps, "-k", "asgi", "-w", "1", "--lifespan", "off", "who:asgi"] },
];

export function who(response: RawResponse): Who {
  if (response.status !== 200) throw new Error(`answered ${response.status}: ${response.body.toString()}`);
  return JSON.parse(response.body.toString()) as Who;
}

export function request(path: string, ...fields: readonly string[]): string {
  return `${[`GET ${path} HTTP/1.1`, "Host: own.example", ...fields].join("\r\n")}\r\n\r\n`;
}
