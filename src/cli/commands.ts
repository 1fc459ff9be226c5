/**
 * The commands beside serving: `maitred NAME [OPTIONS]`. The first word alone decides, so an application in a module of such a name is
 * started with its attribute (`maitred cert:app`) or after `--`.
 */

import type { ControlCommand } from "./control/options.ts";

/** What a command writes to. */
export interface Terminal {
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

export interface Command {
  readonly name: string;
  /** One line, for --help. */
  readonly help: string;
  /** Returns the exit code. Loads what it needs when it is called: serving must not pay for it. */
  run(argv: readonly string[], terminal: Terminal): Promise<number>;
}

export const commands: readonly Command[] = [
  {
    name: "cert",
    help: "write a certificate for development",
    run: async (argv, { print, warn }) => (await import("./cert/command.ts")).certCommand(argv, print, warn),
  },
  {
    name: "check",
    help: "check configuration and options; --explain tells all",
    run: async (argv, { print, warn }) => (await import("./check/command.ts")).checkCommand(argv, print, warn),
  },
  {
    name: "cache",
    help: "purge responses from the cache of a running server",
    run: async (argv, terminal) => (await import("./cache/command.ts")).cacheCommand(argv, terminal),
  },
  {
    name: "password",
    help: "the hash of a password, for basic-auth",
    run: async (argv, { print, warn }) => (await import("./password/command.ts")).passwordCommand(argv, print, warn),
  },
  {
    name: "maintenance",
    help: "answer 503 for a while, or hold requests",
    run: async (argv, terminal) => (await import("./maintenance/command.ts")).maintenanceCommand(argv, terminal),
  },
  controlling("status", "show a running server: queue, workers, how others ended"),
  controlling("reload", "new workers from the new code; tells whether they serve"),
  controlling("scale", "have N workers"),
  controlling("stacks", "show the Python stacks of the workers"),
  controlling("stop", "stop a running server, and wait until it is gone"),
];

// Private

function controlling(name: ControlCommand, help: string): Command {
  return {
    name,
    help,
    run: async (argv, terminal) => (await import("./control/command.ts")).controlCommand(name, argv, terminal),
  };
}
