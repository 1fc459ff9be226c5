/** `--pool NAME=PATTERN,...,word=value`: read, not yet resolved against the main pool. */
import { parsePattern, type PathPattern } from "../http/path-pattern.ts";
import { appMistake } from "./app-target.ts";
import { interfaceName, type InterfaceName } from "./interface-name.ts";
import { duration, someDuration, value, wholeNumber, wrong, type Parsed, type ValueType } from "./value-types.ts";
import { workerClass, type WorkerClass } from "./worker-class.ts";
import { workerCount, type WorkerCount } from "./worker-count.ts";

/** What was said; what was not is absent. */
export interface PoolSpec {
  readonly name: string;
  readonly patterns: readonly PathPattern[];
  readonly app?: string;
  readonly factory?: boolean;
  readonly interface?: InterfaceName;
  readonly workerClass?: WorkerClass;
  readonly workers?: WorkerCount;
  readonly threads?: number;
  readonly workerConnections?: number;
  readonly timeoutMs?: number;
  readonly queueSize?: number;
  readonly queueTimeoutMs?: number;
  readonly mount?: boolean;
  /** The same for a pool of the configuration file, whose paths are its routes'. */
  readonly mountAt?: string;
  /** Made for a route that names an app and no pool. */
  readonly isImplied?: boolean;
}

/** The name of the pool that has every path that is nobody's. */
export const MAIN_POOL = "main";

const usage = "write NAME=/PATH,workers=N, for example reports=/reports,workers=2";

export const poolSpec: ValueType<PoolSpec> = (text) => {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at));
  if (at < 0 || !/^[a-z][\w-]*$/i.test(name)) return wrong(`does not begin with a name and =: ${usage}`);
  if (name === MAIN_POOL) return wrong(`has the name of the pool that has all other paths: take another one`);
  const patterns: PathPattern[] = [];
  const said: Record<string, unknown> = {};
  for (const item of items(text.slice(at + 1))) {
    if (item.startsWith("/")) {
      const pattern = parsePattern(item);
      if ("why" in pattern) return wrong(pattern.why);
      patterns.push(pattern);
      continue;
    }
    const [word = "", ...rest] = item.split("=");
    const entry = Object.hasOwn(words, word) ? words[word] : undefined;
    if (entry === undefined) return wrong(`has "${item}", which is neither a path nor one of ${wordList}`);
    if (Object.hasOwn(said, entry.field)) return wrong(`says ${word} twice`);
    const parsed = entry.read(rest.length === 0 ? null : rest.join("="));
    if (parsed.type === "wrong") return wrong(`has "${item}", which ${parsed.why}`);
    said[entry.field] = parsed.value;
  }
  if (patterns.length === 0) return wrong(`has no path: ${usage}`);
  const only = patterns[0]!;
  if (said["mount"] === true && (patterns.length > 1 || !isMountable(only)))
    return wrong("has mount, which takes one plain path (/api) that is not /");
  return value({ name, patterns, ...said });
};

// Private

interface Word {
  readonly field: Exclude<keyof PoolSpec, "name" | "patterns" | "mountAt" | "isImplied">;
  read(text: string | null): Parsed<unknown>;
}

function taking<T>(field: Word["field"], type: ValueType<T>): Word {
  return { field, read: (text) => (text === null ? wrong("lacks its value") : type(text)) };
}

function alone(field: Word["field"]): Word {
  return { field, read: (text) => (text === null ? value(true) : wrong("takes no value")) };
}

const appTarget: ValueType<string> = (text) => {
  const mistake = appMistake([text]);
  return mistake === null ? value(text) : wrong(`names no application: ${mistake}`);
};

const words: Readonly<Record<string, Word>> = {
  app: taking("app", appTarget),
  factory: alone("factory"),
  interface: taking("interface", interfaceName),
  "worker-class": taking("workerClass", workerClass),
  workers: taking("workers", workerCount),
  threads: taking("threads", wholeNumber(1, 4096)),
  "worker-connections": taking("workerConnections", wholeNumber(1)),
  timeout: taking("timeoutMs", duration),
  "queue-size": taking("queueSize", wholeNumber(0, 10_000_000)),
  "queue-timeout": taking("queueTimeoutMs", someDuration),
  mount: alone("mount"),
};
const wordList = Object.keys(words).join(", ");

/** Split at commas, but not at those in brackets: `app=shop:create_app("a", 1)`. */
function items(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text.charAt(at);
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (at === text.length || (character === "," && depth <= 0)) {
      const item = text.slice(from, at).trim();
      if (item !== "") found.push(item);
      from = at + 1;
    }
  }
  return found;
}

/** A prefix that the front can cut off: no asterisk, something to cut, and the same in every encoding. */
function isMountable({ literal, isExact }: PathPattern): boolean {
  return literal !== null && !isExact && /^\/[!-~]+$/.test(literal);
}
