/**
 * Generations of workers: starts the first, replaces it by a new one on reload when that is ready (and keeps the old one when the new code cannot
 * start), starts again when Python itself is lost, and ends them all.
 */
import type { Socket } from "node:net";
import type { Log } from "../telemetry/log.ts";
import { Generation } from "./generation.ts";
import type { GenerationContext, GenerationOwner, GenerationSettings } from "./generation-settings.ts";
import { atWork, reportWorker, type WorkerReport } from "./report.ts";
import { type Greeting, PrivateSocket } from "./private-socket.ts";
import { RestartPolicy } from "./restart-policy.ts";
import { SpareZygote } from "./spare-zygote.ts";
import type { Worker } from "./worker.ts";
import { type LoadFailure, Zygote, type ZygoteHandler } from "./zygote.ts";

/** Everything about the workers but what the supervisor adds itself: the private door. */
export type SupervisorSettings = Omit<GenerationSettings, "spawn"> & {
  /** New workers that are not ready by then have failed, and the old ones stay; 0 = no limit. */
  readonly reloadTimeoutMs: number;
  readonly python: string;
  readonly chdir: string;
  readonly environ: Readonly<Record<string, string>>;
  readonly start: Readonly<Record<string, unknown>>;
  /** How many where Python has no GIL. */
  readonly withoutGil: { readonly workers: number; readonly threads: number };
};

/** How a reload ended. */
export type ReloadOutcome =
  /** `notice`: what else there is to tell. */
  | { readonly type: "done"; readonly workers: number; readonly notice?: string }
  | { readonly type: "failed"; readonly message: string; readonly traceback: string };

export class Supervisor implements GenerationOwner {
  #settings: SupervisorSettings;
  readonly #context: GenerationContext;
  readonly #log: Log;
  readonly #door: PrivateSocket;
  readonly #generations = new Set<Generation>();
  readonly #policy = new RestartPolicy();
  readonly #spare = new SpareZygote((handler) => this.#spawn(handler));
  #current: Generation | null = null;
  /** Clock time since which the current one serves. */
  #servingSince = 0;
  #next: Generation | null = null;
  #count = 0;
  /** Workers asked for; 0 while paused. */
  #wanted: number;
  #reloaded: ((outcome: ReloadOutcome) => void) | null = null;
  /** Asked for while another reload was under way: the code may have changed since that began, so one more follows. */
  #following: { readonly outcome: Promise<ReloadOutcome>; start(): void } | null = null;
  #isStopping = false;
  #hasNoGil = false;
  /** Fewer processes than the plan says, because Python is free-threaded. */
  #isNarrowed = false;
  /** Warnings of workers that have been logged. */
  readonly #told = new Set<string>();
  #started: ((failure: LoadFailure | null) => void) | null = null;
  readonly #whenEnded: (() => void)[] = [];

  constructor(settings: SupervisorSettings, context: GenerationContext) {
    this.#settings = settings;
    this.#wanted = settings.workers;
    this.#context = context;
    this.#log = context.log;
    this.#door = new PrivateSocket((greeting, socket) => this.#connected(greeting, socket));
  }

  /** Set in development, where whoever restarts decides what follows a failure; told when Python itself is lost. */
  onLost: ((detail: string) => void) | null = null;

  /** What the app speaks; null before the first worker is ready. */
  get interface(): "wsgi" | "asgi" | null {
    return this.#current?.interface ?? null;
  }

