/**
 * The Python stacks of one worker: faulthandler writes them to a connection of their own when the zygote signals the worker, from C, so that a held GIL
 * is no obstacle. The text has no end mark: a pause ends it. Where nobody has asked, it is a fault: the last words of the worker, or of a process that
 * it has forked.
 */
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";
import type { Clock, Timer } from "../clock.ts";

const PAUSE_MS = 150;
const PATIENCE_MS = 2000;
/** 100 threads of 100 frames, faulthandler's own bounds, are less. */
const MOST_CHARACTERS = 4 * 1024 * 1024;
/** The app may have raised the signal itself before. */
const FAULT = "Fatal Python error";

export class StackReader {
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #timer: Timer | null = null;
  #asked: Promise<string | null> | null = null;
  #answer: ((text: string | null) => void) | null = null;
  #lastWords = "";

  constructor(socket: Socket, clock: Clock, onClosed: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on("data", (chunk: Buffer) => {
      if (this.#answer === null) {
        if (this.#lastWords.length < MOST_CHARACTERS) this.#lastWords += this.#decoder.write(chunk);
        return;
      }
      if (this.#text.length < MOST_CHARACTERS) this.#text += this.#decoder.write(chunk);
      this.#wait(PAUSE_MS);
    });
    socket.on("close", () => {
      this.#finish();
      onClosed();
    });
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** What faulthandler wrote when the worker died of a fault; empty where it did not. */
  get lastWords(): string {
    const at = this.#lastWords.lastIndexOf(FAULT);
    return at < 0 ? "" : this.#lastWords.slice(at);
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
