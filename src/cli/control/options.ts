/** The words after `maitred status` and its sisters: which server is meant, and what exactly is asked. */
import { bind } from "../../config/bind.ts";
import type { Bind } from "../../config/plan.ts";

export type ControlCommand = "status" | "reload" | "scale" | "stacks" | "stop";

/** How the server was named; all null: the only one there is. */
export interface Target {
  readonly bind: Bind | null;
  /** A pid, or the path of a pid file. */
  readonly pid: string | null;
  readonly controlSocket: string | null;
}

export interface ControlOptions {
  readonly target: Target;
  readonly json: boolean;
  readonly now: boolean;
  /** Of `scale`: how many workers; of `stacks`: which one. */
  readonly number: number | null;
  /** Of `scale`: the pool's name; null: the main one. */
  readonly pool: string | null;
}

export type ControlWords =
  | { readonly type: "options"; readonly options: ControlOptions }
  | { readonly type: "help" }
  | { readonly type: "mistake"; readonly message: string };

const operands: Readonly<Record<ControlCommand, string>> = {
  status: "",
  reload: "",
  scale: " N [POOL]",
  stacks: " [WORKER]",
  stop: "",
};

const about: Readonly<Record<ControlCommand, string>> = {
  status: "Shows a running server: its queue, its workers and what each is doing, memory, and how workers ended.",
  reload:
    "Starts new workers from the code as it is now. They take over when all are ready. Waits for that; when the\nnew code cannot start, the old workers go on, and its traceback is shown.",
  scale:
    "Has N workers from now on, in the main pool or the one named. New ones start at once; those too many finish what they have and leave.",
  stacks:
    "Shows the Python stacks of all threads, and the tasks of the event loop, of all workers or of one (its number or\npid). Nothing is interrupted; also works while a C call holds the interpreter.",
  stop: "Stops the server as SIGTERM does, and waits until it is gone.",
};

export function helpText(command: ControlCommand): string {
  const own =
    command === "status"
      ? "      --json                as JSON\n"
      : command === "stop"
        ? "      --now                 requests at work get one second at most\n"
        : "";
  return `Usage: maitred ${command}${operands[command]} [OPTIONS]

${about[command]}

${own}  -b, --bind ADDRESS        the server that listens there
  -p, --pid FILE            the server with this pid file, or pid
      --control-socket PATH the server that was started with this option
  -h, --help                print this text and leave

Without one of these: the only server that runs here under your user.
Exit codes: 0 done, 1 the server could not do it, 2 wrong options, 3 no server, 4 several servers, 5 not permitted.
`;
}

export function controlWords(command: ControlCommand, argv: readonly string[]): ControlWords {
  let json = false;
  let now = false;
  let address: Bind | null = null;
  let pid: string | null = null;
  let controlSocket: string | null = null;
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    const [flag = "", ...rest] = word.startsWith("--") ? word.split("=") : [word];
    const valueOf = (): string | undefined => (rest.length > 0 ? rest.join("=") : argv[++at]);
    if (flag === "-h" || flag === "--help") return { type: "help" };
    if (flag === "--json" && command === "status") json = true;
    else if (flag === "--now" && command === "stop") now = true;
    else if (["-b", "--bind", "-p", "--pid", "--control-socket"].includes(flag)) {
      const text = valueOf();
      if (text === undefined || text === "") return mistake(`${flag} needs a value`);
      if (flag === "--control-socket") controlSocket = text;
      else if (flag === "-p" || flag === "--pid") pid = text;
      else {
        const parsed = bind(text);
        if (parsed.type === "wrong") return mistake(`${flag} ${text} ${parsed.why}`);
        address = parsed.value;
      }
    } else if (word.startsWith("-")) return mistake(`unknown option ${flag} of maitred ${command}`);
    else words.push(word);
  }
  if ([address, pid, controlSocket].filter((one) => one !== null).length > 1)
    return mistake("--bind, --pid and --control-socket each name a server: give one of them");
  const number = words[0] === undefined ? null : /^\d{1,9}$/.test(words[0]) ? Number(words[0]) : NaN;
  const most = operands[command] === "" ? 0 : command === "scale" ? 2 : 1;
  if (words.length > most)
    return mistake(`maitred ${command} takes ${["no word", "one word", "two words"][most]}, not ${words.join(" ")}`);
  if (command === "scale" && (number === null || !(number >= 1)))
    return mistake("maitred scale needs the number of workers, 1 or more");
  if (Number.isNaN(number)) return mistake(`maitred ${command}: ${words[0]} is not a number`);
  return {
    type: "options",
    options: { target: { bind: address, pid, controlSocket }, json, now, number, pool: words[1] ?? null },
  };
}

function mistake(message: string): ControlWords {
  return { type: "mistake", message };
}
