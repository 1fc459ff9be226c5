/** Folders and files as the operator names them, to absolute paths. Pure, so no node:path; Linux and macOS paths only. */

/** `path` seen from `folder`, without "." and ".." and doubled slashes. */
export function absolutePath(folder: string, path: string): string {
  const kept: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  return `/${kept.join("/")}`;
}
