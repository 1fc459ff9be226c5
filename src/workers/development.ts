/**
 * --reload: when files change the workers leave, requests wait, and new workers answer them with the new code. While the code cannot start every request
 * is answered with the traceback.
 *
 *     serving ──a file changes──▶ holding ──quiet for a while──▶ starting ──ready──▶ serving
 *                                    ▲──────a file changes──────────┤
 *                                    └──a file changes── broken ◀──fails
 */
import type { Clock, Timer } from "../clock.ts";
import type { Plan } from "../config/plan.ts";
import type { ReloadPlan } from "../config/reload.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Log } from "../telemetry/log.ts";
import { FileChoice } from "../watch/file-choice.ts";
import { FileWatcher } from "../watch/file-watcher.ts";
import { answerBroken } from "./broken-page.ts";
import type { ReloadOutcome, Supervisor } from "./supervisor.ts";

export interface DevelopmentSettings extends ReloadPlan {
  readonly app: string;
  /** Paths in the log begin here. */
  readonly chdir: string;
}

export interface DevelopmentContext {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly log: Log;
}

/** Files that never rest (a program that writes them) are not waited for longer than this. */
const LONGEST_QUIET_MS = 2000;
/** Modules that are imported late are asked for this often. */
const ASK_EVERY_MS = 2000;
const NAMED_FILES = 3;

export function startDevelopment(
  plan: Plan,
  reload: ReloadPlan,
  supervisor: Supervisor,
  context: DevelopmentContext,
): Development {
  const development = new Development({ ...reload, app: plan.app, chdir: plan.chdir }, supervisor, context);
  development.watch();
  return development;
}

export class Development {
  readonly #settings: DevelopmentSettings;
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #changed = new Set<string>();
  readonly #standard = new Set<string>();
  /** Restarts begun: an outcome that comes after a newer one began says nothing. */
  #starts = 0;
  #heldSince = 0;
  #timer: Timer | null = null;
  readonly #asking: Timer;

  readonly #watcher: FileWatcher;

  constructor(settings: DevelopmentSettings, supervisor: Supervisor, { dispatcher, clock, log }: DevelopmentContext) {
    this.#settings = settings;
    this.#supervisor = supervisor;
    this.#dispatcher = dispatcher;
    this.#clock = clock;
    this.#log = log;
    supervisor.onLost = (detail) => this.#lost(detail);
    this.#asking = clock.every(ASK_EVERY_MS, () => supervisor.askModules());
    this.#watcher = new FileWatcher(
      new FileChoice(settings),
      settings,
      clock,
      (path) => this.#fileChanged(path),
      (message) => log.warning(message),
    );
  }

  watch(): void {
    this.#watcher.start();
    this.#log.info(
      `Watching for changes: ${this.#settings.folders.join(", ")} (${this.#watcher.description}; --reload)`,
    );
  }

  /** The first start; resolves when the app serves or its traceback does. Null, as there is no failure that ends the server. */
  async start(): Promise<null> {
    await this.#supervisor.open();
    await this.#restart(null);
    return null;
  }

  /** A restart that was asked for, with a new Python. */
  reload(): Promise<ReloadOutcome> {
    this.#supervisor.forgetPrepared();
    this.#timer?.cancel();
    return this.#restart("asked for");
  }

  /** What a worker has told of its modules. */
  onModules(files: readonly string[], standard: readonly string[]): void {
    this.#watcher.add(files);
    for (const name of standard) this.#standard.add(name);
  }

  close(): void {
    this.#asking.cancel();
    this.#watcher.close();
  }

  // Private

  #fileChanged(path: string): void {
    this.#changed.add(path);
    // Python would have found it before the module of this name that has been imported ahead.
    if (this.#standard.has(moduleName(path))) this.#supervisor.forgetPrepared();
    const now = this.#clock.now();
    if (this.#timer === null) {
      this.#heldSince = now;
      this.#starts++;
      this.#dispatcher.setOutage(null);
      this.#supervisor.hold();
    } else if (now - this.#heldSince > LONGEST_QUIET_MS) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(this.#settings.quietMs, () => void this.#restart(this.#describeChanges()));
  }

  async #restart(why: string | null): Promise<ReloadOutcome> {
    this.#timer = null;
    const start = ++this.#starts;
    const begin = this.#clock.now();
    if (why !== null) this.#log.info(`Reloading: ${why}`);
    this.#dispatcher.setOutage(null);
    const outcome = await this.#supervisor.restart();
    if (start !== this.#starts || this.#supervisor.isStopping) return outcome;
    if (outcome.type === "done") {
      if (why !== null) this.#log.info(`Reloaded in ${Math.round(this.#clock.now() - begin)} ms`);
      this.#supervisor.prepareRestart([...this.#standard]);
    } else this.#broken(outcome.message, outcome.traceback);
    return outcome;
  }

  #broken(message: string, traceback: string): void {
    if (traceback !== "") this.#log.error(traceback.trimEnd());
    this.#log.error(`No worker is ready: ${message}. Requests get this as an answer until a file is saved (--reload)`);
    const { app } = this.#settings;
    this.#dispatcher.setOutage((exchange) => answerBroken(exchange, app, message, traceback));
    this.#supervisor.prepareRestart([...this.#standard]);
  }

  /** Python itself has ended while the app was served. */
  #lost(detail: string): void {
    void this.#restart(`Python has ended (${detail})`);
  }

  #describeChanges(): string {
    const paths = [...this.#changed].map((path) => {
      const { chdir } = this.#settings;
      return path.startsWith(`${chdir}/`) ? path.slice(chdir.length + 1) : path;
    });
    this.#changed.clear();
    const named = paths.slice(0, NAMED_FILES).join(", ");
    return `${named}${paths.length > NAMED_FILES ? ` and ${paths.length - NAMED_FILES} more` : ""} changed`;
  }
}

/** The first part of the name under which `import` would find a file or folder. */
function moduleName(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name !== "__init__.py") return name.replace(/\.py$/, "");
  const folder = path.slice(0, path.lastIndexOf("/"));
  return folder.slice(folder.lastIndexOf("/") + 1);
}
