/**
 * The files of the disk tier: one for each response, written beside its place and renamed into it, so that a file is whole or not there; what is
 * damaged nevertheless is found by its checksums.
 *
 *     <folder>/3f/3f09….response     .past: it was purged softly, and is past its time whatever it says     .part: being written
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { Clock } from "../clock.ts";
import { FolderOwner } from "./folder-owner.ts";
import { decodeHead, decodeRecord, encodeHead, encodeRecord, HEAD_BYTES, type Record } from "./disk-format.ts";

const FOLDERS = 256;
const NAME = /^[\da-f]{24}\.(?:response|past)$/;
const PART = /^[\da-f]{24}\.part$/;
/** A part file that nobody has written to for so long is a dead server's. */
const PART_MS = 60_000;
/** So often at most is tried to remove what could not be. */
const TRY_LEFT_MS = 10_000;

/** It is there, and is not what was written. */
export class DamagedFile extends Error {}

export interface FileOfResponse {
  readonly name: string;
  readonly bytes: number;
}

export class DiskFiles {
  readonly folder: string;
  readonly #clock: Clock;
  readonly #owner: FolderOwner;
  /** Wall clock minus monotonic clock. */
  readonly #offset: number;
  /** What is being renamed or removed, by its name. */
  readonly #changes = new Map<string, Promise<void>>();
  /** What could not be removed: what is not true any more must not be there at the next start. */
  readonly #left = new Set<string>();
  #triesAt = -Infinity;
  /** Hears why a file could not be removed. */
  onLeft: (error: Error) => void = () => {};

  /** `takesOver`: from an older server, which uses the folder until it has gone. Throws where it cannot be made or written, or is another server's. */
  constructor(folder: string, takesOver: boolean, clock: Clock) {
    this.folder = folder;
    this.#clock = clock;
    this.#offset = clock.wall() - clock.now();
    makeFolders(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    this.#owner = new FolderOwner(folder, takesOver);
  }

  /** Throws what the system says where it cannot be written. */
  async write(record: Record, body: Buffer): Promise<FileOfResponse> {
    const name = `${randomBytes(12).toString("hex")}.response`;
    const path = this.#path(name);
    const part = path.replace(/response$/, "part");
    const terms = encodeRecord(record, this.#offset);
    const head = encodeHead({
      termsLength: terms.length,
      termsCheck: crc32(terms),
      bodyLength: body.length,
      bodyCheck: crc32(body),
    });
    const pieces = [head, terms, body];
    try {
      await writeFile(part, pieces, { mode: 0o600 }).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        await this.#makeFolder(name.slice(0, 2));
        await writeFile(part, pieces, { mode: 0o600 });
      });
      await rename(part, path);
    } catch (error) {
      await unlink(part).catch(() => {});
      throw error;
    }
    if (this.#left.size > 0 && this.#clock.now() >= this.#triesAt) this.#tryLeft();
    return { name, bytes: HEAD_BYTES + terms.length + body.length };
  }

  /** Throws DamagedFile, or what the system says where it cannot be read. */
  async read(name: string): Promise<{ readonly record: Record; readonly body: Buffer }> {
    await this.#changes.get(name);
    const bytes = await readFile(this.#path(name));
    const head = decodeHead(bytes);
    const bodyAt = HEAD_BYTES + (head?.termsLength ?? 0);
    const terms = bytes.subarray(HEAD_BYTES, bodyAt);
    const body = bytes.subarray(bodyAt);
    if (head === null || body.length !== head.bodyLength) throw new DamagedFile("it is cut short");
    if (crc32(terms) !== head.termsCheck || crc32(body) !== head.bodyCheck) throw new DamagedFile("it is damaged");
    const record = decodeRecord(terms, this.#offset);
    if (record === null) throw new DamagedFile("it is another version's");
    return { record, body };
  }

  remove(name: string): void {
    void this.#change(name, async () => await unlink(this.#path(name)));
  }

  /** From now on it is past its time, also for the next server. Returns its new name. */
  retire(name: string): string {
    const retired = name.replace(/response$/, "past");
    if (retired === name) return name;
    const renaming = this.#change(name, async () => await rename(this.#path(name), this.#path(retired)));
    this.#note(retired, renaming);
    return retired;
  }

  static isPast(name: string): boolean {
    return name.endsWith(".past");
  }

  /** What is being changed has been. */
  async settled(): Promise<void> {
    while (this.#changes.size > 0) await Promise.all(this.#changes.values());
  }

  /** Tries once more to remove what could not be. */
  async close(): Promise<void> {
    await this.settled();
    this.#tryLeft();
    await this.settled();
    this.#owner.leave();
  }

  /** The names of all files that are to stay, in no order. Throws where the folder cannot be read. */
  async *names(): AsyncGenerator<string> {
    for (let at = 0; at < FOLDERS; at++) {
      const folder = join(this.folder, at.toString(16).padStart(2, "0"));
      const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      for (const file of files) {
        if (PART.test(file)) await this.#removeOld(join(folder, file));
        else if (NAME.test(file) && !this.#changes.has(file) && !this.#left.has(file)) yield file;
      }
    }
  }

  /** What a file is about; null where it is damaged, or not ours. Throws what the system says where it cannot be read. */
  async recordOf(name: string): Promise<{ readonly record: Record; readonly bytes: number } | null> {
    const handle = await open(this.#path(name));
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      const head = decodeHead(buffer.subarray(0, bytesRead));
      if (head === null) return null;
      const { size } = await handle.stat();
      if (size !== HEAD_BYTES + head.termsLength + head.bodyLength) return null;
      const terms = Buffer.alloc(head.termsLength);
      await handle.read(terms, 0, terms.length, HEAD_BYTES);
      if (crc32(terms) !== head.termsCheck) return null;
      const record = decodeRecord(terms, this.#offset);
      return record === null ? null : { record, bytes: size };
    } finally {
      await handle.close();
    }
  }

  // Private

  async #makeFolder(name: string): Promise<void> {
    await mkdir(join(this.folder, name), { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return;
      // Only where all of it is gone: what else is wrong the recursive form tells wrongly.
      if (error.code !== "ENOENT") throw error;
      await mkdir(join(this.folder, name), { mode: 0o700, recursive: true });
    });
  }

  #tryLeft(): void {
    this.#triesAt = this.#clock.now() + TRY_LEFT_MS;
    for (const left of this.#left) this.remove(left);
  }

  #path(name: string): string {
    return join(this.folder, name.slice(0, 2), name);
  }

  /** After what is being done to it already. */
  #change(name: string, change: () => Promise<void>): Promise<void> {
    const before = this.#changes.get(name);
    const done = (before === undefined ? change() : before.then(change)).then(
      () => void this.#left.delete(name),
      (error: NodeJS.ErrnoException) => {
        // Another server of a handover, or an operator, has removed it.
        if (error.code === "ENOENT") return void this.#left.delete(name);
        this.#left.add(name);
        this.onLeft(error);
      },
    );
    this.#note(name, done);
    return done;
  }

  #note(name: string, change: Promise<void>): void {
    this.#changes.set(name, change);
    void change.then(() => {
      if (this.#changes.get(name) === change) this.#changes.delete(name);
    });
  }

  async #removeOld(path: string): Promise<void> {
    const stats = await stat(path).catch(() => null);
    if (stats !== null && this.#clock.wall() - stats.mtimeMs > PART_MS) await unlink(path).catch(() => {});
  }
}

// Private

/** As `recursive` does, which does not end below /proc. */
function makeFolders(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolders(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}
