/** TLS at the front door. What the rows mean together is tls.ts's business; files are read when the server starts, not here. */
import { bind as bindType, portNumber } from "../bind.ts";
import type { Bind, ClientCertificates, TlsVersion } from "../plan.ts";
import { repeated, single, type Section, type Setting } from "../setting.ts";
import { duration, someDuration, text, value, wrong, type ValueType } from "../value-types.ts";

/** Python's ssl constants by number and name, as gunicorn and uvicorn take them, and OpenSSL's spellings. */
const tlsVersion: ValueType<TlsVersion> = (text) => {
  const word = text
    .toLowerCase()
    .replace(/^ssl\./, "")
    .replace(/^protocol_/, "")
    .replaceAll("_", ".");
  if (["1.2", "tlsv1.2", "tls1.2", "5", "2", "17", "tls", "tls.server", "sslv23"].includes(word))
    return value("TLSv1.2");
  if (["1.3", "tlsv1.3", "tls1.3"].includes(word)) return value("TLSv1.3");
  if (/^(3|4|sslv[23]|(tlsv?)?1(\.[01])?)$/.test(word))
    return wrong("asks for a version that is broken (RFC 7568, RFC 8996): give TLSv1.2 or TLSv1.3");
  return wrong("is not one of TLSv1.2, TLSv1.3");
};

const clientCertificates: ValueType<ClientCertificates> = (text) => {
  const word = text.toLowerCase().replace(/^(ssl\.)?cert_/, "");
  if (word === "0" || word === "none") return value("none");
  if (word === "1" || word === "optional") return value("optional");
  if (word === "2" || word === "required") return value("required");
  return wrong("is not one of 0 (none), 1 (optional), 2 (required)");
};

const oneYearSeconds = 31_536_000;

/** The value of Strict-Transport-Security (RFC 6797 section 6.1), from a time and words. */
const hstsValue: ValueType<string> = (text) => {
  const [span = "", ...words] = text.split(";").map((word) => word.trim());
  const days = /^(\d{1,5})d$/.exec(span)?.[1];
  const parsed =
    span === "on"
      ? value(oneYearSeconds * 1000)
      : days === undefined
        ? seconds(span)
        : value(Number(days) * 86_400_000);
  if (parsed.type === "wrong") return parsed;
  let field = `max-age=${Math.floor(parsed.value / 1000)}`;
  for (const word of words) {
    const known = ["includeSubDomains", "preload"].find((name) => name.toLowerCase() === word.toLowerCase());
    if (known === undefined) return wrong(`has "${word}" after the time: it may be includeSubDomains or preload`);
    field += `; ${known}`;
  }
  return value(field);
};

/** Without the bound of a timer: a year is the usual value. */
const seconds: ValueType<number> = (text) => (/^\d{1,10}$/.test(text) ? value(Number(text) * 1000) : duration(text));

const redirectBind: ValueType<Bind> = (text) => {
  const parsed = bindType(text);
  return parsed.type === "value" && parsed.value.tls === true
    ? wrong("asks for TLS: the address that redirects speaks plain HTTP")
    : parsed;
};

export const certfile: Setting<readonly string[]> = repeated({
  key: "certfile",
  flags: ["--certfile", "--ssl-certfile"],
  env: ["UVICORN_SSL_CERTFILE"],
  metavar: "FILE",
  type: text,
  help: "Certificate with its chain, PEM, leaf first; turns TLS on",
  doc: `Every address then speaks TLS, but those written \`-b http://ADDRESS\`. Repeated, with a \`--keyfile\` for each: the name that the client
asks for (SNI) chooses, an exact name before a wildcard, and the first certificate serves whoever asks for none of them. The files are
read again when they change and at \`SIGHUP\`, without dropping a connection; see [tls.md](tls.md).`,
});

export const keyfile: Setting<readonly string[]> = repeated({
  key: "keyfile",
  flags: ["--keyfile", "--ssl-keyfile"],
  env: ["UVICORN_SSL_KEYFILE"],
  metavar: "FILE",
  type: text,
  fallbackText: "the certificate's file",
  help: "Private key of the certificate, PEM",
  doc: "The first belongs to the first `--certfile`, the second to the second.",
});

export const keyfilePassword: Setting<string | null> = single<string | null>({
  key: "ssl-keyfile-password",
  flags: ["--ssl-keyfile-password"],
  env: ["UVICORN_SSL_KEYFILE_PASSWORD"],
  metavar: "TEXT",
  type: text,
  fallback: null,
  help: "Password of the private keys that have one",
  doc: "Every user of the machine can read a command line: give it in the variable.",
});

