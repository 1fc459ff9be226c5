/** New code: how a reload proves that it can serve, and --reload, which restarts when files change. */
import { repeated, single, toggle, type Section, type Setting } from "../setting.ts";
import { choice, duration, text, value, wrong, type ValueType } from "../value-types.ts";

export interface ReadyUrl {
  readonly scheme: "http" | "https";
  /** What the Host field says. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
}

const readyUrlText: ValueType<ReadyUrl | null> = (text) => {
  const match = /^(?:(https?):\/\/([^/?#\s@]+))?(\/[^#\s]*)$/.exec(text);
  if (match === null) return wrong('is neither a path nor a URL: write "/ready" or "http://example.com/ready"');
  const [, scheme, host = "localhost", target = "/"] = match;
  if (/[^\x21-\x7e]/.test(host + target)) return wrong("has characters beyond ASCII: percent-encode them");
  return value({ scheme: scheme === "https" ? "https" : "http", host, target });
};

/** One or several in one text, as click splits uvicorn's variables. */
const words =
  (separator: RegExp): ValueType<readonly string[]> =>
  (given) => {
    const found = given.split(separator).filter((word) => word !== "");
    return found.length === 0 ? wrong("is empty") : value(found);
  };

export const reload: Setting<boolean> = toggle({
  key: "reload",
  flags: ["--reload"],
  env: ["UVICORN_RELOAD"],
  fallback: false,
  help: "For development: restart the workers when the application's files change",
  doc: `Requests wait while the application restarts, and are answered by the new code. Code that cannot start does not end maitred: each
request gets a page with the traceback until a file is saved. There is one worker unless \`--workers\` says more. Never use it where others can connect:
the page shows source code. See docs/development.md.`,
});

export const reloadEngine: Setting<"auto" | "inotify" | "poll"> = single<"auto" | "inotify" | "poll">({
  key: "reload-engine",
  flags: ["--reload-engine"],
  metavar: "NAME",
  type: choice(["auto", "inotify", "poll"]),
  fallback: "auto",
  help: "How --reload learns of changes: auto, inotify (the kernel tells) or poll",
  doc: `\`auto\` asks the kernel and falls back to looking at the files from time to time. Some shared folders (Docker Desktop, network file systems)
tell nothing: give \`poll\` there.`,
});

export const reloadExtraFile: Setting<readonly string[]> = repeated({
  key: "reload-extra-file",
  flags: ["--reload-extra-file"],
  metavar: "FILE",
  type: text,
  help: "File to watch as well, or a pattern of files (with --reload)",
  doc: "gunicorn's flag. Watched wherever it is, also outside the watched folders and where the exclusions would leave it out.",
});

export const reloadDir: Setting<readonly (readonly string[])[]> = repeated({
  key: "reload-dir",
  flags: ["--reload-dir"],
  env: ["UVICORN_RELOAD_DIRS"],
  metavar: "FOLDER",
  type: words(/:/),
  fallbackText: "the working folder and those of --app-dir and --pythonpath",
  help: "Folder to watch with all below it (with --reload)",
  doc: `Several are given by several flags, or in one with colons between them. Files that the application has imported from elsewhere are watched too, those of
installed packages excepted. Folders called \`__pycache__\`, \`node_modules\`, \`site-packages\`, those whose names begin with a dot and virtual
environments are left out.`,
});

export const reloadInclude: Setting<readonly (readonly string[])[]> = repeated({
  key: "reload-include",
  flags: ["--reload-include"],
  env: ["UVICORN_RELOAD_INCLUDES"],
  metavar: "GLOB",
  type: words(/\s+/),
  fallbackText: "*.py",
  help: "Files to watch in those folders, besides *.py (with --reload)",
  doc: `For templates, \`.env\` and the like: \`--reload-include '*.html' --reload-include .env\`. A pattern without a slash is compared with the name, one with
a slash with the end of the path. A folder is watched as by \`--reload-dir\`.`,
});

export const reloadExclude: Setting<readonly (readonly string[])[]> = repeated({
  key: "reload-exclude",
  flags: ["--reload-exclude"],
  env: ["UVICORN_RELOAD_EXCLUDES"],
  metavar: "GLOB",
  type: words(/\s+/),
  fallbackText: ".*, .py[cod], .sw.*, ~*",
  help: "Files or folders to leave out (with --reload)",
  doc: "The default stays in force, except for what `--reload-include` names.",
});

export const reloadDelay: Setting<number | null> = single<number | null>({
  key: "reload-delay",
  flags: ["--reload-delay"],
  env: ["UVICORN_RELOAD_DELAY"],
  metavar: "TIME",
  type: duration,
  fallback: null,
  fallbackText: "0.05; 0.25 when polling",
  help: "Time without further changes before --reload restarts",
  doc: "So that many files saved together are one restart. When polling, it is the time from one look at the files to the next, as in uvicorn.",
});

export const reloadTimeout: Setting<number> = single({
  key: "reload-timeout",
  flags: ["--reload-timeout"],
  metavar: "TIME",
  type: duration,
  fallback: 120_000,
  fallbackText: "120",
  help: "Time in which new workers must be ready at a reload; 0 is no limit",
  doc: `Past it the reload has failed: the log shows where the new workers are, they are killed, and the old ones go on serving. The first start has no limit
but the service manager's.`,
});

export const readyUrl: Setting<ReadyUrl | null> = single<ReadyUrl | null>({
  key: "ready-url",
  flags: ["--ready-url"],
  metavar: "URL",
  type: readyUrlText,
  fallback: null,
  help: "Path that a new worker must answer with 2xx before it gets requests",
  doc: `Asked of every new worker, at the start, after a reload and when it replaces another. Anything but 2xx is a failed start: at a reload the old workers stay.
\`/ready\` asks with \`Host: localhost\`; an application that checks the host gets another by \`http://example.com/ready\`, and one that insists on https by
\`https://example.com/ready\`. Nothing leaves the machine.`,
});

export const reloadSection: Section = {
  title: "New code",
  settings: [
    reload,
    reloadDir,
    reloadInclude,
    reloadExclude,
    reloadExtraFile,
    reloadEngine,
    reloadDelay,
    reloadTimeout,
    readyUrl,
  ],
};
