/** Where an upstream listens, from the text of its URL. Pure. */

export interface UpstreamAddress {
  /** As written, for logs. */
  readonly url: string;
  readonly scheme: "http" | "https";
  /** Name or IP address, IPv6 without brackets; of a Unix socket "localhost". */
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket; null = TCP. */
  readonly socketPath: string | null;
  /** Its own Host: name, and the port where it is not the scheme's. */
  readonly authority: string;
  /** Path put before each request's; empty, or "/base" without a slash at its end. */
  readonly basePath: string;
}

/** Its parts, or what is wrong with the text, as the end of a sentence. */
export function addressOf(text: string): UpstreamAddress | { readonly why: string } {
  if (text.startsWith("unix:")) {
    const socketPath = text.slice("unix:".length);
    if (!socketPath.startsWith("/") || socketPath.includes("\0"))
      return { why: 'is no Unix socket: write its absolute path, "unix:/run/app.sock"' };
    return { url: text, scheme: "http", host: "localhost", port: 0, socketPath, authority: "localhost", basePath: "" };
  }
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text))
    return { why: 'is no upstream: write "http://host:port", "https://host" or "unix:/path"' };
  if (url.username !== "" || url.password !== "") return { why: "has a user name: an upstream's URL has none" };
  if (url.search !== "" || url.hash !== "") return { why: "has a query or a fragment: an upstream's URL has none" };
  const scheme = url.protocol === "https:" ? "https" : "http";
  return {
    url: text,
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (scheme === "https" ? 443 : 80),
    socketPath: null,
    authority: url.host,
    basePath: url.pathname.replace(/\/+$/, ""),
  };
}
