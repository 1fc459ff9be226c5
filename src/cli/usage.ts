/** The texts of --help and --version, made from the settings table. */
import type { Section, Setting } from "../config/setting.ts";
import { commands } from "./commands.ts";
import { sections } from "../config/settings/table.ts";

const widthColumns = 100;
/** Where help begins; a longer flag has its help on the next line. */
const helpColumn = 36;

export function usageText(): string {
  const head = [
    "Usage: maitred [OPTIONS] MODULE[:ATTR]",
    ...commands.map(({ name }) => `       maitred ${name} [OPTIONS]`),
    "",
    ...wrap(
      "Serves a Python web application, WSGI or ASGI, with a queue in front of forked workers. Takes the command lines of gunicorn and uvicorn.",
      0,
    ),
    "",
    "  maitred app:app                        WSGI or ASGI, one worker per CPU",
    "  maitred project.wsgi -w 4 -b :8000     project.wsgi:application, 4 workers, every address",
    "  maitred 'app:create_app(\"test\")'       a factory with arguments",
  ];
  const foot = wrap(
    "Times are seconds, or a number with ms, s, m or h. Options count more than the variables in brackets; " +
      "GUNICORN_CMD_ARGS holds options too and stands between them. Every setting: docs/settings.md.",
    0,
  );
  const others = commands.map(({ name, help }) => `  maitred ${name}`.padEnd(helpColumn) + help);
  return (
    [...head, "", "Commands (each has its --help):", ...others, ...sections.flatMap(sectionLines), "", ...foot].join(
      "\n",
    ) + "\n"
  );
}

export function versionText(version: string, nodeVersion: string): string {
  return `maitred ${version} (Node ${nodeVersion})\n`;
}

// Private

function sectionLines(section: Section): string[] {
  return ["", `${section.title}:`, ...section.settings.flatMap(settingLines)];
}

function settingLines(setting: Setting<unknown>): string[] {
  const flags = `${indentedFlags(setting.flags)}${setting.metavar === null ? "" : ` ${setting.metavar}`}`;
  const off = setting.offFlags.length === 0 ? "" : `, ${setting.offFlags.join(", ")}`;
  const facts = [
    ...(setting.fallbackText === "" ? [] : [`default ${setting.fallbackText}`]),
    ...(setting.repeatable ? ["repeatable"] : []),
  ];
  const help =
    setting.help +
    (facts.length === 0 ? "" : `; ${facts.join("; ")}`) +
    (setting.env.length === 0 ? "" : ` [${setting.env.join(", ")}]`);
  const left = flags + off;
  const right = wrap(help, helpColumn);
  const first = right.shift() ?? "";
  return left.length + 2 <= helpColumn
    ? [left.padEnd(helpColumn) + first.trimStart(), ...right]
    : [left, first, ...right];
}

/** "  -b, --bind", and "      --host" so that long flags stand below each other. */
function indentedFlags(flags: readonly string[]): string {
  const hasShort = flags[0]?.startsWith("--") === false;
  return (hasShort ? "  " : "      ") + flags.join(", ");
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > widthColumns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((text) => " ".repeat(indent) + text);
}
