/**
 * The Python stacks of one worker: faulthandler writes them to a connection of their own when the zygote signals the worker, from C, so that a held GIL
 * is no obstacle. The text has no end mark: a pause ends it.
 */
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import type { Clock, Timer } from "../clock.ts";

const PAUSE_MS = 150;
const PATIENCE_MS = 2000;
/** 100 threads of 100 frames, faulthandler's own bounds, are less. */
const MOST_CHARACTERS = 4 * 1024 * 1024;

export class StackReader {
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #timer: Timer | null = null;
  #asked: Promise<string | null> | null = null;
  #answer: ((text: string | null) => void) | null = null;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on("data", (chunk: Buffer) => {
      if (this.#answer === null) return; // the app raised the signal itself
      if (this.#text.length < MOST_CHARACTERS) this.#text += this.#decoder.write(chunk);
      this.#wait(PAUSE_MS);
    });
    socket.on("close", () => this.#finish());
  }

  /** The stacks of all threads, null where the process does not even take a signal. Who asks while another does gets the same. */
  read(signal: () => void): Promise<string | null> {
    if (this.#socket.destroyed) return Promise.resolve(null);
    if (this.#asked !== null) return this.#asked;
    this.#text = "";
    this.#asked = new Promise((resolve) => (this.#answer = resolve));
    this.#wait(PATIENCE_MS);
    signal();
    return this.#asked;
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(ms, () => this.#finish());
  }

  #finish(): void {
    this.#timer?.cancel();
    const answer = this.#answer;
    this.#answer = this.#asked = null;
    answer?.(this.#text === "" ? null : this.#text);
  }
}
