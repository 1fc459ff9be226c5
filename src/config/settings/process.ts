/** The process itself, and the two flags that start no server. */
import { single, toggle, type Section, type Setting } from "../setting.ts";
import { text } from "../value-types.ts";

export const pidFile: Setting<string | null> = single<string | null>({
  key: "pid",
  flags: ["-p", "--pid"],
  metavar: "FILE",
  type: text,
  fallback: null,
  help: "File to write the process id to",
  doc: "Removed when maitred stops.",
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

export const processSection: Section = { title: "Process", settings: [pidFile, version, help] };
