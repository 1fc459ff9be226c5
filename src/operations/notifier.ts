/**
 * What systemd is told (sd_notify(3)): one datagram each, written to a descriptor that launch.py has connected. A service manager that does not listen
 * any more is no reason to stop serving.
 */
import { writeSync } from "node:fs";
import type { Clock } from "../clock.ts";

export class Notifier {
  readonly #fd: number | null;

  constructor(fd: number | null) {
    this.#fd = fd;
  }

  ready(status: string): void {
    this.#send(`READY=1\nSTATUS=${status}`);
  }

  /** Type=notify-reload needs the time, by CLOCK_MONOTONIC, which is what hrtime reads. */
  reloading(): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}\nSTATUS=Reloading`);
  }

  stopping(): void {
    this.#send("STOPPING=1\nSTATUS=Stopping");
  }

  status(text: string): void {
    this.#send(`STATUS=${text}`);
  }

  /** Another process is the service's main process from now on. */
  mainPid(pid: number): void {
    this.#send(`MAINPID=${pid}`);
  }

  /** Says that the event loop runs, twice in every span. */
  watch(spanMs: number, clock: Clock): void {
    if (this.#fd === null || spanMs <= 0) return;
    this.#send("WATCHDOG=1");
    clock.every(spanMs / 2, () => this.#send("WATCHDOG=1"));
  }

  #send(text: string): void {
    if (this.#fd === null) return;
    try {
      writeSync(this.#fd, text);
    } catch {
      // full or gone
    }
  }
}
