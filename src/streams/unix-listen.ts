/**
 * Listening on a Unix socket that has a file. The socket is bound under another name and renamed when it is ready: it appears with its mode, it replaces
 * what a killed server has left (or an older one that hands over to us) without a moment in which there is none, and closing it removes no successor's
 * file, as libuv does with the name it has bound.
 */
import { chmodSync, renameSync, statSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { basename, dirname, join } from "node:path";

/** sun_path has 108 bytes on Linux, the last one NUL. */
const LONGEST_PATH = 107;

/** What stands in the way of a socket. `message` ends the sentence "Cannot listen on unix:PATH: ". */
export class InTheWay extends Error {
  override name = "InTheWay";
}

/** Our socket file: `remove` takes it away unless somebody has put another in its place. */
export interface SocketFile {
  remove(): void;
}

/** `replaces` says that whoever answers there is meant to be replaced. Throws InTheWay, or what listen(2) says. */
export async function listenUnix(
  server: Server,
  path: string,
  options: { readonly mode: number; readonly backlog: number; readonly replaces: boolean },
): Promise<SocketFile> {
  await checkFree(path, options.replaces);
  const temporary = join(dirname(path), `.${basename(path).slice(0, 8)}.${process.pid}`);
  const isTooLong = Buffer.byteLength(temporary) > LONGEST_PATH;
  const bound = isTooLong ? path : temporary;
  if (isTooLong) unlinkQuietly(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: bound, backlog: options.backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  chmodSync(bound, options.mode);
  if (bound !== path) renameSync(bound, path);
  return socketFile(path);
}

/** The file that is there now. */
export function socketFile(path: string): SocketFile {
  const inode = inodeOf(path);
  return {
    remove: () => {
      if (inode !== null && inodeOf(path) === inode) unlinkQuietly(path);
    },
  };
}

// Private

/** A socket file that nobody answers at is left over from a killed server. */
async function checkFree(path: string, replaces: boolean): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = statSync(path).isSocket();
  } catch {
    return;
  }
  if (!isSocket) throw new InTheWay("a file that is not a socket is in the way");
  if (replaces) return;
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
  });
  if (answers) throw new InTheWay("another server answers there");
}

function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // there was none
  }
}
