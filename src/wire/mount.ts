/** A path without the prefix under which its application is mounted. The route has made sure that the decoded path begins with it. */

/** `path` is percent-encoded, `mount` plain ASCII: each of its characters is one character of the path, or one %-sequence. */
export function belowMount(path: string, mount: string): string {
  if (path.startsWith(mount)) return path.slice(mount.length);
  let at = 0;
  for (let count = 0; count < mount.length; count++) at += path.charCodeAt(at) === PERCENT ? 3 : 1;
  return path.slice(at);
}

const PERCENT = 0x25;
