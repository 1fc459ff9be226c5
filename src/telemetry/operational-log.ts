/** The operational log in gunicorn's format: `[2026-11-21 01:31:28 +0000] [1234] [INFO] Listening at: ...`. Written at once: these lines matter when things die. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Clock } from "../clock.ts";
import type { Log } from "./log.ts";

type LogLevel = keyof Log;

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error", "critical"];

export class OperationalLog implements Log {
  readonly #path: string;
  #fd: number;
  readonly #least: number;
  readonly #clock: Clock;

  /** `path` "-" is stderr. Throws where a file cannot be opened. */
  constructor(path: string, level: LogLevel, clock: Clock) {
    this.#path = path;
    this.#fd = path === "-" ? 2 : openSync(path, "a", 0o644);
    this.#least = ORDER.indexOf(level);
    this.#clock = clock;
  }

  debug(line: string): void {
    this.#write("debug", line);
  }

  info(line: string): void {
    this.#write("info", line);
  }

  warning(line: string): void {
    this.#write("warning", line);
  }

  error(line: string): void {
    this.#write("error", line);
  }

  critical(line: string): void {
    this.#write("critical", line);
  }

  /** Opens the file anew (after logrotate). Throws where that is not possible, and goes on with the old one. */
  reopen(): void {
    if (this.#path === "-") return;
    const fd = openSync(this.#path, "a", 0o644);
    closeSync(this.#fd);
    this.#fd = fd;
  }

  #write(level: LogLevel, line: string): void {
    if (ORDER.indexOf(level) < this.#least) return;
    const stamp = timestamp(new Date(this.#clock.wall()));
    try {
      writeSync(this.#fd, `[${stamp}] [${process.pid}] [${level.toUpperCase()}] ${line}\n`);
    } catch {
      // Nowhere to say that there is nowhere to say it.
    }
  }
}

/** `2026-11-21 01:31:28 +0000` in local time. */
export function timestamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}
