/** The JSON Schema of the configuration file, for editors and for the document of its keys: the settings table and the schema in one. Pure. */
import { z } from "zod";
import type { Setting } from "../setting.ts";
import { onlyOnCommandLine } from "../settings/process.ts";
import { settings } from "../settings/table.ts";
import { fileSchema } from "../sites/schema.ts";

/** As much of JSON Schema as is used here. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly [other: string]: unknown;
}

export function configurationSchema(): JsonSchema {
  const { $schema, properties, ...rest } = z.toJSONSchema(fileSchema, {
    io: "input",
    unrepresentable: "any",
  }) as JsonSchema;
  return {
    $schema,
    title: "maitred.toml",
    description: "Configuration of maitred; also [tool.maitred] in pyproject.toml",
    ...rest,
    properties: { ...properties, ...settingSchemas(properties ?? {}) },
  };
}

/** The settings that may stand at the top, by their keys. */
export function settingSchemas(others: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  const made: Record<string, JsonSchema> = {};
  for (const setting of settings) {
    const key = setting.key.replaceAll("_", "-");
    if (onlyOnCommandLine.has(key)) continue;
    const other = others[key];
    made[key] = other === undefined ? schemaOf(setting) : { ...schemaOf(setting), ...tablesOf(other, setting) };
  }
  return made;
}

// Private

const scalar: JsonSchema = { type: ["string", "number", "boolean"] };

function schemaOf(setting: Setting<unknown>): JsonSchema {
  const description = `${setting.help}${setting.fallbackText === "" ? "" : ` (default: ${setting.fallbackText})`}`;
  if (setting.metavar === null) return { description, type: "boolean" };
  const list: JsonSchema = { type: "array", items: scalar };
  const isTable = setting.repeatable && setting.metavar.includes("=");
  if (isTable) return { description, anyOf: [scalar, list, { type: "object", additionalProperties: scalar }] };
  return { description, anyOf: [scalar, list] };
}

/** What routes take as a table too may be a table at the top. */
function tablesOf(other: JsonSchema, setting: Setting<unknown>): JsonSchema {
  const tables = (other.anyOf ?? [other]).filter(({ type }) => type === "object");
  return tables.length === 0 ? {} : { anyOf: [...(schemaOf(setting).anyOf ?? [{ type: "boolean" }]), ...tables] };
}
