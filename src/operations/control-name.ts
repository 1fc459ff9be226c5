/**
 * Abstract control sockets have names that tell whose they are, so that the commands find them without a file: "maitred-control-UID-PID". A name proves
 * nothing, anybody may take it: the client looks whether the process of that pid holds the socket, the server asks the kernel who connects.
 */

export interface NamedSocket {
  readonly name: string;
  readonly uid: number;
  readonly pid: number;
  readonly inode: string;
}

export function controlName(uid: number, pid: number): string {
  return `maitred-control-${uid}-${pid}`;
}

/** The listening control sockets in the text of /proc/net/unix (proc(5)): Num RefCount Protocol Flags Type St Inode Path. */
export function controlSockets(procNetUnix: string): NamedSocket[] {
  const found: NamedSocket[] = [];
  for (const line of procNetUnix.split("\n")) {
    // 00010000 is __SO_ACCEPTCON: it listens. Accepted connections carry the same name.
    const match = /^\S+ \S+ \S+ 00010000 \S+ \S+ +(\d+) @(maitred-control-(\d+)-(\d+))$/.exec(line);
    if (match === null) continue;
    const [, inode = "", name = "", uid, pid] = match;
    found.push({ name, uid: Number(uid), pid: Number(pid), inode });
  }
  return found;
}
