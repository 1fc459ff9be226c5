/** What went wrong under load, counted by kind: a figure that was measured over failures is not a figure. */
import type { Answer } from "./connection.ts";

export class Faults {
  readonly #counts = new Map<string, number>();

  /** Counts the answer if it is not a 2xx response. */
  judge(answer: Answer): void {
    if (answer.type === "failed") this.add(`socket error: ${answer.reason}`);
    else if (answer.status < 200 || answer.status > 299) this.add(`status ${answer.status}`);
  }

  add(kind: string, count = 1): void {
    if (count > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  get list(): readonly string[] {
    return [...this.#counts].map(([kind, count]) => `${count} x ${kind}`);
  }
}