  /** Starts the first generation. Resolves with null when all workers are ready, else with why not. */
  async start(): Promise<LoadFailure | null> {
    await this.open();
    this.#next = this.#begin();
    return await new Promise((resolve) => (this.#started = resolve));
  }

  /** Opens the private door; the first thing to do. */
  async open(): Promise<void> {
    await this.#door.listen();
  }

  /** Threads run at the same time, and the application uses them. */
  get isFreeThreaded(): boolean {
    return this.#hasNoGil && this.interface !== "asgi";
  }

  get wanted(): number {
    return this.#wanted;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Workers that take requests. */
  get serving(): number {
    return this.#current?.serving ?? 0;
  }

  /** Those of the generation that serves. */
  get workers(): Iterable<Worker> {
    return this.#current?.workers ?? [];
  }

  get isCrashLooping(): boolean {
    return this.#current?.isCrashLooping ?? false;
  }

  /** The interpreter, as "cpython 3.12.1". */
  get python(): string {
    return this.#current?.python ?? "";
  }

  /** What the next generation is made from; a changed number of workers counts from then on. Returns the way back. */
  reconfigure(settings: SupervisorSettings): () => void {
    const [before, wanted] = [this.#settings, this.#wanted];
    this.#settings = settings;
    if (settings.workers !== before.workers && wanted > 0) this.#wanted = settings.workers;
    const changed = this.#wanted;
    return () => {
      this.#settings = before;
      if (this.#wanted === changed) this.#wanted = wanted;
    };
  }

  /** A new generation from the code as it is now. The old one serves until it is ready. */
  reload(): Promise<ReloadOutcome> {
    if (this.#isStopping || (this.#current === null && this.#next === null))
      return refusedReload("the server is starting or stopping");
    if (this.#next !== null) {
      this.#log.info("Reload: one is under way; another follows it");
      return (this.#following ??= following(() => this.reload())).outcome;
    }
    this.#log.info("Reload: starting new workers; the old ones serve until these are ready");
    if (this.#wanted === 0) this.#wanted = this.#settings.workers;
    return this.#renew();
  }

  /** For development: the workers leave now, a start under way is given up, and requests wait. */
  hold(): void {
    const [old, next] = [this.#current, this.#next];
    this.#current = null;
    this.#next = null;
    old?.retire({ type: "reload" });
    if (next === null) return;
    next.kill();
    this.#tellReloaded({ type: "failed", message: "given up for a newer start", traceback: "" });
  }

  /** For development: new workers in place of the old ones, which have left by then. */
  restart(): Promise<ReloadOutcome> {
    this.hold();
    return this.#isStopping ? refusedReload("the server is stopping") : this.#renew();
  }

  /** For development: has a Python ready for the next restart, which has imported these modules of the standard library. */
  prepareRestart(warm: readonly string[]): void {
    if (!this.#isStopping) this.#spare.prepare(warm);
  }

  /** For development: the next restart begins with a Python that knows nothing yet. */
  forgetPrepared(): void {
    this.#spare.discard();
  }

  /** For development: each worker tells which files its modules came from. */
  askModules(): void {
    for (const worker of this.#current?.workers ?? []) worker.askModules();
  }

  /** Has this many workers from now on, after a reload too; `why` is for the log. 0 pauses: requests wait in the queue. */
  scale(workers: number, why = ""): void {
    if (this.#isStopping) return;
    this.#log.info(
      workers === 0
        ? "Pausing: the workers leave, requests wait in the queue; HUP, TTIN or maitred scale N starts workers again"
        : `Scaling from ${this.#wanted} to ${workers} workers${why === "" ? "" : `: ${why}`}`,
    );
    this.#wanted = workers;
    this.#next?.scale(workers);
    this.#current?.scale(workers);
  }

  report(): WorkerReport[] {
    const now = this.#context.clock.now();
    return [...this.#generations].flatMap((generation) =>
      [...generation.workers].map((worker) => reportWorker(worker, generation.number, now)),
    );
  }

  /** Pids of the processes that fork the workers. */
  get zygotes(): number[] {
    return [...this.#generations].map(({ zygotePid }) => zygotePid);
  }

  /** The stacks of one worker, by its number or pid, or (null) of all; empty where there is no such worker. */
  async stacks(which: number | null): Promise<{ name: string; text: string }[]> {
    const asked: Promise<{ name: string; text: string }>[] = [];
    for (const generation of this.#generations) {
      for (const worker of generation.workers) {
        if (which !== null && worker.number !== which && worker.pid !== which) continue;
        const text = worker.stacks(() => generation.askStacks(worker));
        asked.push(text.then((text) => ({ name: worker.name, text })));
      }
    }
    return await Promise.all(asked);
  }

  /** A line for each request at work. */
  atWork(): string[] {
    return [...this.#generations].flatMap((generation) =>
      [...generation.workers].flatMap((worker) => atWork(worker, false)),
    );
  }

  /** Time is up: event loops cancel what still runs, and go on to their lifespan shutdown. */
  hurry(): void {
    for (const generation of this.#generations) for (const worker of generation.workers) worker.hurry();
  }

  /** Lets the workers finish and go. Resolves when every process is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#spare.discard();
    for (const generation of this.#generations) generation.retire({ type: "stopping" });
    if (this.#generations.size > 0) await new Promise<void>((resolve) => this.#whenEnded.push(resolve));
    this.#door.close();
  }

  /** Ends every process now; returns what was at work. */
  kill(): string[] {
    this.#isStopping = true;
    this.#spare.discard();
    return [...this.#generations].flatMap((generation) => generation.kill());
  }

  /** Threads that run at the same time do what processes would, unless the operator said how many of those. */
  onFreeThreaded(generation: Generation): void {
    const { workers, withoutGil } = this.#settings;
    this.#hasNoGil = true;
    if (withoutGil.workers >= workers || this.#wanted !== workers || this.interface === "asgi") return;
    this.#isNarrowed = true;
    this.#wanted = withoutGil.workers;
    this.#log.info(
      `Python is free-threaded: one process with ${withoutGil.threads} threads instead of ${workers} processes (--workers and --threads say otherwise)`,
    );
    generation.scale(this.#wanted);
  }

  onWarning(warning: string): void {
    if (this.#told.has(warning)) return;
    this.#told.add(warning);
    this.#log.warning(warning);
  }

  onReady(generation: Generation): void {
    if (this.#next === generation) this.#next = null;
    const old = this.#current;
    this.#current = generation;
    this.#servingSince = this.#context.clock.now();
    generation.promote();
    if (old !== null) {
      this.#log.info(`Reload: ${generation.serving} new workers serve; the old ones finish what they have`);
      old.retire({ type: "reload" });
    }
    this.#widen(generation);
    this.#tellReloaded({ type: "done", workers: generation.serving });
    this.#started?.(null);
    this.#started = null;
  }

  onFailed(generation: Generation, failure: LoadFailure): void {
    this.#forget(generation);
    if (this.#next === generation) this.#next = null;
    if (this.#started !== null) {
      this.#started(failure);
      this.#started = null;
      return;
    }
    const outcome: ReloadOutcome = { type: "failed", message: failure.message, traceback: failure.traceback };
    if (this.#isStopping || this.onLost !== null) return this.#tellReloaded(outcome);
    if (failure.traceback !== "") this.#log.error(failure.traceback.trimEnd());
    if (this.#current !== null) {
      this.#log.error(`Reload failed, the old workers go on serving: ${failure.message}`);
      return this.#tellReloaded(outcome);
    }
    this.#tellReloaded(outcome);
    this.#again(0, failure.message);
  }

  onEnded(generation: Generation, detail: string): void {
    this.#forget(generation);
    if (this.#next === generation) {
      this.#next = null;
      this.#tellReloaded({ type: "failed", message: "the server is stopping", traceback: "" });
    }
    if (this.#current !== generation) return;
    this.#current = null;
    if (!this.#isStopping && this.#next === null) this.#again(this.#context.clock.now() - this.#servingSince, detail);
  }

  #renew(): Promise<ReloadOutcome> {
    const generation = this.#begin();
    this.#next = generation;
    const { reloadTimeoutMs } = this.#settings;
    if (reloadTimeoutMs > 0) this.#context.clock.after(reloadTimeoutMs, () => void this.#giveUp(generation));
    return new Promise((resolve) => (this.#reloaded = resolve));
  }

  /** It takes too long to start: say where it is, and go on with the old one. */
  async #giveUp(generation: Generation): Promise<void> {
    if (this.#next !== generation) return;
    const stacks = [...generation.workers].map(async (worker) => {
      const text = await worker.stacks(() => generation.askStacks(worker));
      return `Python stacks of ${worker.name}:\n${text}`;
    });
    const traceback = (await Promise.all(stacks)).join("\n");
    const seconds = this.#settings.reloadTimeoutMs / 1000;
    generation.fail({ exitCode: 3, message: `not ready within ${seconds} s (--reload-timeout)`, traceback });
  }

  #tellReloaded(outcome: ReloadOutcome): void {
    this.#reloaded?.(outcome);
    this.#reloaded = null;
    this.#following?.start();
    this.#following = null;
  }

  /** Python itself is lost (somebody killed the zygote): begin again, ever later while it keeps failing. */
  #again(livedMs: number, detail: string): void {
    if (this.onLost !== null) return this.onLost(detail);
    const { delayMs } = this.#policy.died(livedMs);
    this.#log.critical(
      `The Python zygote ended unexpectedly (${detail}); starting again${delayMs > 0 ? ` in ${delayMs / 1000} s` : ""}`,
    );
    this.#context.clock.after(delayMs, () => {
      if (!this.#isStopping && this.#next === null && this.#current === null) this.#next = this.#begin();
    });
  }

  #begin(): Generation {
    const spawn = (handler: ZygoteHandler): Zygote => this.#spare.take(handler) ?? this.#spawn(handler);
    const { withoutGil: _, ...settings } = this.#settings;
    const generation = new Generation(
      ++this.#count,
      { ...settings, workers: Math.max(1, this.#wanted), spawn },
      this.#context,
      this,
    );
    this.#generations.add(generation);
    return generation;
  }

  #spawn(handler: ZygoteHandler): Zygote {
    const { python, chdir, environ, start } = this.#settings;
    const door = { token: this.#door.token, address: this.#door.address, abstract: this.#door.isAbstract };
    return new Zygote({ python, chdir, environ, start: { ...start, ...door } }, handler);
  }

  /** What came up turned out to be an event loop, which uses one thread whatever Python can do: processes, then. */
  #widen(generation: Generation): void {
    if (!this.#isNarrowed || generation.interface !== "asgi") return;
    this.#isNarrowed = false;
    if (this.#wanted !== this.#settings.withoutGil.workers) return;
    this.#wanted = this.#settings.workers;
    this.#log.info(`The application is ASGI, an event loop in each process: ${this.#wanted} of them after all`);
    generation.scale(this.#wanted);
  }

  #forget(generation: Generation): void {
    this.#generations.delete(generation);
    if (this.#generations.size === 0) for (const ended of this.#whenEnded.splice(0)) ended();
  }

  #connected(greeting: Greeting, socket: Socket): void {
    for (const generation of this.#generations) if (generation.connected(greeting, socket)) return;
    socket.destroy();
  }
}

function following(reload: () => Promise<ReloadOutcome>): {
  readonly outcome: Promise<ReloadOutcome>;
  start(): void;
} {
  let resolve: (outcome: Promise<ReloadOutcome>) => void = () => {};
  const outcome = new Promise<ReloadOutcome>((settle) => (resolve = settle));
  return { outcome, start: () => resolve(reload()) };
}

function refusedReload(message: string): Promise<ReloadOutcome> {
  return Promise.resolve({ type: "failed", message, traceback: "" });
}
