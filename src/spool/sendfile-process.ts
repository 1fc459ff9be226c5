/**
 * The process that sends large files with sendfile(2), which Node cannot call (python/maitred/sendfile.py says how it is spoken with). It is lent a
 * client's socket for one part of a file: the bytes go from the page cache to the client, and neither through this process nor through a worker.
 *
 * It is started by the first file that is large enough, which is sent the ordinary way meanwhile; and nothing depends on it: where it cannot do what
 * is asked, what is left of the file is sent from here.
 */
import { type ChildProcess, type SendHandle, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { FilePart } from "../http/exchange.ts";
import type { Loan } from "../streams/byte-stream.ts";

/** Lending a socket and getting it back costs as much as copying so many bytes. */
export const LEND_BYTES = 1_048_576;

const PROGRAM = fileURLToPath(new URL("../../python/maitred/sendfile.py", import.meta.url));
/** After it has ended without being asked to, files are sent without it for so long; twice as long each time that it has not helped meanwhile. */
const PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** What the process says, one of three. */
interface Message {
  readonly ready?: true;
  readonly moved?: readonly (readonly [id: number, bytes: number])[];
  readonly returned?: number;
  readonly bytes?: number;
}

export class SendfileProcess {
  readonly #python: string;
  readonly #warn: (message: string) => void;
  readonly #now: () => number;
  readonly #loans = new Map<number, SocketLoan>();
  #child: ChildProcess | null = null;
  #isReady = false;
  #isClosed = false;
  #lastId = 0;
  #notBefore = 0;
  #pauseMs = PAUSE_MS;

  /** `warn` gets a sentence for the operator; `now` is the clock's time in milliseconds. */
  constructor(python: string, warn: (message: string) => void, now: () => number) {
    this.#python = python;
    this.#warn = warn;
    this.#now = now;
    // Its way to the file leads through /proc.
    if (process.platform !== "linux" || !existsSync("/proc/self/fd")) this.#isClosed = true;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /**
   * Lends it the socket with this handle, for this part of an open file.
   * @param returned called once, later: the socket is no longer lent. `sent` bytes of the part have been written to it; -1: nobody knows how many.
   * @returns null where it cannot take it now.
   */
  lend(handle: object, { descriptor, start, length }: FilePart, returned: (sent: number) => void): Loan | null {
    if (!this.#isReady) {
      this.#start();
      return null;
    }
    const id = ++this.#lastId;
    const loan = new SocketLoan(length, returned, () => this.#child?.send({ stop: id }));
    this.#loans.set(id, loan);
    this.#child!.send({ lend: id, fd: descriptor, start, length }, handle as SendHandle);
    return loan;
  }

  /** Ends it. */
  close(): void {
    this.#isClosed = true;
    if (this.#child?.connected === true) this.#child.disconnect();
  }

  // Private

  #start(): void {
    if (this.#child !== null || this.#isClosed || this.#now() < this.#notBefore) return;
    const child = spawn(this.#python, ["-I", "-S", PROGRAM, String(process.pid)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child = child;
    child.unref();
    child.channel?.unref();
    child.on("message", (message) => this.#receive(message as Message));
    child.on("error", (error) => this.#ended(error.message));
    child.on("exit", (code, signal) => this.#ended(signal === null ? `exit code ${code}` : `killed by ${signal}`));
  }

  #receive({ ready, moved = [], returned = 0, bytes = 0 }: Message): void {
    if (ready === true) this.#isReady = true;
    for (const [id, count] of moved) this.#loans.get(id)?.move(count);
    const loan = this.#loans.get(returned);
    if (loan === undefined) return;
    this.#loans.delete(returned);
    this.#pauseMs = PAUSE_MS;
    loan.returned(bytes);
  }

  #ended(detail: string): void {
    if (this.#child === null) return;
    const loans = [...this.#loans.values()];
    this.#loans.clear();
    this.#child = null;
    this.#isReady = false;
    this.#notBefore = this.#now() + this.#pauseMs;
    const pause = `${this.#pauseMs / 1000} s`;
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    if (!this.#isClosed) {
      const cut = loans.length === 0 ? "" : `; ${loans.length} responses that it was sending are cut`;
      this.#warn(`The process for sendfile(2) has ended (${detail})${cut}. Files are sent without it for ${pause}`);
    }
    for (const loan of loans) loan.returned(-1);
  }
}

class SocketLoan implements Loan {
  readonly #length: number;
  readonly returned: (sent: number) => void;
  readonly stop: () => void;
  left: number;

  constructor(length: number, returned: (sent: number) => void, stop: () => void) {
    this.#length = length;
    this.left = length;
    this.returned = returned;
    this.stop = stop;
  }

  move(sent: number): void {
    this.left = this.#length - sent;
  }
}
