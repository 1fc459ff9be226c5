/**
 * Generations of workers: starts the first, replaces it by a new one on reload when that is ready (and keeps the old one when the new code cannot
 * start), starts again when Python itself is lost, and ends them all.
 */
import type { Socket } from "node:net";
import type { Log } from "../telemetry/log.ts";
import { Generation, type GenerationContext, type GenerationOwner, type GenerationSettings } from "./generation.ts";
import { type Greeting, PrivateSocket } from "./private-socket.ts";
import { RestartPolicy } from "./restart-policy.ts";
import type { LoadFailure } from "./zygote.ts";

/** Everything about the workers but what the supervisor adds itself: the private door. */
export type SupervisorSettings = Omit<GenerationSettings, "zygote"> & {
  readonly python: string;
  readonly chdir: string;
  readonly environ: Readonly<Record<string, string>>;
  readonly start: Readonly<Record<string, unknown>>;
};

export class Supervisor implements GenerationOwner {
  readonly #settings: SupervisorSettings;
  readonly #context: GenerationContext;
  readonly #log: Log;
  readonly #door: PrivateSocket;
  readonly #generations = new Set<Generation>();
  readonly #policy = new RestartPolicy();
  #current: Generation | null = null;
  #next: Generation | null = null;
  #count = 0;
  #isStopping = false;
  #started: ((failure: LoadFailure | null) => void) | null = null;
  readonly #whenEnded: (() => void)[] = [];

  constructor(settings: SupervisorSettings, context: GenerationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#log = context.log;
    this.#door = new PrivateSocket((greeting, socket) => this.#connected(greeting, socket));
  }

  /** What the app speaks; null before the first worker is ready. */
  get interface(): "wsgi" | "asgi" | null {
    return this.#current?.interface ?? null;
  }

  /** Starts the first generation. Resolves with null when all workers are ready, else with why not. */
  async start(): Promise<LoadFailure | null> {
    await this.#door.listen();
    this.#next = this.#begin();
    return await new Promise((resolve) => (this.#started = resolve));
  }

  /** A new generation from the code as it is now. The old one serves until it is ready. */
  reload(): void {
    if (this.#isStopping || this.#current === null) return;
    if (this.#next !== null) {
      this.#log.warning("Reload: another one is under way; this request is ignored");
      return;
    }
    this.#log.info("Reload: starting new workers; the old ones serve until these are ready");
    this.#next = this.#begin();
  }

  /** Lets the workers finish and go. Resolves when every process is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const generation of this.#generations) generation.retire({ type: "stopping" });
    if (this.#generations.size > 0) await new Promise<void>((resolve) => this.#whenEnded.push(resolve));
    this.#door.close();
  }

  /** Ends every process now; returns what was at work. */
  kill(): string[] {
    this.#isStopping = true;
    return [...this.#generations].flatMap((generation) => generation.kill());
  }

  onReady(generation: Generation): void {
    if (this.#next === generation) this.#next = null;
    const old = this.#current;
    this.#current = generation;
    generation.promote();
    if (old !== null) {
      this.#log.info(`Reload: ${generation.serving} new workers serve; the old ones finish what they have`);
      old.retire({ type: "reload" });
    }
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
    if (this.#isStopping) return;
    if (failure.traceback !== "") this.#log.error(failure.traceback.trimEnd());
    if (this.#current !== null) {
      this.#log.error(`Reload failed, the old workers go on serving: ${failure.message}`);
      return;
    }
    this.#again(0, failure.message);
  }

  onEnded(generation: Generation, detail: string): void {
    this.#forget(generation);
    if (this.#current !== generation) return;
    this.#current = null;
    if (!this.#isStopping && this.#next === null) this.#again(0, detail);
  }

  /** Python itself is lost (somebody killed the zygote): begin again, ever later while it keeps failing. */
  #again(livedMs: number, detail: string): void {
    const { delayMs } = this.#policy.died(livedMs);
    this.#log.critical(
      `The Python zygote ended unexpectedly (${detail}); starting again${delayMs > 0 ? ` in ${delayMs / 1000} s` : ""}`,
    );
    this.#context.clock.after(delayMs, () => {
      if (!this.#isStopping && this.#next === null && this.#current === null) this.#next = this.#begin();
    });
  }

  #begin(): Generation {
    const { python, chdir, environ, start, ...rest } = this.#settings;
    const door = { token: this.#door.token, address: this.#door.address, abstract: this.#door.isAbstract };
    const zygote = { python, chdir, environ, start: { ...start, ...door } };
    const generation = new Generation(++this.#count, { ...rest, zygote }, this.#context, this);
    this.#generations.add(generation);
    return generation;
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