export const sslVersion: Setting<TlsVersion> = single<TlsVersion>({
  key: "ssl-version",
  flags: ["--ssl-version"],
  env: ["UVICORN_SSL_VERSION"],
  metavar: "VERSION",
  type: tlsVersion,
  fallback: "TLSv1.2",
  help: "Oldest version of TLS that is spoken: TLSv1.2 or TLSv1.3",
  doc: `Python's constants by name and number (\`17\`, \`PROTOCOL_TLS_SERVER\`) are understood; those of older versions are refused. Python's
\`PROTOCOL_TLSv1_2\` shuts TLS 1.3 out, here it does not.`,
});

export const ciphers: Setting<string | null> = single<string | null>({
  key: "ciphers",
  flags: ["--ciphers", "--ssl-ciphers"],
  env: ["UVICORN_SSL_CIPHERS"],
  metavar: "LIST",
  type: text,
  fallback: null,
  fallbackText: "Mozilla's intermediate list",
  help: "Cipher suites in OpenSSL's notation",
  doc: `As in Python, names and rules of TLS 1.2 leave the suites of TLS 1.3 as they are. Names that begin with \`TLS_\` choose among
those.`,
});

export const certReqs: Setting<ClientCertificates> = single<ClientCertificates>({
  key: "cert-reqs",
  flags: ["--cert-reqs", "--ssl-cert-reqs"],
  env: ["UVICORN_SSL_CERT_REQS"],
  metavar: "N",
  type: clientCertificates,
  fallback: "none",
  fallbackText: "none (0)",
  help: "Client certificates: 0 none, 1 optional, 2 required",
  doc: `The words work too. They are checked against \`--ca-certs\`. With \`required\` the handshake fails without one that is believed. With
\`optional\` one that is not believed does not end the handshake, as it would in Python: the application is told why.`,
});

export const caCerts: Setting<string | null> = single<string | null>({
  key: "ca-certs",
  flags: ["--ca-certs", "--ssl-ca-certs"],
  env: ["UVICORN_SSL_CA_CERTS"],
  metavar: "FILE",
  type: text,
  fallback: null,
  help: "Authorities whose client certificates are believed, PEM",
  doc: "Read again like the certificates when it changes; sessions of before are then not resumed.",
});

export const handshakeTimeout: Setting<number> = single({
  key: "tls-handshake-timeout",
  flags: ["--tls-handshake-timeout"],
  metavar: "TIME",
  type: someDuration,
  fallback: 10_000,
  fallbackText: "10",
  help: "Most time from a connection's beginning to the end of its TLS handshake",
  doc: "The connection is closed then, and the log says so.",
});

export const redirectHttp: Setting<readonly Bind[]> = repeated({
  key: "redirect-http",
  flags: ["--redirect-http"],
  metavar: "ADDRESS",
  type: redirectBind,
  help: "Address where plain HTTP is answered with a redirect to https",
  doc: `Written like \`--bind\`'s. GET and HEAD get 301, everything else 308, so that a form is posted again. The answer names the host that
was asked for, and the port of the first TLS address.`,
});

export const redirectPort: Setting<number | null> = single<number | null>({
  key: "redirect-port",
  flags: ["--redirect-port"],
  metavar: "PORT",
  type: portNumber,
  fallback: null,
  fallbackText: "that of the first TLS address",
  help: "Port that --redirect-http sends clients to",
  doc: "For when the world reaches the TLS address through another port, as behind Docker's `-p 443:8443`.",
});

export const hsts: Setting<string | null> = single<string | null>({
  key: "hsts",
  flags: ["--hsts"],
  metavar: "TIME",
  type: hstsValue,
  fallback: null,
  help: "Send Strict-Transport-Security with https responses: on (a year), seconds, or 365d",
  doc: `Browsers then come by https only, for that long: begin with a short time. \`"365d; includeSubDomains; preload"\` adds those words. An
application's own Strict-Transport-Security goes first. 0 makes browsers forget it.`,
});

export const tlsSection: Section = {
  title: "TLS",
  settings: [
    certfile,
    keyfile,
    keyfilePassword,
    sslVersion,
    ciphers,
    certReqs,
    caCerts,
    handshakeTimeout,
    redirectHttp,
    redirectPort,
    hsts,
  ],
};
