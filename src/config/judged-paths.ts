/** Whether the files and folders that were asked for can be used: those that the configuration file names, and those of settings. */
import type { Configuration } from "./file/read-configuration.ts";
import { pageType } from "./error-pages.ts";
import type { HostFacts } from "./host-facts.ts";
import { mistakenText } from "./origin.ts";
import { absolutePath } from "./paths.ts";
import type { Resolved } from "./resolve.ts";
import type { Setting } from "./setting.ts";
import { spoolDir } from "./settings/buffering.ts";
import { cacheDisk } from "./settings/cache.ts";
import { accel, sendfileRoots } from "./settings/files.ts";
import { accessLogfile, errorLog } from "./settings/logging.ts";
import { pidFile } from "./settings/process.ts";
import { readUsers } from "./user-file.ts";

export interface Judgement {
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

/** Of the configuration file. `chdir` is null where it is no folder: what is seen from there cannot be judged. */
export function judgedPaths(file: Configuration, chdir: string | null, host: HostFacts): Judgement {
  const mistakes: string[] = [];
  const notices: string[] = [];
  for (const { at, key, path, kind } of file.paths) {
    if (chdir === null && !path.startsWith("/")) continue;
    const full = absolutePath(chdir ?? "/", path);
    const place = `${file.where(at)}: ${key}`;
    const why = whyNot(kind, full, host);
    if (why !== null) mistakes.push(`${place}: ${why}`);
    else if (kind === "users") {
      const { problems, remarks } = readUsers(host.textOf(full) ?? "", full);
      mistakes.push(...problems.map((problem) => `${place}: ${problem}`));
      notices.push(...remarks.map((remark) => `${place}: ${remark}`));
    } else if (kind === "sent" && !host.isDirectory(full)) notices.push(`${place}: ${notYet(full)}`);
  }
  return { mistakes, notices };
}

/** Of settings: what is written to, and what the app may send. */
export function judgedSettings(resolved: Resolved, chdir: string, host: HostFacts): Judgement {
  const mistakes: string[] = [];
  const notices: string[] = [];
  const judge = <T>(setting: Setting<T>, pathsOf: (value: T) => readonly string[], whyNot: WhyNot): void => {
    const { value, origin } = resolved.get(setting);
    if (origin.type === "default") return;
    for (const path of pathsOf(value)) {
      const full = absolutePath(chdir, path);
      const why = whyNot(full);
      if (why !== null) mistakes.push(`${mistakenText(origin)}: ${why}`);
    }
  };
  const one = (path: string | null): readonly string[] => (path === null || path === "-" ? [] : [path]);
  const sent: WhyNot = (path) => {
    const why = whyNot("sent", path, host);
    if (why === null && !host.isDirectory(path)) notices.push(notYet(path));
    return why;
  };
  judge(accel, (folders) => folders.map(({ root }) => root), sent);
  judge(sendfileRoots, (folders) => folders, sent);
  judge(spoolDir, one, (path) => host.trouble(path, "fill"));
  judge(cacheDisk, one, (path) => host.trouble(path, "make"));
  for (const setting of [pidFile, accessLogfile, errorLog] as const)
    judge<string | null>(setting as Setting<string | null>, one, (path) => host.trouble(path, "write"));
  return { mistakes, notices };
}

// Private

type WhyNot = (path: string) => string | null;

function whyNot(kind: Configuration["paths"][number]["kind"], path: string, host: HostFacts): string | null {
  const isFolder = host.isDirectory(path);
  const isFile = host.isFile(path);
  switch (kind) {
    case "sent":
      // An app may make it when it has the first file for it.
      return isFolder ? host.trouble(path, "read") : isFile ? `${path} is not a folder` : null;
    case "served":
      return isFolder || isFile ? host.trouble(path, "read") : `there is no folder ${path} to serve`;
    default:
      if (!isFile) return isFolder ? `${path} is a folder, but a file is wanted` : `there is no file ${path}`;
      if (kind === "page" && pageType(path) === undefined)
        return `${path} is of no known type: name it .html, .json, .txt or .xml`;
      return host.trouble(path, "read");
  }
}

function notYet(folder: string): string {
  return `there is no folder ${folder} yet: nothing can be sent from it`;
}
