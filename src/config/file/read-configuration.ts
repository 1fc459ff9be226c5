/**
 * The text of a configuration file to what it says: settings of the table as texts with their places, and the content of the schema (sites,
 * routes, pools). All mistakes at once, each with its line. Loads zod and the TOML parser, so only where a file is read. Pure.
 */
import type { Asked } from "../resolve.ts";
import type { Setting } from "../setting.ts";
import { onlyOnCommandLine } from "../settings/process.ts";
import { settings } from "../settings/table.ts";
import { fileSchema, settingKeys, type FileContent } from "../sites/schema.ts";
import { issuesOf, shown, tellingKeys } from "./issues.ts";
import { namedPaths, type NamedPath } from "./named-paths.ts";
import { isTable, parseToml, type TomlTable, type TomlValue } from "./toml.ts";

/** A configuration file that was read. */
export interface Configuration {
  /** As messages name it, "maitred.toml"; absolute. */
  readonly name: string;
  readonly path: string;
  readonly settings: ReadonlyMap<Setting<unknown>, readonly Asked[]>;
  /** What is for the schema, as it was written: for telling it. */
  readonly written: TomlTable;
  /** null where it is so wrong that nothing follows from it. */
  readonly content: FileContent | null;
  /** The files and folders that it names, as far as they can be told; those of settings apart. */
  readonly paths: readonly NamedPath[];
  readonly mistakes: readonly string[];
  /** "maitred.toml:12" for the value at this path. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

/** `section` is where it stands in the file: `["tool", "maitred"]` in pyproject.toml. null: the file has no such section. */
export function readConfiguration(
  text: string,
  name: string,
  path: string,
  section: readonly string[] = [],
): Configuration | null {
  const parsed = parseToml(text);
  if ("why" in parsed) {
    const place = `${name}:${parsed.line}`;
    return {
      name,
      path,
      settings: new Map(),
      written: {},
      content: null,
      paths: [],
      mistakes: [`${place}: ${parsed.why}`],
      where: () => place,
    };
  }
  const where = (at: readonly PropertyKey[]): string => `${name}:${parsed.lineOf([...section, ...at])}`;
  let table: TomlValue | undefined = parsed.table;
  for (const key of section) table = isTable(table) ? table[key] : undefined;
  if (table === undefined) return null;
  if (!isTable(table)) {
    const mistakes = [`${where([])}: ${section.join(".")} is no table`];
    return { name, path, settings: new Map(), written: {}, content: null, paths: [], mistakes, where };
  }

  const { layer, rest, mistakes } = split(dashed(table), where);
  const content = fileSchema.safeParse(rest, { error: tellingKeys });
  if (!content.success) {
    for (const issue of issuesOf(content.error, rest, tableKeys)) mistakes.push({ at: issue.path, text: issue.text });
  }
  return {
    name,
    path,
    settings: layer,
    written: rest,
    content: content.success ? content.data : null,
    paths: namedPaths(rest),
    mistakes: mistakes.map(({ at, text }) => `${where(at)}: ${text}`),
    where,
  };
}

// Private

const rows = new Map(
  settings
    .filter(({ key }) => !onlyOnCommandLine.has(key))
    .map((setting) => [setting.key.replaceAll("_", "-"), setting]),
);
/** What an unknown key at the top may have been meant for, beside those of the schema. */
const tableKeys: readonly string[] = [...rows.keys()];

interface Mistake {
  readonly at: readonly PropertyKey[];
  readonly text: string;
}

/** What the table of settings has, and what is left for the schema. */
function split(
  table: TomlTable,
  where: (path: readonly PropertyKey[]) => string,
): { layer: Map<Setting<unknown>, readonly Asked[]>; rest: TomlTable; mistakes: Mistake[] } {
  const layer = new Map<Setting<unknown>, readonly Asked[]>();
  const rest = Object.create(null) as TomlTable;
  const mistakes: Mistake[] = [];
  for (const [key, value] of Object.entries(table)) {
    const setting = rows.get(key);
    // Of what both have, a setting is what a flag could say.
    if (setting === undefined || (isTable(value) && settingKeys.includes(key))) {
      rest[key] = value;
      continue;
    }
    const texts = textsOf(value, setting);
    if (typeof texts === "string") {
      mistakes.push({ at: [key], text: `${key} = ${shown(value)} ${texts}` });
      continue;
    }
    const place = where([key]);
    const asked = texts.map((text): Asked => ({ text, origin: { type: "file", place, key, text } }));
    if (asked.length > 0) layer.set(setting, asked);
  }
  return { layer, rest, mistakes };
}

/** The texts that a command line would give, or why there are none. */
function textsOf(value: TomlValue, setting: Setting<unknown>): string[] | string {
  if (setting.metavar === null) return typeof value === "boolean" ? [String(value)] : "is neither true nor false";
  if (isTable(value)) {
    if (!setting.repeatable || !setting.metavar.includes("=")) return "is a table, but one value is wanted";
    const entries = Object.entries(value);
    const wrong = entries.find(([, one]) => typeof one === "object");
    return wrong === undefined
      ? entries.map(([name, one]) => `${name}=${String(one as string)}`)
      : `has ${wrong[0]}, which is no text`;
  }
  if (!Array.isArray(value)) return [String(value)];
  if (value.some((one) => typeof one === "object")) return "has something in its list that is no text";
  // A list where a flag takes its items in one text, with commas.
  return setting.repeatable ? value.map(String) : [value.map(String).join(",")];
}

/** With dashes where keys have underscores: at the top, and in sites and routes. Names that the operator chooses stay. */
function dashed(table: TomlTable): TomlTable {
  const made = Object.create(null) as TomlTable;
  for (const [name, value] of Object.entries(table)) {
    const key = name.replaceAll("_", "-");
    made[key] =
      (key === "route" || key === "site") && Array.isArray(value)
        ? value.map((one) => (isTable(one) ? dashed(one) : one))
        : key === "pools" && isTable(value)
          ? Object.assign(Object.create(null), mapped(value))
          : value;
  }
  return made;
}

function mapped(pools: TomlTable): TomlTable {
  return Object.fromEntries(Object.entries(pools).map(([name, one]) => [name, isTable(one) ? dashed(one) : one]));
}
