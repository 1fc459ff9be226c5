/**
 * From what was given to one value per setting, each with its origin: command line > GUNICORN_CMD_ARGS > other variables > configuration file >
 * defaults.
 * Knows the table and the grammar; what the values mean together is read-plan.ts's business.
 */
import { type Alone, parseArgv, type Given } from "./argv.ts";
import { foreignAnswer, foreignFlags, type ForeignFlag } from "./foreign-flags.ts";
import { type GivenOrigin, mistakenText, type Origin } from "./origin.ts";
import type { Setting } from "./setting.ts";
import { settings } from "./settings/table.ts";
import { shellWords } from "./shell-words.ts";

/** A value and where it came from. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: Origin;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Resolved {
  /** The value of one row of the table; its default when not given, or when what was given is among the mistakes. */
  get<T>(setting: Setting<T>): Sourced<T>;
  /** What the operator wrote for it, of the strongest source; empty where nobody did. */
  given(setting: Setting<unknown>): readonly Asked[];
  /** Words that are no options: the application, one hopes. */
  readonly positionals: readonly string[];
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

/** A text that was given for a setting. */
export interface Asked {
  readonly text: string;
  readonly origin: Origin;
}

/** What the configuration file says, for settings of the table. */
export type FileLayer = ReadonlyMap<Setting<unknown>, readonly Asked[]>;

export function resolve(argv: readonly string[], env: Environment, file: FileLayer = new Map()): Resolved {
  const mistakes: string[] = [];
  const answers = new Map<string, "notice" | "mistake">();
  // Weakest first: each stronger layer replaces what stands there, lists included, as gunicorn does.
  const asked = new Map<Setting<unknown>, readonly Asked[]>(file);

  for (const setting of settings) {
    const name = setting.env.find((name) => isSet(env[name]));
    if (name === undefined) continue;
    // Trimmed, because Python's int() and click's BOOL forgive "2\n" from a file or a secret too.
    const text = (env[name] ?? "").trim();
    asked.set(setting, [{ text, origin: { type: "environment", name, text } }]);
  }
  for (const foreign of foreignFlags) {
    for (const name of foreign.env) {
      const text = env[name];
      if (isSet(text) && !isFalse(text)) tell(foreign, { type: "environment", name, text });
    }
  }

  const words = shellWords(env["GUNICORN_CMD_ARGS"] ?? "");
  if (words.type === "wrong") mistakes.push(`GUNICORN_CMD_ARGS ${words.why}`);
  const fromEnv = parseArgv(words.type === "wrong" ? [] : words.value, takesValue, alone);
  mistakes.push(...fromEnv.mistakes.map((mistake) => `${mistake} (in GUNICORN_CMD_ARGS)`));
  addLayer("cmd-args", fromEnv.given);

  const line = parseArgv(argv, takesValue, alone);
  mistakes.push(...line.mistakes);
  addLayer("command-line", line.given);

  const values = new Map<Setting<unknown>, Sourced<unknown>>();
  for (const setting of settings) {
    const given = asked.get(setting);
    const last = given?.at(-1);
    if (given === undefined || last === undefined) continue;
    for (const one of setting.repeatable ? given : [last]) {
      const parsed = setting.read([one.text]);
      if (parsed.type === "wrong") mistakes.push(`${mistakenText(one.origin)} ${parsed.why}${unfilledHint(one.text)}`);
    }
    const parsed = setting.read(given.map(({ text }) => text));
    values.set(setting, { value: parsed.type === "wrong" ? setting.fallback : parsed.value, origin: last.origin });
  }
  for (const [text, type] of answers) if (type === "mistake") mistakes.push(text);

  return {
    get<T>(setting: Setting<T>): Sourced<T> {
      const sourced = values.get(setting) as Sourced<T> | undefined;
      return sourced ?? { value: setting.fallback, origin: { type: "default" } };
    },
    given: (setting) => asked.get(setting) ?? [],
    positionals: line.positionals.length > 0 ? line.positionals : fromEnv.positionals,
    mistakes,
    notices: [...answers].filter(([, type]) => type === "notice").map(([text]) => text),
  };

  function addLayer(type: "cmd-args" | "command-line", given: readonly Given[]): void {
    const layer = new Map<Setting<unknown>, readonly Asked[]>();
    for (const { flag, text } of given) {
      const origin = { type, flag, text } as const;
      const setting = settingOf.get(flag);
      const foreign = foreignOf.get(flag);
      if (setting !== undefined) {
        const word = text ?? (setting.offFlags.includes(flag) ? "false" : "true");
        layer.set(setting, [...(layer.get(setting) ?? []), { text: word, origin }]);
      } else if (foreign !== undefined) {
        tell(foreign, origin);
      }
    }
    for (const [setting, value] of layer) asked.set(setting, value);
  }

  function tell(foreign: ForeignFlag, origin: GivenOrigin): void {
    const answer = foreignAnswer(foreign, origin);
    if (answer !== null) answers.set(answer.line, answer.type);
  }
}

// Private

const settingOf = new Map(
  settings.flatMap((setting) => [...setting.flags, ...setting.offFlags].map((flag) => [flag, setting] as const)),
);
const foreignOf = new Map(foreignFlags.flatMap((foreign) => foreign.flags.map((flag) => [flag, foreign] as const)));
const takesValue = new Map<string, boolean>([
  ...[...settingOf].map(([flag, setting]) => [flag, setting.metavar !== null] as const),
  ...[...foreignOf].map(([flag, foreign]) => [flag, foreign.takesValue] as const),
]);
const alone = new Map<string, Alone>(
  settings.flatMap((setting) => {
    const { alone: text } = setting;
    if (text === null) return [];
    const takes = (word: string): boolean => setting.read([word]).type === "value";
    return setting.flags.map((flag) => [flag, { text, takes }] as const);
  }),
);

/** `CMD ["maitred", "-b", "0.0.0.0:$PORT"]` in a Dockerfile runs no shell: half the world's "'$PORT' is not a valid port number". */
function unfilledHint(text: string): string {
  const variable = /\$\{?\w+\}?/.exec(text)?.[0];
  return variable === undefined
    ? ""
    : ` (no shell has filled in ${variable}: in a Dockerfile write CMD without the brackets)`;
}

/** An empty variable counts as unset, as with gunicorn and click: `PORT=` in a compose file is a way to say "none". */
function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}

function isFalse(text: string): boolean {
  return ["0", "false", "f", "no", "n", "off"].includes(text.toLowerCase());
}
