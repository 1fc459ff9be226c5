/**
 * Listening addresses as gunicorn writes them, to Bind and back. "HOST:PORT", "[v6]:PORT", ":PORT", "PORT", "HOST", "unix:PATH",
 * "unix:@NAME" (Linux abstract socket) and "fd://N"; "https://" or "http://" before any of them says whether it speaks TLS.
 */
import { isIPv6 } from "./ip.ts";
import type { Bind } from "./plan.ts";
import { value, wholeNumber, wrong, type Parsed, type ValueType } from "./value-types.ts";

export const defaultHost = "127.0.0.1";
export const defaultPort = 8000;

export const portNumber: ValueType<number> = wholeNumber(0, 65535);

export const bind: ValueType<Bind> = (text) => {
  const scheme = /^(https?):\/\//.exec(text);
  const parsed = address(scheme === null ? text.replace(/^tcp:\/\//, "") : text.slice(scheme[0].length));
  if (scheme === null || parsed.type === "wrong") return parsed;
  return value({ ...parsed.value, tls: scheme[1] === "https" });
};

const address: ValueType<Bind> = (address) => {
  if (address === "") return wrong("is empty: write HOST:PORT, :PORT, unix:PATH or fd://N");
  if (address.startsWith("unix:")) return unixBind(address.slice("unix:".length).replace(/^\/\/(?=\/)/, ""));
  if (address.startsWith("fd:")) return fdBind(address.slice("fd:".length).replace(/^\/\//, ""));
  if (/^(\.{0,2}\/)/.test(address)) return wrong(`looks like a Unix socket: write unix:${address}`);
  if (address.includes(",")) return wrong("names several addresses: repeat --bind, one address each");
  // A bare number is a port: gunicorn would take "8000" for a host and fail with a lookup error.
  if (/^[+-]?\d+$/.test(address)) return tcpBind(defaultHost, address);
  if (isIPv6(address)) return wrong(`is an IPv6 address without brackets: write [${address}]:${defaultPort}`);

  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(address);
  if (match === null) return wrong("is not an address: write HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH or fd://N");
  const [, bracketed, plain, port] = match;
  if (bracketed !== undefined && !isIPv6(bracketed))
    return wrong(`has "${bracketed}" in brackets, which is not an IPv6 address`);
  return tcpBind((bracketed ?? plain) || "0.0.0.0", port ?? String(defaultPort));
};

/** A host for --host: no port, no brackets. */
export const hostName: ValueType<string> = (text) => {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (host === "") return wrong('is empty: write 0.0.0.0 for "every address"');
  if (host.includes("/")) return wrong("is not a host name: for a Unix socket, write --uds PATH");
  if (host.includes(":") && !isIPv6(host)) return wrong("holds a port: give it with --port, or write --bind HOST:PORT");
  return value(hostText(host));
};

export const unixPath: ValueType<string> = (text) => {
  const bind = unixBind(text.replace(/^unix:/, ""));
  return bind.type === "wrong" ? bind : value(bind.value.path);
};

/** The address as --bind would take it, and as banner and logs show it. */
export function bindText(bind: Bind): string {
  switch (bind.type) {
    case "tcp":
      return bind.host.includes(":") ? `[${bind.host}]:${bind.port}` : `${bind.host}:${bind.port}`;
    case "unix":
      return `unix:${bind.path.replace(/^\0/, "@")}`;
    case "fd":
      return `fd://${bind.fd}`;
  }
}

// Private

function tcpBind(host: string, portText: string): Parsed<Bind> {
  if (/[\s/@?#]/.test(host)) return wrong(`has "${host}" for a host, which is not a host name`);
  const port = portNumber(portText);
  if (port.type === "wrong")
    return wrong(
      portText === ""
        ? "has no port after the colon (is a variable not set?)"
        : `has port "${portText}": a port is a number from 0 to 65535`,
    );
  return value({ type: "tcp", host: hostText(host), port: port.value });
}

/** In lower case, but for an IPv6 zone, which is the name of a network interface. */
function hostText(host: string): string {
  const [name = "", ...zone] = host.split("%");
  return [name.toLowerCase(), ...zone].join("%");
}

function unixBind(path: string): Parsed<Bind & { type: "unix" }> {
  if (path === "" || path === "@") return wrong("has no path for the Unix socket");
  const name = path.startsWith("@") ? `\0${path.slice(1)}` : path;
  // sun_path has 108 bytes on Linux, the last one NUL; bind(2) would fail with a bare EINVAL.
  if (Buffer.byteLength(name) > 107) return wrong("is too long for a Unix socket: the most is 107 bytes");
  return value({ type: "unix", path: name });
}

function fdBind(text: string): Parsed<Bind> {
  const fd = wholeNumber(0, 1_048_576)(text);
  return fd.type === "wrong"
    ? wrong(`has file descriptor "${text}": write fd://3`)
    : value({ type: "fd", fd: fd.value });
}
