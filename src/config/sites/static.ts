/** `static`: a folder whose files are served, as the configuration file says it. */
import { z } from "zod";
import { staticDefaults, type StaticPlan } from "../static-plan.ts";
import { duration, value, wrong, type ValueType } from "../value-types.ts";
import { written } from "./fields.ts";

const nameInFolder: ValueType<string> = (text) => {
  const name = text.replace(/^\/+/, "");
  const isPlain = name !== "" && !/[\0-\x1f\x7f\\]/.test(name) && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(name);
  return isPlain ? value(name) : wrong('is no file of the folder: write its name, for example "index.html"');
};

const expression: ValueType<string> = (text) => {
  try {
    new RegExp(text);
    return value(text);
  } catch (error) {
    return wrong(`is no regular expression: ${(error as Error).message.replace(/^.*\/: /, "")}`);
  }
};

const extension: ValueType<string> = (text) =>
  /^\.[^./\\]+$/.test(text)
    ? value(text.slice(1).toLowerCase())
    : wrong('is no extension: write it with its dot, ".wasm"');

const mediaType: ValueType<string> = (text) =>
  /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;[ \t]*[\w-]+=(?:[\w!#$&^.+-]+|"[^"\\\0-\x1f\x7f-\uffff]*"))*$/.test(text)
    ? value(text)
    : wrong('is no media type: write "text/plain", or "text/plain; charset=iso-8859-1"');

const charset: ValueType<string> = (text) =>
  /^[\w.:+-]*$/.test(text) ? value(text) : wrong('is no name of a character encoding: write "utf-8"');

const folder = z.string().min(1, "is empty");

const table = z
  .strictObject({
    root: folder.describe("The folder, or one file; seen from chdir"),
    index: z.array(written(nameInFolder)).optional().describe("Files that stand for their folder"),
    fallback: written(nameInFolder)
      .optional()
      .describe("A file that answers pages that are not there (single-page app)"),
    otherwise: z.string().optional().describe("The pool that answers what is not there, and other methods"),
    listing: z.boolean().optional().describe("Folders without an index show what is in them"),
    precompressed: z.boolean().optional().describe("Send .br, .zst and .gz files that lie beside a file"),
    "max-age": z
      .union([written(duration), z.literal(false).transform(() => null)])
      .optional()
      .describe("How long browsers may keep files without asking, pages apart; 0: they ask, false: nothing is said"),
    immutable: z
      .union([z.boolean().transform((all) => (all ? "all" : "none") as "all" | "none"), z.array(written(expression))])
      .optional()
      .describe("Which names change with the content, and are kept for ever: expressions on the path, true or false"),
    dotfiles: z.boolean().optional().describe("Serve names that begin with a dot"),
    "outside-links": z.boolean().optional().describe("Follow symbolic links out of the folder"),
    charset: written(charset).optional().describe("Encoding of text files; empty: nothing is said"),
    types: z
      .record(z.string(), written(mediaType))
      .optional()
      .describe('Media types by extension: { ".foo" = "text/plain" }'),
  })
  .transform((said, context): StaticPlan => {
    const types: Record<string, string> = {};
    for (const [key, type] of Object.entries(said.types ?? {})) {
      const parsed = extension(key);
      if (parsed.type === "value") types[parsed.value] = type;
      else context.addIssue({ code: "custom", message: parsed.why, path: ["types", key] });
    }
    const plan = {
      index: said.index,
      fallback: said.fallback,
      pool: said.otherwise,
      listing: said.listing,
      precompressed: said.precompressed,
      maxAgeMs: said["max-age"],
      immutable: said.immutable,
      dotfiles: said.dotfiles,
      outsideLinks: said["outside-links"],
      charset: said.charset,
    };
    return { ...staticDefaults, ...defined(plan), types, root: said.root, prefix: "" };
  });

/** Where it is comes as written; config/files.ts finds it. */
export const staticSettings: z.ZodType<StaticPlan> = z
  .union([folder.transform((root): StaticPlan => ({ ...staticDefaults, root, prefix: "" })), table])
  .describe("A folder whose files are served: its path, or a table with root, index, fallback ...");

// Private

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(said: T): Defined<T> {
  return Object.fromEntries(Object.entries(said).filter(([, one]) => one !== undefined)) as Defined<T>;
}
