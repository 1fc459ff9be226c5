/**
 * The signals that gunicorn's users know. A second wish to stop means: now. WINCH is heard only without a controlling terminal, where it cannot mean
 * that somebody has made a window larger.
 */
import { closeSync, openSync } from "node:fs";

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

export class Signals {
  /** The first wish to stop, by a signal or by `requestStop`. */
  readonly stop: Promise<StopWish>;
  /** A second one while stopping. */
  readonly stopNow: Promise<StopWish>;
  #actions: SignalActions | null = null;
  #wishes = 0;
  #first: (wish: StopWish) => void = () => {};
  #second: (wish: StopWish) => void = () => {};

  constructor() {
    this.stop = new Promise((resolve) => (this.#first = resolve));
    this.stopNow = new Promise((resolve) => (this.#second = resolve));
    process.on("SIGTERM", () => this.requestStop({ why: "signal SIGTERM", isQuick: false }));
    for (const name of ["SIGINT", "SIGQUIT"] as const)
      process.on(name, () => this.requestStop({ why: `signal ${name}`, isQuick: true }));
    process.on("SIGHUP", () => this.#actions?.reload());
    process.on("SIGUSR1", () => this.#actions?.reopenLogs());
    process.on("SIGUSR2", () => this.#actions?.upgrade());
    // Node's types leave these two out; the kernel and libuv know them.
    process.on("SIGTTIN" as NodeJS.Signals, () => this.#actions?.scaleBy(1));
    process.on("SIGTTOU" as NodeJS.Signals, () => this.#actions?.scaleBy(-1));
    if (!hasTerminal()) process.on("SIGWINCH", () => this.#actions?.pause());
  }

  /** What to do about the others; before this they are ignored. */
  handle(actions: SignalActions): void {
    this.#actions = actions;
  }

  requestStop(wish: StopWish): void {
    if (this.#wishes++ === 0) this.#first(wish);
    else this.#second(wish);
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
