/**
 * The commands beside serving: `maitred NAME [OPTIONS]`. The first word alone decides, so an application in a module of such a name is
 * started with its attribute (`maitred cert:app`) or after `--`.
 */

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
];
