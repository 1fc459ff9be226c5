/** The Plan's part on --reload, from the rows of settings/reload.ts: which folders and files are watched. Pure. */
import type { HostFacts } from "./host-facts.ts";
import { originText } from "./origin.ts";
import type { Resolved } from "./resolve.ts";
import * as rows from "./settings/reload.ts";

export interface ReloadPlan {
  readonly engine: "auto" | "inotify" | "poll";
  /** Absolute, watched with all below. */
  readonly folders: readonly string[];
  /** Absolute paths or patterns, watched wherever they are. */
  readonly files: readonly string[];
  /** Patterns of the files that count in the folders; those to leave out. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Absolute. */
  readonly excludeFolders: readonly string[];
  readonly quietMs: number;
  readonly pollMs: number;
}

export interface ReloadAnswer {
  /** null without --reload. */
  readonly plan: ReloadPlan | null;
  readonly mistakes: readonly string[];
  readonly notices: readonly string[];
}

const QUIET_MS = 50;
const POLL_MS = 250;

/** `searched` are the folders that the application is searched in. */
export function reloadOf(
  resolved: Resolved,
  searched: readonly string[],
  fromChdir: (path: string) => string,
  host: Pick<HostFacts, "isDirectory">,
): ReloadAnswer {
  const dir = resolved.get(rows.reloadDir);
  const include = resolved.get(rows.reloadInclude);
  const exclude = resolved.get(rows.reloadExclude);
  const delay = resolved.get(rows.reloadDelay);
  const extra = resolved.get(rows.reloadExtraFile);
  const engine = resolved.get(rows.reloadEngine);
  if (!resolved.get(rows.reload).value) {
    const idle = [dir, include, exclude, extra, delay, engine].filter(({ origin }) => origin.type !== "default");
    return {
      plan: null,
      mistakes: [],
      notices: idle.map(({ origin }) => `${originText(origin)} has no effect without --reload`),
    };
  }
  const isFolder = (pattern: string): boolean => host.isDirectory(fromChdir(pattern));
  const included = include.value.flat();
  const excluded = exclude.value.flat();
  const asked = dir.value.flat().map(fromChdir);
  const missing = asked.filter((folder) => !host.isDirectory(folder));
  const folders = [...(asked.length > 0 ? asked : searched), ...included.filter(isFolder).map(fromChdir)];
  const delayMs = delay.value;
  return {
    plan: {
      engine: engine.value,
      folders: outermost(folders),
      files: extra.value.map(fromChdir),
      include: included.filter((pattern) => !isFolder(pattern)),
      exclude: excluded.filter((pattern) => !isFolder(pattern)),
      excludeFolders: excluded.filter(isFolder).map(fromChdir),
      quietMs: engine.value === "poll" ? QUIET_MS : (delayMs ?? QUIET_MS),
      pollMs: Math.max(10, delayMs ?? POLL_MS),
    },
    mistakes: missing.map((folder) => `${originText(dir.origin)} is not a folder (${folder})`),
    notices: [],
  };
}

// Private

/** Without those that lie in another. */
function outermost(folders: readonly string[]): readonly string[] {
  const unique = [...new Set(folders)];
  return unique.filter(
    (folder) => !unique.some((other) => other !== folder && folder.startsWith(other === "/" ? "/" : `${other}/`)),
  );
}
