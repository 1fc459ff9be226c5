/** A client, the front and an upstream that the test plays itself. */
import { ProxyFront } from "./proxy-front.ts";
import { RawClient } from "./raw-client.ts";
import { RawUpstream, type UpstreamConnection } from "./raw-upstream.ts";

export const get = (path = "/", ...fields: string[]): string =>
  `${[`GET ${path} HTTP/1.1`, "Host: h", ...fields].join("\r\n")}\r\n\r\n`;

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

export interface Scene {
  readonly front: ProxyFront;
  readonly upstream: RawUpstream;
  readonly client: RawClient;
}

export async function scene(settings: object = {}): Promise<Scene> {
  const upstream = await RawUpstream.open();
  const front = await ProxyFront.open({ url: upstream.url, forwarding: "none", ...settings });
  return { front, upstream, client: await RawClient.open(front.port) };
}

/** One request, and the upstream's connection once it has its head. */
export async function asked(
  settings: object = {},
  request = get(),
): Promise<Scene & { readonly behind: UpstreamConnection }> {
  const all = await scene(settings);
  await all.client.send(request);
  const behind = await all.upstream.connection();
  await behind.head();
  return { ...all, behind };
}
