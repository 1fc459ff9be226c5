/**
 * gunicorn's --bind and uvicorn's --host, --port, --uds and --fd, and the platforms' PORT, to one list of addresses. The strongest
 * origin that says anything about addresses decides which spelling counts; --host and --port complete each other across origins.
 */
import { bindText, defaultHost, defaultPort, portNumber } from "./bind.ts";
import { originName, originRank, originText, type Origin } from "./origin.ts";
import type { Bind } from "./plan.ts";
import type { Environment, Resolved } from "./resolve.ts";
import * as rows from "./settings/bind.ts";

export interface Listen {
  readonly binds: readonly Bind[];
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

/** `passed` are the sockets that systemd handed over: as with gunicorn they count more than any address but `--bind fd://N`. */
export function listen(resolved: Resolved, env: Environment, passed: readonly Bind[]): Listen {
  const bind = resolved.get(rows.bind);
  const fd = resolved.get(rows.fd);
  const uds = resolved.get(rows.uds);
  const host = resolved.get(rows.host);
  const port = resolved.get(rows.port);

  const rank = Math.max(...[bind, fd, uds, host, port].map((sourced) => originRank[sourced.origin.type]));
  if (passed.length > 0 && !bind.value.some(({ type }) => type === "fd") && fd.value === null) {
    const losers = [bind, uds, host, port].map(({ origin }) => origin).filter(({ type }) => type !== "default");
    return {
      binds: passed,
      mistakes: [],
      notices: losers.map((origin) => `${originText(origin)} has no effect, because systemd has handed over a socket`),
    };
  }
  if (rank === 0) return fromPort((env["PORT"] ?? "").trim());
  /** Those of them that the deciding origin gave. */
  const among = (...sourced: readonly { readonly origin: Origin }[]): Origin[] =>
    sourced.map(({ origin }) => origin).filter((origin) => originRank[origin.type] === rank);

  const binds = among(bind);
  if (binds.length > 0) {
    const others = among(fd, uds, host, port);
    if (others.length > 0) {
      const names = [...binds, ...others].map(originName).join(" and ");
      return {
        binds: [],
        mistakes: [`${names} both say where to listen: give only one spelling (--bind may be repeated)`],
        notices: [],
      };
    }
    return { binds: bind.value, mistakes: repeatedAddresses(bind.value), notices: [] };
  }

  // uvicorn's order: fd, then uds, then host and port; it does not say so, which has cost people an afternoon.
  const unused = (winner: Origin, losers: readonly Origin[]): string[] =>
    losers.map((origin) => `${originText(origin)} has no effect, because ${originText(winner)} says where to listen`);
  if (among(fd).length > 0) {
    return {
      binds: [{ type: "fd", fd: fd.value ?? 0 }],
      mistakes: [],
      notices: unused(fd.origin, among(uds, host, port)),
    };
  }
  if (among(uds).length > 0) {
    return {
      binds: [{ type: "unix", path: uds.value ?? "" }],
      mistakes: [],
      notices: unused(uds.origin, among(host, port)),
    };
  }
  const notices: string[] = [];
  const platformPort = (env["PORT"] ?? "").trim();
  if (port.value === null && platformPort !== "" && platformPort !== String(defaultPort)) {
    notices.push(
      `PORT=${platformPort} has no effect, because ${originText(host.origin)} says where to listen: the port is ${defaultPort}; give --port too`,
    );
  }
  return {
    binds: [{ type: "tcp", host: host.value ?? defaultHost, port: port.value ?? defaultPort }],
    mistakes: [],
    notices,
  };
}

// Private

function fromPort(text: string): Listen {
  if (text === "") return { binds: [{ type: "tcp", host: defaultHost, port: defaultPort }], mistakes: [], notices: [] };
  const port = portNumber(text);
  if (port.type === "wrong") return { binds: [], mistakes: [`PORT=${text} ${port.why}`], notices: [] };
  return { binds: [{ type: "tcp", host: "0.0.0.0", port: port.value }], mistakes: [], notices: [] };
}

function repeatedAddresses(binds: readonly Bind[]): string[] {
  // Port 0 is a different port each time.
  const texts = binds.filter((bind) => bind.type !== "tcp" || bind.port !== 0).map(bindText);
  const repeated = new Set(texts.filter((text, at) => texts.indexOf(text) < at));
  return [...repeated].map((text) => `--bind ${text} is given twice`);
}
