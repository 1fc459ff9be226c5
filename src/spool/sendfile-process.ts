/**
 * The process that sends large files with sendfile(2), which Node cannot call (python/maitred/sendfile.py says how it is spoken with). It is lent a
 * client's socket for one part of a file: the bytes go from the page cache to the client, and neither through this process nor through a worker.
 *
 * It is started by the first file that is large enough, which is sent the ordinary way meanwhile; and nothing depends on it: where it cannot do what
 * is asked, what is left of the file is sent from here.
 */
import { type ChildProcess, type SendHandle, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { ownPath } from "../own-files.ts";
import type { FilePart } from "../http/exchange.ts";
import type { Loan } from "../streams/byte-stream.ts";

/** Lending a socket and getting it back costs as much as copying so many bytes. */
export const LEND_BYTES = 2_097_152;

const PROGRAM = ownPath("python/maitred/sendfile.py");
/** After it has ended without being asked to, files are sent without it for so long; twice as long each time that it has not helped meanwhile. */
const PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** What the process says, one of these; a part is named by its number. */
interface Message {
  readonly ready?: 1;
  readonly taken?: number;
  readonly moved?: readonly (readonly [part: number, bytes: number])[];
  readonly returned?: number;
  readonly bytes?: number;
}

export class SendfileProcess {
  readonly #python: string;
  readonly #warn: (message: string) => void;
  readonly #now: () => number;
  /** What it has, and what waits to be handed over, by number. */
  readonly #parts = new Map<number, LentPart>();
  /**
   * Node hands over one socket at a time and keeps others, which may be closed meanwhile, in a queue of its own: so they wait here. The first one is on
   * its way.
   */
  readonly #handingOver: LentPart[] = [];
  #child: ChildProcess | null = null;
  #isReady = false;
  #isClosed = false;
  #lastNumber = 0;
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

  /** Whether it takes sockets now. Starts it where it does not run yet: who asks next will find it ready. */
  prepare(): boolean {
    if (!this.#isReady) this.#start();
    return this.#isReady;
  }

  /**
   * Lends it, when it is ready, the socket with this handle, for this part of an open file.
   * @param returned called once, later: the socket is no longer lent. So many bytes have been written to it; -1: nobody knows how many.
   */
  lend(handle: object, part: FilePart, returned: (bytes: number) => void): Loan {
    const lent = new LentPart(++this.#lastNumber, handle as SendHandle, part, returned, () => this.#stop(lent));
    this.#parts.set(lent.number, lent);
    if (this.#handingOver.push(lent) === 1) this.#handOver();
    return lent;
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
    // It could not be started; whatever else goes wrong ends it.
    child.on("error", (error) => child.pid === undefined && this.#ended(error.message));
    child.on("exit", (code, signal) => this.#ended(signal === null ? `exit code ${code}` : `killed by ${signal}`));
  }

  #receive({ ready, taken, moved, returned, bytes = 0 }: Message): void {
    if (ready !== undefined) this.#isReady = true;
    else if (taken !== undefined) {
      if (this.#handingOver[0]?.number === taken) this.#handingOver.shift();
      this.#handOver();
    } else if (returned !== undefined) this.#returned(returned, bytes);
    else for (const [number, count] of moved ?? []) this.#parts.get(number)?.move(count);
  }

  #handOver(): void {
    const next = this.#handingOver[0];
    if (next === undefined || this.#child === null) return;
    const { number, handle, part } = next;
    const message = { lend: number, fd: part.descriptor, start: part.start, length: part.length };
    // Without the process nothing is sent, and its end is told.
    this.#child.send(message, handle, (error) => error instanceof Error && this.#child?.kill("SIGKILL"));
  }

  #stop(lent: LentPart): void {
    const at = this.#handingOver.indexOf(lent);
    if (at <= 0) return void this.#child?.send({ stop: lent.number }, () => {});
    // Its handle is being closed: it must not be handed over.
    this.#handingOver.splice(at, 1);
    queueMicrotask(() => this.#returned(lent.number, 0));
  }

  #returned(number: number, bytes: number): void {
    const lent = this.#parts.get(number);
    if (lent === undefined) return;
    this.#parts.delete(number);
    this.#pauseMs = PAUSE_MS;
    lent.returned(bytes);
  }

  #ended(detail: string): void {
    if (this.#child === null) return;
    const parts = [...this.#parts.values()];
    this.#parts.clear();
    this.#handingOver.length = 0;
    this.#child = null;
    this.#isReady = false;
    this.#notBefore = this.#now() + this.#pauseMs;
    if (!this.#isClosed) {
      const [count, verb] = parts.length === 1 ? ["1 response", "is"] : [`${parts.length} responses`, "are"];
      const cut = parts.length === 0 ? "" : `; ${count} that it was sending ${verb} cut`;
      const pause = `${this.#pauseMs / 1000} s`;
      this.#warn(`The process for sendfile(2) has ended (${detail})${cut}. Files are sent without it for ${pause}`);
    }
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    for (const lent of parts) lent.returned(-1);
  }
}

class LentPart implements Loan {
  readonly number: number;
  readonly handle: SendHandle;
  readonly part: FilePart;
  readonly returned: (bytes: number) => void;
  readonly stop: () => void;
  left: number;

  constructor(number: number, handle: SendHandle, part: FilePart, returned: (bytes: number) => void, stop: () => void) {
    this.number = number;
    this.handle = handle;
    this.part = part;
    this.returned = returned;
    this.stop = stop;
    this.left = part.length;
  }

  /** So many of its bytes have been written. */
  move(bytes: number): void {
    this.left = this.part.length - bytes;
  }
}
