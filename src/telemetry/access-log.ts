/**
 * The access log in gunicorn's format language: `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"` and its other atoms, compiled once to a
 * function (gunicorn/glogging.py, `atoms`). Values from the client are escaped, so that no line can be forged.
 */
import type { Clock } from "../clock.ts";
import type { Exchange } from "../http/exchange.ts";
import { PROTOCOL } from "../http/request-head.ts";

type Atom = (exchange: Exchange, nowMs: number, clock: Clock) => string;

/** Control characters (C1 and the Unicode line ends too), quotes and backslashes: what could end the field or the line. */
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029"\\]/;
const ALL_UNSAFE = new RegExp(UNSAFE, "g");

function safe(value: string): string {
  // Nearly every value is safe, and a test costs a fraction of a replacement.
  if (!UNSAFE.test(value)) return value;
  return value.replace(ALL_UNSAFE, (char) =>
    char === '"' || char === "\\" ? `\\${char}` : escaped(char.charCodeAt(0)),
  );
}

function escaped(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
}

function header(exchange: Exchange, name: string): string {
  const value = exchange.head.headers.get(name);
  return value === undefined ? "-" : safe(value);
}

function responseHeader(exchange: Exchange, name: string): string {
  const flat = exchange.responseFields?.flat ?? [];
  for (let i = 0; i < flat.length; i += 2) if (flat[i]!.toLowerCase() === name) return safe(flat[i + 1]!);
  return "-";
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
let stampSecond = -1;
let stampText = "";

/** `[21/Nov/2026:01:31:28 +0000]`, made once a second. */
function clfStamp(wallMs: number): string {
  const second = Math.floor(wallMs / 1000);
  if (second === stampSecond) return stampText;
  stampSecond = second;
  const date = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  stampText = `[${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}]`;
  return stampText;
}

/** Who was authenticated; else the user name of Basic credentials, for an app to judge: the password never leaves this function. */
function user(exchange: Exchange): string {
  if (exchange.user !== null) return safe(exchange.user.name);
  const value = exchange.head.headers.get("authorization");
  if (value === undefined || !/^basic /i.test(value)) return "-";
  const name = Buffer.from(value.slice(6), "base64").toString("utf8").split(":")[0] ?? "";
  return name === "" ? "-" : safe(name);
}

const elapsed = (exchange: Exchange, now: number): number => now - exchange.receivedAt;

const ATOMS: Readonly<Record<string, Atom>> = {
  h: ({ peer }) => peer.address || "-",
  l: () => "-",
  u: user,
  t: (_exchange, _now, clock) => clfStamp(clock.wall()),
  r: ({ head }) => `${head.method} ${safe(head.target)} ${PROTOCOL[head.version]}`,
  s: ({ status }) => String(status),
  m: ({ head }) => head.method,
  U: ({ head }) => safe(head.path),
  q: ({ head }) => safe(head.query),
  H: ({ head }) => PROTOCOL[head.version],
  b: ({ sentBytes }) => (sentBytes === 0 ? "-" : String(sentBytes)),
  B: ({ sentBytes }) => String(sentBytes),
  f: (exchange) => header(exchange, "referer"),
  a: (exchange) => header(exchange, "user-agent"),
  T: (exchange, now) => String(Math.floor(elapsed(exchange, now) / 1000)),
  M: (exchange, now) => String(Math.floor(elapsed(exchange, now))),
  D: (exchange, now) => String(Math.floor(elapsed(exchange, now) * 1000)),
  L: (exchange, now) => (elapsed(exchange, now) / 1000).toFixed(6),
  p: ({ workerPid }) => `<${workerPid === 0 ? process.pid : workerPid}>`,
};

const PLACEHOLDER = /%\((?:\{([^}]+)\}([ioe])|([^)]*))\)s|%%/g;

/** Compiles a format to a function that gives the line of an exchange, newline included. Unknown atoms become `-`, as gunicorn does. */
export function compileAccessLog(
  format: string,
  environ: Readonly<Record<string, string | undefined>>,
): (exchange: Exchange, clock: Clock) => string {
  const parts: (string | Atom)[] = [];
  let last = 0;
  for (const match of format.matchAll(PLACEHOLDER)) {
    parts.push(format.slice(last, match.index));
    last = match.index + match[0].length;
    const [whole, name, kind, letter] = match;
    if (whole === "%%") parts.push("%");
    else if (letter !== undefined) parts.push(Object.hasOwn(ATOMS, letter) ? ATOMS[letter]! : "-");
    else if (kind === "i") parts.push((exchange) => header(exchange, name!.toLowerCase()));
    else if (kind === "o") parts.push((exchange) => responseHeader(exchange, name!.toLowerCase()));
    else parts.push(environ[name!] ?? "-");
  }
  parts.push(`${format.slice(last)}\n`);
  const steps = parts.filter((part) => part !== "");
  return (exchange, clock) => {
    const now = clock.now();
    let line = "";
    for (const step of steps) line += typeof step === "string" ? step : step(exchange, now, clock);
    return line;
  };
}
