/** What `maitred check --explain` prints: each value with where it comes from, and the routes in the order they are tried. Pure. */
import type { Configuration } from "../../config/file/read-configuration.ts";
import { isTable, type TomlTable, type TomlValue } from "../../config/file/toml.ts";
import { tomlKey, tomlText } from "../../config/file/toml-text.ts";
import { originName, type Origin } from "../../config/origin.ts";
import type { Plan } from "../../config/plan.ts";
import type { Resolved } from "../../config/resolve.ts";
import type { Setting } from "../../config/setting.ts";
import { onlyOnCommandLine } from "../../config/settings/process.ts";
import { sections } from "../../config/settings/table.ts";
import type { RoutePlan } from "../../config/sites/route.ts";
import { inOrder } from "../../routes/table.ts";

/** Where the comments begin, as far as the lines let them. */
const COLUMN = 44;
/** Passwords do not belong on a screen. */
const SECRET = /password|secret|token|key-?pass/i;

/** Lines of TOML: what was given as it could stand in a file, what was not as comments. */
export function explain(
  plan: Plan,
  resolved: Resolved,
  appOrigin: string,
  configuration: Configuration | null,
): string {
  const lines = [
    configuration === null ? "# No configuration file" : `# Configuration file: ${configuration.path}`,
    "",
    commented(`app = ${tomlText(plan.app)}`, appOrigin),
  ];
  for (const { title, settings } of sections) {
    lines.push("", `# ${title}`);
    for (const setting of settings) if (!onlyOnCommandLine.has(setting.key)) lines.push(settingLine(setting, resolved));
  }
  return `${[...lines, ...siteLines(plan, configuration)].join("\n")}\n`;
}

// Private

function commented(line: string, comment: string): string {
  return `${line.padEnd(COLUMN)} # ${comment}`;
}

function settingLine(setting: Setting<unknown>, resolved: Resolved): string {
  const key = setting.key.replaceAll("_", "-");
  const given = resolved.given(setting);
  const last = given.at(-1);
  if (last === undefined)
    return commented(`# ${key}`, `default${setting.fallbackText === "" ? "" : `: ${setting.fallbackText}`}`);
  const texts = (setting.repeatable ? given : [last]).map(({ text }) => hidden(setting, text));
  const values = texts.map((text) => (setting.metavar === null ? isOn(text) : numberOr(text)));
  return commented(`${key} = ${tomlText(setting.repeatable ? values : values[0]!)}`, sourceOf(last.origin));
}

function sourceOf(origin: Origin): string {
  return origin.type === "file" ? origin.place : originName(origin);
}

function isOn(text: string): boolean {
  return ["1", "true", "t", "yes", "y", "on"].includes(text.toLowerCase());
}

function numberOr(text: string): TomlValue {
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

/** The values of variables and passwords stay where they are. */
function hidden({ key, metavar }: Setting<unknown>, text: string): string {
  if (SECRET.test(key)) return "***";
  return metavar === "NAME=VALUE" ? text.replace(/=.*$/s, "=***") : text;
}

/** The same in tables of routes. */
function masked(key: string, value: TomlValue): TomlValue {
  if (SECRET.test(key)) return "***";
  if (Array.isArray(value)) return value.map((one) => masked("", one));
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, masked(name, one)]));
}

function siteLines(plan: Plan, configuration: Configuration | null): readonly string[] {
  if (plan.sites.length === 0) return ["", "# Every request is the application's"];
  const written = configuration?.written ?? {};
  const lines = ["", "# Sites, and their routes in the order they are tried"];
  const named = plan.sites.slice(1).map((site, at) => ({ site, path: ["site", at] as const }));
  for (const { site, path } of [...named, { site: plan.sites[0]!, path: [] as const }]) {
    const title = site.hosts.length === 0 ? "[all other hosts]" : `[${site.hosts.join(", ")}]`;
    const where = path.length === 0 || configuration === null ? "" : ` (${configuration.where(path)})`;
    lines.push("", `# ${title}${where}`);
    if (site.hosts.length === 0 && plan.refusesUnknownHosts) {
      lines.push(`#   refused with 421${configuration === null ? "" : ` (${configuration.where(["unknown-hosts"])})`}`);
      continue;
    }
    const inherited: Level[] = [
      { table: tableAt(written, path), path },
      { table: written, path: [] },
    ];
    for (const route of inOrder(
      site.routes.map((one) => ({ ...one, pattern: one.match.pattern, condition: one.match })),
    )) {
      lines.push(`#   ${routeText(route)}`);
      const own = routeTable(route, written, path);
      const levels = own === null ? inherited : [own, ...inherited];
      for (const line of settingsOf(levels, configuration)) lines.push(`#       ${line}`);
    }
    lines.push(`#   everything else: pool main`);
    for (const line of settingsOf(inherited, configuration)) lines.push(`#       ${line}`);
  }
  return lines;
}

interface Level {
  readonly table: TomlTable;
  readonly path: readonly PropertyKey[];
}

/** Keys that are no settings: which requests a route is for, and who answers them. */
const STRUCTURE: ReadonlySet<string> = new Set([
  "path",
  "match",
  "route",
  "site",
  "hosts",
  "pools",
  "app",
  "unknown-hosts",
]);

/** What holds, each with its place: the innermost level that says it. */
function settingsOf(levels: readonly Level[], configuration: Configuration | null): readonly string[] {
  const found = new Map<string, string>();
  for (const { table, path } of levels)
    for (const [key, value] of Object.entries(table)) {
      const isOfPlace = path.at(-2) === "route" ? key === "path" || key === "match" : STRUCTURE.has(key);
      if (isOfPlace || found.has(key)) continue;
      found.set(
        key,
        commented(`${tomlKey(key)} = ${tomlText(masked(key, value))}`, configuration?.where([...path, key]) ?? ""),
      );
    }
  return [...found.values()];
}

/** The table of a route in the file: it knows where it was written. */
function routeTable(route: RoutePlan, written: TomlTable, site: readonly PropertyKey[]): Level | null {
  if (route.at === null) return null;
  const path = [...site, "route", route.at];
  return { table: tableAt(written, path), path };
}

function tableAt(table: TomlTable, path: readonly PropertyKey[]): TomlTable {
  let value: TomlValue | undefined = table;
  for (const part of path)
    value = Array.isArray(value) ? value[Number(part)] : isTable(value) ? value[String(part)] : undefined;
  return isTable(value) ? value : {};
}

function routeText({ name, match, destination }: RoutePlan): string {
  const conditions = [...match.methods, ...match.headers.map(({ name, value }) => `${name}: ${value ?? "*"}`)];
  const to = destination.type === "app" ? `pool ${destination.pool}` : destination.type;
  return `${name}${conditions.length === 0 ? "" : ` [${conditions.join(", ")}]`}: ${to}`;
}
