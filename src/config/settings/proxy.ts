/** What is believed of a proxy in front. */
import { FORWARDING_FIELDS, type ForwardingField } from "../../http/forwarded.ts";
import type { ProxyMode } from "../../http/proxy-header.ts";
import { TrustedProxies } from "../../http/trusted-proxies.ts";
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { choice, commaList, value, wrong, type ValueType } from "../value-types.ts";

const proxyList: ValueType<TrustedProxies> = (text) => {
  const list = TrustedProxies.parse(text);
  return typeof list === "string" ? wrong(list) : value(list);
};

const DEFAULT_LIST = "127.0.0.1,::1";

function listOf(text: string): TrustedProxies {
  const list = TrustedProxies.parse(text);
  if (typeof list === "string") throw new Error(`own list ${list}`);
  return list;
}

const DEFAULT_FIELDS = "x-forwarded-for,x-forwarded-proto,forwarded";

const fieldList: ValueType<ReadonlySet<ForwardingField>> = (text) => {
  const words = commaList(text);
  if (words.type === "wrong") return words;
  const fields = new Set<ForwardingField>();
  for (const word of words.value) {
    const field = FORWARDING_FIELDS.find((one) => one === word.toLowerCase());
    if (field === undefined) return wrong(`has "${word}", which is none of ${FORWARDING_FIELDS.join(", ")}`);
    fields.add(field);
  }
  return fields.size === 0 ? wrong("is empty: to believe no header give --no-proxy-headers") : value(fields);
};

export const forwardedAllowIps: Setting<TrustedProxies> = single({
  key: "forwarded-allow-ips",
  flags: ["--forwarded-allow-ips"],
  env: ["UVICORN_FORWARDED_ALLOW_IPS", "FORWARDED_ALLOW_IPS"],
  metavar: "LIST",
  type: proxyList,
  fallback: listOf(DEFAULT_LIST),
  fallbackText: `${DEFAULT_LIST}, and Unix sockets`,
  help: "Proxies that may say who the client is: addresses, ranges, loopback, private, unix, none or *",
  doc: `Separated by commas. \`private\` is every private and loopback range, \`unix\` Unix sockets alone (they are always trusted, but for
\`none\`), \`*\` every peer: only right where nobody else can connect. From a peer that is not listed \`X-Forwarded-*\`, \`Forwarded\` and
\`X-Real-IP\` are removed before the application sees them. Addresses in \`X-Forwarded-For\` are walked from the right: listed ones are
proxies, the first other one is the client. \`*\` lists no ranges, so the right-most address counts; uvicorn takes the left-most, which any
client can invent. To walk over more proxies add their ranges (\`*,10.0.0.0/8\`). See [behind-a-proxy.md](behind-a-proxy.md).`,
});

export const proxyHeaders: Setting<boolean> = toggle({
  key: "proxy-headers",
  flags: ["--proxy-headers"],
  offFlags: ["--no-proxy-headers"],
  env: ["UVICORN_PROXY_HEADERS"],
  fallback: true,
  help: "Take the client's address and scheme from a trusted proxy's headers",
  doc: "`--no-proxy-headers` leaves these headers alone: nothing is believed, and nothing is removed, for an application that reads them itself.",
});

export const trustedHeaders: Setting<ReadonlySet<ForwardingField>> = single<ReadonlySet<ForwardingField>>({
  key: "trusted-headers",
  flags: ["--trusted-headers"],
  metavar: "LIST",
  type: fieldList,
  fallback: new Set(["x-forwarded-for", "x-forwarded-proto", "forwarded"]),
  fallbackText: DEFAULT_FIELDS,
  help: "Headers that count when a trusted proxy sends them",
  doc: `Name what your proxy *sets*: what it does not set it passes on from the client. Further ones are \`x-forwarded-host\` (becomes Host,
SERVER_NAME and SERVER_PORT), \`x-forwarded-port\` and \`x-forwarded-prefix\` (comes in front of SCRIPT_NAME and \`root_path\`).
\`x-forwarded-proto\` includes gunicorn's \`X-Forwarded-Protocol: ssl\` and \`X-Forwarded-Ssl: on\`. Headers that are not named reach the
application, but mean nothing to maitred. A request in which \`Forwarded\` and \`X-Forwarded-*\` contradict each other gets 400.`,
});

export const proxyProtocol: Setting<ProxyMode | "off"> = single<ProxyMode | "off">({
  key: "proxy-protocol",
  flags: ["--proxy-protocol"],
  metavar: "MODE",
  type: choice(["off", "v1", "v2", "auto"]),
  alone: "auto",
  fallback: "off",
  help: "Every connection begins with a PROXY protocol header: off, v1, v2 or auto (either)",
  doc: `For proxies that pass connections on and not requests: HAProxy (\`send-proxy-v2\`), AWS Network Load Balancer, stunnel. A
connection without the header is refused, where gunicorn would serve it: who can leave it out can also be anybody.`,
});

export const proxyAllowFrom: Setting<TrustedProxies> = single({
  key: "proxy-allow-from",
  flags: ["--proxy-allow-from"],
  metavar: "LIST",
  type: proxyList,
  fallback: listOf(DEFAULT_LIST),
  fallbackText: `${DEFAULT_LIST}, and Unix sockets`,
  help: "Peers that may send the PROXY protocol; written as --forwarded-allow-ips",
  doc: "Everyone else's connections are refused while `--proxy-protocol` is on.",
});

export const proxySection: Section = {
  title: "Behind a proxy",
  settings: [forwardedAllowIps, proxyHeaders, trustedHeaders, proxyProtocol, proxyAllowFrom],
};
