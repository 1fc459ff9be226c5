/**
 * The signals that gunicorn's users know. A second wish to stop means: now. What comes before the server serves is remembered and done then: a deployment
 * that has written new code and sends HUP must not be told nothing because the old code was still starting. WINCH is heard only without a controlling terminal, where it cannot mean
 * that somebody has made a window larger.
 */
import { closeSync, openSync } from "node:fs";
import type { Log } from "../telemetry/log.ts";

export interface SignalActions {
  /** HUP. */
  reload(): void;
  /** TTIN, TTOU: so many workers more. */
  scaleBy(difference: 1 | -1): void;
  /** USR1. */
  reopenLogs(): void;
  /** USR2. */
  upgrade(): void;
  /** WINCH: the workers leave, the listeners stay. */
  pause(): void;
}

export type StopWish = { readonly why: string; readonly isQuick: boolean; readonly isHandover?: boolean };

/** Those that mean more when they come more often. */
const SCALING: ReadonlySet<string> = new Set(["SIGTTIN", "SIGTTOU"]);

export class Signals {
  /** The first wish to stop, by a signal or by `requestStop`. */
  readonly stop: Promise<StopWish>;
  /** A second one while stopping. */
  readonly stopNow: Promise<StopWish>;
  readonly #log: Log;
  #actions: SignalActions | null = null;
  /** Heard before there were actions, in their order; one that would do the same again is left out. */
  readonly #early: { name: string; act: (actions: SignalActions) => void }[] = [];
  #wishes = 0;
  #first: (wish: StopWish) => void = () => {};
  #second: (wish: StopWish) => void = () => {};

  constructor(log: Log) {
    this.#log = log;
    this.stop = new Promise((resolve) => (this.#first = resolve));
    this.stopNow = new Promise((resolve) => (this.#second = resolve));
    process.on("SIGTERM", () => this.requestStop({ why: "signal SIGTERM", isQuick: false }));
    for (const name of ["SIGINT", "SIGQUIT"] as const)
      process.on(name, () => this.requestStop({ why: `signal ${name}`, isQuick: true }));
    this.#on("SIGHUP", (actions) => actions.reload());
    this.#on("SIGUSR1", (actions) => actions.reopenLogs());
    this.#on("SIGUSR2", (actions) => actions.upgrade());
    this.#on("SIGTTIN", (actions) => actions.scaleBy(1));
    this.#on("SIGTTOU", (actions) => actions.scaleBy(-1));
    if (!hasTerminal()) this.#on("SIGWINCH", (actions) => actions.pause());
  }

  /** What to do about the others, those included that have come already. */
  handle(actions: SignalActions): void {
    this.#actions = actions;
    for (const { name, act } of this.#early.splice(0)) {
      if (this.#wishes > 0) break;
      this.#log.info(`Signal ${name}, which came during the start`);
      act(actions);
    }
  }

  requestStop(wish: StopWish): void {
    if (this.#wishes++ === 0) this.#first(wish);
    else this.#second(wish);
  }

  #on(name: string, act: (actions: SignalActions) => void): void {
    // Node's types leave TTIN and TTOU out; the kernel and libuv know them.
    process.on(name as NodeJS.Signals, () => {
      if (this.#actions !== null) return act(this.#actions);
      this.#log.info(`Signal ${name} will be handled when the server has started`);
      if (SCALING.has(name) || !this.#early.some((one) => one.name === name)) this.#early.push({ name, act });
    });
  }
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
