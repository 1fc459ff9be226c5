/** The thread that checks passwords: one at a time, so that a flood of wrong ones takes one core and delays nobody but logins. */
import { parentPort } from "node:worker_threads";
import { matchesHash } from "./password-hash.ts";

export interface Question {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

export interface Verdict {
  readonly id: number;
  readonly matches: boolean;
}

const port = parentPort;
port?.on("message", ({ id, password, hash }: Question) => {
  port.postMessage({ id, matches: matchesHash(password, hash) } satisfies Verdict);
});
