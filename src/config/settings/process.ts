/** The process itself, and the two flags that start no server. */
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { text, value, wrong, type ValueType } from "../value-types.ts";

const configurationFile: ValueType<string> = (path) => {
  if (path === "") return wrong("is empty");
  if (/\.py$|^(?:python|file):/.test(path))
    return wrong("is not supported yet: give its settings as flags, as flags in GUNICORN_CMD_ARGS, or in maitred.toml");
  return value(path);
};

export const config: Setting<string | null> = single<string | null>({
  key: "config",
  flags: ["-c", "--config"],
  metavar: "FILE",
  type: configurationFile,
  fallback: null,
  fallbackText: "maitred.toml, or [tool.maitred] in pyproject.toml, where there is one",
  help: "Configuration file, in TOML",
  doc: "Searched in the current folder, or the one of `--chdir`. What may stand in it: [configuration.md](configuration.md). gunicorn's `gunicorn.conf.py` is Python and is not read.",
});

export const pidFile: Setting<string | null> = single<string | null>({
  key: "pid",
  flags: ["-p", "--pid"],
  metavar: "FILE",
  type: text,
  fallback: null,
  help: "File to write the process id to",
  doc: "Removed when maitred stops.",
});

export const checkConfig: Setting<boolean> = toggle({
  key: "check-config",
  flags: ["--check-config"],
  fallback: false,
  help: "Tell every mistake in options and configuration, and leave; as maitred check",
  doc: "Exit code 0: it would start; 2: it would not. The application is not loaded.",
});

export const printConfig: Setting<boolean> = toggle({
  key: "print-config",
  flags: ["--print-config"],
  fallback: false,
  help: "Print each value and where it comes from, and leave; as maitred check --explain",
  doc: "",
});

export const version: Setting<boolean> = toggle({
  key: "version",
  flags: ["-v", "--version"],
  fallback: false,
  help: "Print the version and leave",
  doc: "",
});

export const help: Setting<boolean> = toggle({
  key: "help",
  flags: ["-h", "--help"],
  fallback: false,
  help: "Print this text and leave",
  doc: "",
});

export const processSection: Section = {
  title: "Process",
  settings: [config, checkConfig, printConfig, pidFile, version, help],
};

/** Settings that cannot stand in a file: they say what to do with it. */
export const onlyOnCommandLine: ReadonlySet<string> = new Set(
  [config, checkConfig, printConfig, version, help].map(({ key }) => key),
);
