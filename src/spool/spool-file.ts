/**
 * One body in a file: appended to in order, read from any place, gone when closed.
 *
 * Bytes are copied into blocks and written one block at a time, off the event loop. Bound: the writer looks at `unwritten` and holds back its
 * source; `onWritten` says when to let it go on. After an error nothing more is written, and `onError` has been called once.
 */
import { close, read, unlink, write } from "node:fs";

/** What the client of a body that could not be kept is told: 507 where there is no room, else 500. */
export type SpoolStatus = 507 | 500;

/** What a file needs of the folder it lies in. */
export interface SpoolRoom {
  readonly folder: string;
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  tell(kind: string, message: string): void;
  takeBlock(): Buffer;
  giveBlock(block: Buffer): void;
}

/** One write takes this much. */
export const BLOCK_BYTES = 524_288;

interface Block {
  readonly bytes: Buffer;
  length: number;
}

const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

export class SpoolFile {
  /** How another process of this user opens it. */
  readonly path: string;
  readonly #spool: SpoolRoom;
  readonly #fd: number;
  readonly #name: string | null;
  readonly #waiting: Block[] = [];
  #filling: Block | null = null;
  #isWriting = false;
  #isFlushing = false;
  #hasFailed = false;
  #reading = 0;
  #isClosed = false;
  /** Bytes given, and those of them that are in the file. */
  #given = 0;
  #written = 0;
  /** Room taken: the most the file has held. */
  #reserved = 0;
  onWritten: (() => void) | null = null;
  onError: ((status: SpoolStatus) => void) | null = null;

  constructor(spool: SpoolRoom, fd: number, path: string, name: string | null) {
    this.#spool = spool;
    this.#fd = fd;
    this.path = path;
    this.#name = name;
  }

  /** Bytes given so far. */
  get size(): number {
    return this.#given;
  }

  get written(): number {
    return this.#written;
  }

  /** Bytes that stand in memory. */
  get unwritten(): number {
    return this.#given - this.#written;
  }

  /** Adds a copy of these bytes. False where they do not fit (`--spool-max`): none of them is taken. */
  append(bytes: Buffer): boolean {
    if (this.#isClosed || this.#hasFailed) return true;
    const more = this.#given + bytes.length - this.#reserved;
    if (more > 0) {
      if (!this.#spool.reserve(more)) return false;
      this.#reserved += more;
    }
    this.#given += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const block = (this.#filling ??= { bytes: this.#spool.takeBlock(), length: 0 });
      const count = Math.min(bytes.length - at, BLOCK_BYTES - block.length);
      bytes.copy(block.bytes, block.length, at, at + count);
      block.length += count;
      at += count;
      if (block.length === BLOCK_BYTES) this.#full();
    }
    return true;
  }

  /** Writes also what does not fill a block, as soon as what is being written is. */
  flush(): void {
    this.#isFlushing = true;
    if (!this.#isWriting) this.#writeNext();
  }

  /** Reads what is written, from `position` on, into `target`; fewer bytes than asked for mean that there are no more yet. */
  read(target: Buffer, position: number, done: (bytes: number) => void): void {
    this.#reading++;
    read(this.#fd, target, 0, Math.min(target.length, this.#written - position), position, (error, count) => {
      this.#reading--;
      if (this.#isClosed) this.#closeNow();
      else if (error !== null) this.#fail(error);
      else done(count);
    });
  }

  /** Forgets all bytes, all of which are written: the next one goes to the beginning. */
  rewind(): void {
    // The room stays reserved: the file is not cut, since a write may already be on its way.
    this.#given = this.#written = 0;
  }

  /** The file is gone. What is under way ends first. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onWritten = this.onError = null;
    this.#closeNow();
  }

  #closeNow(): void {
    if (this.#isWriting || this.#reading > 0) return;
    this.#drop();
    this.#spool.release(this.#reserved);
    this.#reserved = 0;
    close(this.#fd, () => {});
    if (this.#name !== null) unlink(this.#name, () => {});
  }

  #drop(): void {
    for (const block of this.#waiting.splice(0)) this.#spool.giveBlock(block.bytes);
    if (this.#filling !== null) this.#spool.giveBlock(this.#filling.bytes);
    this.#filling = null;
  }

  #full(): void {
    this.#waiting.push(this.#filling!);
    this.#filling = null;
    if (!this.#isWriting) this.#writeNext();
  }

  #writeNext(): void {
    const block = this.#waiting.shift() ?? (this.#isFlushing ? this.#filling : null);
    if (block === null) return;
    if (block === this.#filling) this.#filling = null;
    this.#isFlushing &&= this.#filling !== null;
    this.#isWriting = true;
    this.#writeRest(block, 0);
  }

  #writeRest(block: Block, from: number): void {
    write(this.#fd, block.bytes, from, block.length - from, this.#written, (error, count) => {
      if (error === null && !this.#isClosed) {
        this.#written += count;
        if (from + count < block.length) return this.#writeRest(block, from + count);
      }
      this.#isWriting = false;
      this.#spool.giveBlock(block.bytes);
      if (this.#isClosed) return this.#closeNow();
      if (error !== null) return this.#fail(error);
      this.#writeNext();
      this.onWritten?.();
    });
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#drop();
    this.#spool.tell(
      error.code ?? "write",
      `A body could not be kept in ${this.#spool.folder} (--spool-dir): ${error.message}`,
    );
    this.onError?.(NO_ROOM.has(error.code ?? "") ? 507 : 500);
  }
}
