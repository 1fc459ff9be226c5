/**
 * Flags of gunicorn and uvicorn that are no settings here, so that a command line from there meets an answer and not "unknown option".
 * Three verdicts: `needless` (accepted, maitred does it anyway), `ignored` (accepted, the server works without it, told in a notice),
 * `refused` (starting without it would be wrong or unsafe; `why` names the way out).
 */

import { type GivenOrigin, originText } from "./origin.ts";

export interface ForeignFlag {
  readonly flags: readonly string[];
  /** Environment variables that ask for the same. */
  readonly env: readonly string[];
  readonly takesValue: boolean;
  readonly verdict: "needless" | "ignored" | "refused";
  /** Ends the sentence "--flag is not needed: ...", in the operator's terms. */
  readonly why: string;
  /** Values that ask for what happens anyway; they pass without a word. */
  readonly fineValues: readonly string[];
}

const syslog = 'write the logs to "-" and let systemd or the container runtime carry them to syslog';
const pythonLogging =
  "maitred's own log has one format; set up Python's logging inside the application (logging.config)";
const strictHttp = "what it permits is how requests are smuggled past proxies; leave it out and mend the client";
const protocols = "HTTP/1.1 is always spoken; give --http2 (the default) or --no-http2";
const dirty = "there is no second pool of processes; leave it out and use a task queue";
const statsd = "no metrics are sent to statsd; requests are served as usual";
const privileges = "start maitred as that user: User= in systemd, USER in a Dockerfile, setpriv or runuser in a shell";

export const foreignFlags: readonly ForeignFlag[] = [
  // gunicorn, in the order of its documentation
  refused(["--spew"], null, "use python -X importtime, a debugger or sys.settrace in the application"),
  needless(
    ["--reuse-port"],
    null,
    "one process accepts all connections and hands requests to whichever worker is free",
  ),
  refused(["-D", "--daemon"], null, "leave it to systemd, a container or, in a shell, setsid maitred ... &"),
  needless(["--worker-tmp-dir"], "FOLDER", "there are no heartbeat files; workers are watched over their sockets"),
  refused(["-u", "--user"], "USER", privileges),
  refused(["-g", "--group"], "GROUP", privileges),
  refused(["--initgroups"], null, privileges),
  needless(["--disable-redirect-access-to-syslog"], null, "nothing is sent to syslog"),
  needless(["--capture-output"], null, "what the application prints goes where maitred's own output goes"),
  refused(["--logger-class"], "CLASS", pythonLogging),
  refused(["--log-config"], "FILE", pythonLogging, { env: ["UVICORN_LOG_CONFIG"] }),
  refused(["--log-config-json"], "FILE", pythonLogging),
  refused(["--log-syslog"], null, syslog),
  refused(["--log-syslog-to"], "ADDRESS", syslog),
  refused(["--log-syslog-prefix"], "TEXT", syslog),
  refused(["--log-syslog-facility"], "NAME", syslog),
  needless(["-R", "--enable-stdio-inheritance"], null, "workers always share maitred's standard output and error"),
  ignored(["--statsd-host"], "ADDRESS", statsd),
  ignored(["--dogstatsd-tags"], "TAGS", statsd),
  ignored(["--statsd-prefix"], "TEXT", statsd),
  ignored(["--enable-backlog-metric"], null, statsd),
  ignored(["-n", "--name"], "NAME", "the process title stays as it is"),
  refused(["--paste", "--paster"], "FILE", "write a module that calls paste.deploy.loadapp, and give MODULE:ATTR"),
  refused(["--paste-global"], "NAME=VALUE", "write a module that calls paste.deploy.loadapp, and give MODULE:ATTR"),
  refused(["--protocol"], "NAME", "let the proxy speak HTTP (nginx: proxy_pass instead of uwsgi_pass)", {
    fineValues: ["http"],
  }),
  needless(["--uwsgi-allow-from"], "LIST", "there is no uwsgi protocol to allow"),
  needless(["--suppress-ragged-eofs"], null, "a client that leaves without TLS's goodbye has left all the same"),
  needless(["--do-handshake-on-connect"], null, "handshakes never hold a worker"),
  refused(["--http-protocols"], "LIST", protocols),
  refused(["--permit-obsolete-folding"], null, strictHttp),
  refused(["--strip-header-spaces"], null, strictHttp),
  refused(["--permit-unconventional-http-method"], null, strictHttp),
  refused(["--permit-unconventional-http-version"], null, strictHttp),
  refused(["--casefold-http-method"], null, strictHttp),
  refused(
    ["--forwarder-headers"],
    "LIST",
    "header names with an underscore never reach the application (see --header-map); a prefix is told in X-Forwarded-Prefix (see --trusted-headers)",
  ),
  ignored(
    ["--asgi-disconnect-grace-period"],
    "TIME",
    "the application learns of a lost client as soon as maitred does",
  ),
  needless(["--http-parser"], "NAME", "there is one HTTP parser, and it is not in Python"),
  refused(["--dirty-app"], "NAME", dirty),
  refused(["--dirty-workers"], "N", dirty),
  refused(["--dirty-timeout"], "TIME", dirty),
  refused(["--dirty-threads"], "N", dirty),
  refused(["--dirty-graceful-timeout"], "TIME", dirty),

  // uvicorn, in the order of its --help
  needless(["--http"], "NAME", "there is one HTTP parser, and it is not in Python", {
    env: ["UVICORN_HTTP"],
    fineValues: ["auto"],
  }),
  needless(
    ["--ws-max-queue"],
    "N",
    "the messages that wait for the application are bounded by their bytes, 256 KiB for each WebSocket",
    { env: ["UVICORN_WS_MAX_QUEUE"] },
  ),
  refused(["--env-file"], "FILE", "give -e NAME=VALUE, or in a shell: set -a; . ./.env; set +a", {
    env: ["UVICORN_ENV_FILE"],
  }),
  needless(["--use-colors", "--no-use-colors"], null, "the log has no colours", { env: ["UVICORN_USE_COLORS"] }),
  needless(["--timeout-worker-healthcheck"], "TIME", "a stuck worker is found by --timeout, a dead one at once", {
    env: ["UVICORN_TIMEOUT_WORKER_HEALTHCHECK"],
  }),
  refused(["--header"], "NAME:VALUE", "add the header in the application or in a proxy", { env: ["UVICORN_HEADERS"] }),
  needless(
    ["--h11-max-incomplete-event-size"],
    "BYTES",
    "--limit-request-line and --limit-request-field_size bound what is read",
    {
      env: ["UVICORN_H11_MAX_INCOMPLETE_EVENT_SIZE"],
    },
  ),
  refused(["--reset-contextvars"], null, "leave it out, and set context variables in a middleware of the application", {
    env: ["UVICORN_RESET_CONTEXTVARS"],
  }),
];

