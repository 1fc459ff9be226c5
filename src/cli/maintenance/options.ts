/** The words after `maitred maintenance`: on or off, and what happens to requests meanwhile. */
import { bind } from "../../config/bind.ts";
import { DEFAULT_RETRY_SECONDS } from "../../config/maintenance.ts";
import type { Bind } from "../../config/plan.ts";
import { duration } from "../../config/value-types.ts";
import { isOrigin, MOST_HOLD_MS } from "../../stages/maintenance-order.ts";
import type { Target } from "../control/options.ts";

export type MaintenanceWords =
  | {
      readonly type: "on";
      readonly target: Target;
      readonly holdMs: number | null;
      /** Path of a file. */
      readonly page: string | null;
      readonly retryAfterSeconds: number | null;
      readonly allow: readonly string[];
    }
  | { readonly type: "off"; readonly target: Target }
  | { readonly type: "help" }
  | { readonly type: "mistake"; readonly message: string };

export const maintenanceHelp: string = `Usage: maitred maintenance on|off [OPTIONS]

While it is on, requests are answered with 503, or wait for its end. Health checks are answered as before, what is at work
finishes, and WebSockets stay open. It survives a reload, and ends with the server.

      --hold TIME           requests wait so long (seconds, or 500ms, 2m); then they get 503. As many as --queue-size
      --page FILE           what is shown with the 503: a .html, .json, .txt or .xml file
      --retry-after TIME    when clients are told to come again; 0: they are told nothing (default: ${DEFAULT_RETRY_SECONDS} s)
      --allow ADDRESS       a client address or network that notices nothing of it, or unix; may be repeated
  -b, --bind ADDRESS        the server that listens there
  -p, --pid FILE            the server with this pid file, or pid
      --control-socket PATH the server that was started with this option
  -h, --help                print this text and leave

Without one of the last three: the only server that runs here under your user.
Exit codes: 0 done, 1 the server could not do it, 2 wrong options, 3 no server, 4 several servers, 5 not permitted.
`;

const VALUED = ["--hold", "--page", "--retry-after", "--allow", "-b", "--bind", "-p", "--pid", "--control-socket"];

export function maintenanceWords(argv: readonly string[]): MaintenanceWords {
  const [verb, ...words] = argv;
  if (verb === undefined || verb === "-h" || verb === "--help") return { type: "help" };
  if (verb !== "on" && verb !== "off") return mistake(`maitred maintenance has no ${verb}: it is on or off`);
  let holdMs: number | null = null;
  let page: string | null = null;
  let retryAfterSeconds: number | null = DEFAULT_RETRY_SECONDS;
  const allow: string[] = [];
  let address: Bind | null = null;
  let pid: string | null = null;
  let controlSocket: string | null = null;
  let onlyOn: string | null = null;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const [flag = "", ...rest] = word.startsWith("--") ? word.split("=") : [word];
    if (flag === "-h" || flag === "--help") return { type: "help" };
    if (!VALUED.includes(flag))
      return mistake(
        word.startsWith("-")
          ? `unknown option ${flag} of maitred maintenance`
          : `maitred maintenance ${verb} takes options only, not ${word}`,
      );
    const text = rest.length > 0 ? rest.join("=") : words[++at];
    if (text === undefined || text === "") return mistake(`${flag} needs a value`);
    if (VALUED.indexOf(flag) < VALUED.indexOf("-b")) onlyOn = flag;
    switch (flag) {
      case "--hold": {
        const parsed = duration(text);
        if (parsed.type === "wrong") return mistake(`--hold ${text} ${parsed.why}`);
        if (parsed.value < 1 || parsed.value > MOST_HOLD_MS) return mistake(`--hold ${text} is not from 1ms to 1h`);
        holdMs = parsed.value;
        break;
      }
      case "--retry-after": {
        const parsed = duration(text);
        if (parsed.type === "wrong") return mistake(`--retry-after ${text} ${parsed.why}`);
        retryAfterSeconds = parsed.value === 0 ? null : Math.ceil(parsed.value / 1000);
        break;
      }
      case "--page":
        page = text;
        break;
      case "--allow":
        for (const one of text.split(",")) {
          if (!isOrigin(one.trim()))
            return mistake(
              `--allow ${one.trim()} is neither an IP address (192.0.2.7, 2001:db8::1) nor a network (10.0.0.0/8) nor unix`,
            );
          allow.push(one.trim());
        }
        break;
      case "-p":
      case "--pid":
        pid = text;
        break;
      case "--control-socket":
        controlSocket = text;
        break;
      default: {
        const parsed = bind(text);
        if (parsed.type === "wrong") return mistake(`${flag} ${text} ${parsed.why}`);
        address = parsed.value;
      }
    }
  }
  if ([address, pid, controlSocket].filter((one) => one !== null).length > 1)
    return mistake("--bind, --pid and --control-socket each name a server: give one of them");
  const target = { bind: address, pid, controlSocket };
  if (verb === "on") return { type: "on", target, holdMs, page, retryAfterSeconds, allow };
  return onlyOn === null ? { type: "off", target } : mistake(`${onlyOn} says how it is on: maintenance off takes none`);
}

function mistake(message: string): MaintenanceWords {
  return { type: "mistake", message };
}
