/**
 * The files and folders that routes, sites and the top of a configuration file name, found in what was written, not in what the schema made of it: so
 * they are judged with all other mistakes of the file, and each has its line. What is not even a text is the schema's to tell. Pure.
 */
import { isTable, type TomlPath, type TomlTable, type TomlValue } from "./toml.ts";

export interface NamedPath {
  readonly at: TomlPath;
  /** As a message names it: "static.root". */
  readonly key: string;
  /** As written. */
  readonly path: string;
  /** served: a folder or one file. sent: a folder that may come into being later. */
  readonly kind: "page" | "served" | "sent" | "users" | "authorities";
}

/** `table` is what the schema gets. */
export function namedPaths(table: TomlTable): readonly NamedPath[] {
  const found: NamedPath[] = [];
  ofPlace(table, [], found);
  for (const [at, route] of tablesOf(table["route"])) ofPlace(route, ["route", at], found);
  for (const [at, site] of tablesOf(table["site"])) {
    ofPlace(site, ["site", at], found);
    for (const [number, route] of tablesOf(site["route"])) ofPlace(route, ["site", at, "route", number], found);
  }
  return found;
}

// Private

function ofPlace(table: TomlTable, place: TomlPath, found: NamedPath[]): void {
  const add = (kind: NamedPath["kind"], ...keys: readonly (string | number)[]): void => {
    let value: TomlValue | undefined = table;
    for (const key of keys) value = isTable(value) ? value[key] : Array.isArray(value) ? value[Number(key)] : undefined;
    if (typeof value === "string" && value !== "")
      found.push({
        at: [...place, ...keys],
        key: keys.filter((key) => typeof key === "string").join("."),
        path: value,
        kind,
      });
  };
  const each = (kind: NamedPath["kind"], ...keys: readonly string[]): void => {
    let value: TomlValue | undefined = table;
    for (const key of keys) value = isTable(value) ? value[key] : undefined;
    if (Array.isArray(value)) for (const at of value.keys()) add(kind, ...keys, at);
    else add(kind, ...keys);
  };
  const keysOf = (key: string): readonly string[] => {
    const value = table[key];
    return isTable(value) ? Object.keys(value) : [];
  };
  for (const status of keysOf("error-pages")) each("page", "error-pages", status);
  add("page", "maintenance", "page");
  add("users", "basic-auth", "file");
  for (const prefix of keysOf("accel")) add("sent", "accel", prefix);
  each("sent", "sendfile-roots");
  add("served", "static");
  add("served", "static", "root");
  add("authorities", "upstream", "tls", "ca");
}

function tablesOf(value: TomlValue | undefined): readonly (readonly [number, TomlTable])[] {
  return Array.isArray(value) ? value.flatMap((one, at) => (isTable(one) ? [[at, one] as const] : [])) : [];
}
