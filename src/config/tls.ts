/** The rows about TLS to one TlsPlan: which key belongs to which certificate, and what makes no sense without the other. */
import { bindText } from "./bind.ts";
import { originName, originText, type Origin } from "./origin.ts";
import type { Bind, TlsPlan } from "./plan.ts";
import type { Resolved } from "./resolve.ts";
import * as rows from "./settings/tls.ts";

/** What was asked for, and how messages name it; its files are judged by who knows certificates. */
export interface TlsAsked {
  readonly plan: TlsPlan;
  /** For each certificate. */
  readonly certificates: readonly string[];
  readonly authorities: string;
  readonly ciphers: string;
}

export interface TlsOutcome {
  /** null: no address speaks TLS. */
  readonly tls: TlsPlan | null;
  readonly asked: TlsAsked | null;
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

export function tlsOf(resolved: Resolved, binds: readonly Bind[], fromChdir: (path: string) => string): TlsOutcome {
  const certificates = resolved.get(rows.certfile);
  const keys = resolved.get(rows.keyfile);
  const requirement = resolved.get(rows.certReqs);
  const authorities = resolved.get(rows.caCerts);
  const redirects = resolved.get(rows.redirectHttp);
  const password = resolved.get(rows.keyfilePassword);
  const mistakes: string[] = [];
  const notices: string[] = [];

  if (certificates.value.length === 0) {
    if (keys.value.length > 0) mistakes.push(`${originText(keys.origin)} has no certificate: give --certfile FILE too`);
    if (redirects.value.length > 0)
      mistakes.push(`${originText(redirects.origin)} leads nowhere: no address speaks https without --certfile`);
    for (const bind of binds.filter(({ tls }) => tls === true))
      mistakes.push(`--bind https://${bindText(bind)} needs a certificate: give --certfile FILE and --keyfile FILE`);
    if (requirement.value !== "none")
      mistakes.push(
        `${originText(requirement.origin)} asks for client certificates, which needs TLS: give --certfile FILE`,
      );
    for (const row of [rows.keyfilePassword, rows.sslVersion, rows.ciphers, rows.caCerts, rows.hsts] as const) {
      const { origin } = resolved.get<unknown>(row);
      if (origin.type !== "default") notices.push(`${originName(origin)} has no effect without --certfile`);
    }
    return { tls: null, asked: null, mistakes, notices };
  }

  const taken = new Set(binds.map(bindText));
  for (const bind of redirects.value) {
    const address = bindText(bind);
    if (taken.has(address) && !(bind.type === "tcp" && bind.port === 0))
      mistakes.push(`--redirect-http ${address} is taken by --bind: the redirect needs an address of its own`);
  }
  const [count, given] = [certificates.value.length, keys.value.length];
  if (given > 0 && given !== count) {
    mistakes.push(
      `--certfile is given ${times(count)} and --keyfile ${times(given)}: each certificate needs its own key, in the same order`,
    );
  }
  if (requirement.value !== "none" && authorities.value === null)
    mistakes.push(`${originText(requirement.origin)} needs the authorities to believe: give --ca-certs FILE`);
  if (requirement.value === "none" && authorities.value !== null)
    notices.push(`${originText(authorities.origin)} has no effect without --cert-reqs optional or required`);
  if (password.origin.type === "command-line")
    notices.push(
      `${originName(password.origin)} can be read by every user of this machine (ps): give it as UVICORN_SSL_KEYFILE_PASSWORD`,
    );
  if (!binds.some(({ tls }) => tls !== false))
    notices.push(`${originText(certificates.origin)} has no effect: every --bind is spelled http://`);
  if (redirects.value.length === 0 && resolved.get(rows.redirectPort).value !== null)
    notices.push(`${originText(resolved.get(rows.redirectPort).origin)} has no effect without --redirect-http`);

  const tls: TlsPlan = {
    certificates: certificates.value.map((file, at) => ({
      certfile: fromChdir(file),
      keyfile: fromChdir(keys.value[at] ?? file),
    })),
    keyPassword: password.value,
    leastVersion: resolved.get(rows.sslVersion).value,
    ciphers: resolved.get(rows.ciphers).value,
    clientCertificates: requirement.value,
    caFile: requirement.value === "none" || authorities.value === null ? null : fromChdir(authorities.value),
    handshakeTimeoutMs: resolved.get(rows.handshakeTimeout).value,
  };
  const asked: TlsAsked = {
    plan: tls,
    certificates: resolved.given(rows.certfile).map(({ origin }) => placeOf(origin)),
    authorities: placeOf(authorities.origin),
    ciphers: placeOf(resolved.get(rows.ciphers).origin),
  };
  // Keys that are too many or too few belong to nobody knows which.
  return { tls, asked: given > 0 && given !== count ? null : asked, mistakes, notices };
}

// Private

/** Before a message: "maitred.toml:3: ", or nothing, since messages name the files. */
function placeOf(origin: Origin): string {
  return origin.type === "file" ? `${origin.place}: ` : "";
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
