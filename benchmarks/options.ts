/** The bench's command line. */
import { parseArgs } from "node:util";

export interface Options {
  readonly only: readonly string[] | null;
  readonly servers: readonly string[] | null;
  readonly rounds: number;
  /** Null: each scenario's own. */
  readonly seconds: number | null;
  readonly save: boolean;
  readonly short: boolean;
  readonly bundledClient: boolean;
  readonly maitred: string | null;
}

export const USAGE = `make bench ARGS="…"  or  scripts/bench …
  --only A,B         these scenarios only
  --servers A,B      these servers only; maitred+log is maitred with its access log on
  --rounds N         how often each setting is measured, in turns (3)
  --seconds S        how long one measurement lasts (3; tail scenarios 10)
  --save             write benchmarks/results/DATE-SCENARIO.md too
  --short            one round of a second, the hello scenarios, web-socket, slow-clients and upload-200m, one setting of each server: does it work?
  --bundled-client   the bench's own load client even where wrk is there
  --maitred PATH     another maitred than this checkout's bin/maitred
`;

/** A command line that cannot be obeyed; the message says why. */
export class UsageError extends Error {}

export function parseOptions(args: readonly string[]): Options | "help" {
  const values = parse(args);
  if (values.help) return "help";
  return {
    only:
      values.only?.split(",") ??
      (values.short ? ["hello-wsgi", "hello-asgi", "web-socket", "slow-clients", "upload-200m"] : null),
    servers: values.servers?.split(",") ?? null,
    rounds: positive("--rounds", values.rounds) ?? (values.short ? 1 : 3),
    seconds: positive("--seconds", values.seconds) ?? (values.short ? 1 : null),
    save: values.save,
    short: values.short,
    bundledClient: values["bundled-client"],
    maitred: values.maitred ?? null,
  };
}

function parse(args: readonly string[]) {
  const config = {
    args: [...args],
    options: {
      only: { type: "string" },
      servers: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      save: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      "bundled-client": { type: "boolean", default: false },
      maitred: { type: "string" },
      help: { type: "boolean", default: false },
    },
  } as const;
  try {
    return parseArgs(config).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function positive(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`${name} must be a whole number above 0, not ${text}`);
  return Number(text);
}