/** What to tell about one of them; null when it asks for what happens anyway. */
export function foreignAnswer(
  foreign: ForeignFlag,
  origin: GivenOrigin,
): { readonly type: "notice" | "mistake"; readonly line: string } | null {
  if (origin.text !== null && foreign.fineValues.includes(origin.text)) return null;
  const asked = originText(origin);
  switch (foreign.verdict) {
    case "needless":
      return { type: "notice", line: `${asked} is not needed: ${foreign.why}` };
    case "ignored":
      return { type: "notice", line: `${asked} has no effect yet: ${foreign.why}` };
    case "refused":
      return { type: "mistake", line: `${asked} is not supported yet: ${foreign.why}` };
  }
}

// Private

interface Extra {
  readonly env?: readonly string[];
  readonly fineValues?: readonly string[];
}

function needless(flags: readonly string[], metavar: string | null, why: string, extra: Extra = {}): ForeignFlag {
  return row("needless", flags, metavar, why, extra);
}

function ignored(flags: readonly string[], metavar: string | null, why: string, extra: Extra = {}): ForeignFlag {
  return row("ignored", flags, metavar, why, extra);
}

function refused(flags: readonly string[], metavar: string | null, why: string, extra: Extra = {}): ForeignFlag {
  return row("refused", flags, metavar, why, extra);
}

function row(
  verdict: ForeignFlag["verdict"],
  flags: readonly string[],
  metavar: string | null,
  why: string,
  extra: Extra,
): ForeignFlag {
  return {
    flags,
    env: extra.env ?? [],
    takesValue: metavar !== null,
    verdict,
    why,
    fineValues: extra.fineValues ?? [],
  };
}
