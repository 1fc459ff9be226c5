/** A TOML text as plain values, and the line on which each stands. Pure. */
import { type AST, ParseError, parseTOML } from "toml-eslint-parser";

/** A table: no prototype, so that a key may have any name. */
export interface TomlTable {
  [key: string]: TomlValue;
}
export type TomlValue = string | number | boolean | TomlValue[] | TomlTable;

/** Where a value stands, from the top: `["route", 0, "path"]`. */
export type TomlPath = readonly PropertyKey[];

export interface TomlDocument {
  readonly table: TomlTable;
  /** The line of the value at this path, or of the nearest one around it. Underscores in keys count as dashes. */
  readonly lineOf: (path: TomlPath) => number;
}

/** A text that is not TOML: where and why. */
export interface TomlMistake {
  readonly line: number;
  readonly why: string;
}

export function parseToml(text: string): TomlDocument | TomlMistake {
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text, { tomlVersion: "1.0" });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { line: error.lineNumber, why: `column ${error.column + 1}: ${error.message.replace(/\.$/, "")}` };
  }
  const reader = new Reader();
  for (const item of program.body[0].body) {
    if (item.type === "TOMLKeyValue") reader.keyValue(reader.root, [], item);
    else reader.table(item);
  }
  return { table: reader.root, lineOf: (path) => reader.lineOf(path) };
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value);
}

// Private

class Reader {
  readonly root: TomlTable = emptyTable();
  readonly #lines = new Map<string, number>();

  lineOf(path: TomlPath): number {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(keyOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  /** `[a.b]` or `[[a.b]]` and what follows it. */
  table({ resolvedKey, loc, body }: AST.TOMLTable): void {
    let here: TomlTable | TomlValue[] = this.root;
    const path: (string | number)[] = [];
    for (const [at, part] of resolvedKey.entries()) {
      path.push(part);
      const inside: TomlTable | TomlValue[] = typeof resolvedKey[at + 1] === "number" ? [] : emptyTable();
      const found: TomlValue | undefined = Array.isArray(here) ? here[Number(part)] : here[part];
      if (found === undefined) this.#put(here, part, inside);
      here = (found as TomlTable | TomlValue[] | undefined) ?? inside;
      if (!this.#lines.has(keyOf(path))) this.#lines.set(keyOf(path), loc.start.line);
    }
    for (const item of body) this.keyValue(here as TomlTable, path, item);
  }

  keyValue(into: TomlTable, path: TomlPath, { key, value, loc }: AST.TOMLKeyValue): void {
    const names = key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value));
    const last = names.pop() ?? "";
    let here = into;
    let at = path;
    for (const name of names) {
      at = [...at, name];
      if (!this.#lines.has(keyOf(at))) this.#lines.set(keyOf(at), loc.start.line);
      here = (here[name] ??= emptyTable()) as TomlTable;
    }
    at = [...at, last];
    this.#lines.set(keyOf(at), loc.start.line);
    here[last] = this.#value(value, at);
  }

  #value(node: AST.TOMLContentNode, path: TomlPath): TomlValue {
    switch (node.type) {
      case "TOMLArray":
        return node.elements.map((element, at) => {
          this.#lines.set(keyOf([...path, at]), element.loc.start.line);
          return this.#value(element, [...path, at]);
        });
      case "TOMLInlineTable": {
        const table = emptyTable();
        for (const item of node.body) this.keyValue(table, path, item);
        return table;
      }
      case "TOMLValue":
        return typeof node.value === "object" ? node.value.toISOString() : node.value;
    }
  }

  #put(into: TomlTable | TomlValue[], part: string | number, value: TomlValue): void {
    if (Array.isArray(into)) into[Number(part)] = value;
    else into[part] = value;
  }
}

function emptyTable(): TomlTable {
  return Object.create(null) as TomlTable;
}

function keyOf(path: TomlPath): string {
  return JSON.stringify(path.map((part) => (typeof part === "string" ? part.replaceAll("_", "-") : part)));
}
