/** What is written down, and where. */
import type { LogLevel } from "../plan.ts";
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { choice, text } from "../value-types.ts";

export const accessLogfile: Setting<string | null> = single<string | null>({
  key: "access-logfile",
  flags: ["--access-logfile"],
  metavar: "FILE",
  type: text,
  fallback: null,
  fallbackText: "off",
  help: 'File for a line per request; "-" is standard output',
  doc: "Off unless asked for, as in gunicorn; uvicorn writes one unless told not to.",
});

export const accessLog: Setting<boolean | null> = toggle<null>({
  key: "access-log",
  flags: ["--access-log"],
  offFlags: ["--no-access-log"],
  env: ["UVICORN_ACCESS_LOG"],
  fallback: null,
  help: "Write a line per request to standard output, or none (uvicorn)",
  doc: "`--access-log` is `--access-logfile -`, and leaves a file given by `--access-logfile` as it is.",
});

export const accessLogFormat: Setting<string> = single({
  key: "access-logformat",
  flags: ["--access-logformat"],
  metavar: "FORMAT",
  type: text,
  fallback: '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"',
  help: "Format of an access log line, in gunicorn's atoms",
  doc: "gunicorn's default, the combined log format.",
});

export const errorLog: Setting<string> = single({
  key: "error-logfile",
  flags: ["--error-logfile", "--log-file"],
  metavar: "FILE",
  type: text,
  fallback: "-",
  help: 'File for maitred\'s own log; "-" is standard error',
  doc: "",
});

export const logLevel: Setting<LogLevel> = single<LogLevel>({
  key: "log-level",
  flags: ["--log-level"],
  env: ["UVICORN_LOG_LEVEL"],
  metavar: "LEVEL",
  type: choice(["critical", "error", "warning", "info", "debug"], {
    trace: "debug",
    warn: "warning",
    fatal: "critical",
  }),
  fallback: "info",
  help: "How much maitred's own log says: critical, error, warning, info or debug",
  doc: "uvicorn's `trace` is `debug`.",
});

export const loggingSection: Section = {
  title: "Logs",
  settings: [accessLogfile, accessLog, accessLogFormat, errorLog, logLevel],
};
