/**
 * The schema of the configuration file: sites, routes and pools, put together from the subjects' own schemas beside this file. What the settings
 * table has (workers, bind, timeout ...) is taken out before (file/read-configuration.ts). Loads zod, so only where a file is read.
 */
import { z } from "zod";
import { parsePattern, type PathPattern } from "../../http/path-pattern.ts";
import { compressionSettings } from "./compression.ts";
import { cacheSettings } from "./cache.ts";
import { errorPagesSettings } from "./error-pages.ts";
import { maintenanceSettings } from "./maintenance.ts";
import { written } from "./fields.ts";
import { accelSettings, sendfileSettings } from "./named-files.ts";
import { appTarget, poolSettings, type PoolSettings } from "./pool.ts";
import { protectionRows } from "./protection-rows.ts";
import { redirectSettings } from "./redirect.ts";
import { respondSettings } from "./respond.ts";
import { upstreamSettings } from "./upstream.ts";
import type { Destination, RouteMatch, RouteSettings } from "./route.ts";
import { staticSettings } from "./static.ts";
import { bytes, choice, duration, value, wrong, type ValueType } from "../value-types.ts";

/** A destination as written: which pool an app has is not known yet. */
export type DestinationContent =
  | Exclude<Destination, { type: "app" }>
  | { readonly type: "pool"; readonly pool: string }
  | { readonly type: "app"; readonly app: string; readonly mount: boolean };

export interface RouteContent {
  readonly patterns: readonly PathPattern[];
  readonly match: Omit<RouteMatch, "pattern">;
  /** null: the main pool. */
  readonly destination: DestinationContent | null;
  readonly settings: Partial<RouteSettings>;
}

export interface SiteContent {
  readonly hosts: readonly string[];
  readonly route: readonly RouteContent[];
  readonly settings: Partial<RouteSettings>;
}

export interface FileContent {
  readonly app: string | null;
  readonly pools: Readonly<Record<string, PoolSettings>>;
  readonly route: readonly RouteContent[];
  readonly site: readonly SiteContent[];
  readonly "unknown-hosts": "default" | "refuse";
  /** Defaults of all routes. */
  readonly settings: Partial<RouteSettings>;
}

interface SettingRow<T> {
  /** In the file. */
  readonly key: string;
  readonly schema: z.ZodType<T>;
  /** What `false` means: what was asked for further out does not hold here. */
  readonly off: T;
}

/** What may be said of a route, and of a site or at the top for all routes below. */
const settingRows: { readonly [K in keyof RouteSettings]: SettingRow<RouteSettings[K]> } = {
  timeoutMs: {
    key: "timeout",
    schema: written(duration).describe("A request at work longer than this ends with 504; 0 = no limit"),
    off: 0,
  },
  limitRequestBody: {
    key: "limit-request-body",
    schema: written(bytes(Number.MAX_SAFE_INTEGER)).describe(
      "The largest request body; a larger one is answered with 413 unread; 0 = no limit",
    ),
    off: 0,
  },
  requestBuffering: {
    key: "request-buffering",
    schema: written(choice(["auto", "on", "off"])).describe("Whether a request waits for its whole body"),
    off: "off",
  },
  ...protectionRows,
  maintenance: { key: "maintenance", schema: maintenanceSettings, off: null },
  errorPages: { key: "error-pages", schema: errorPagesSettings, off: null },
  accel: { key: "accel", schema: accelSettings, off: [] },
  sendfileRoots: { key: "sendfile-roots", schema: sendfileSettings, off: [] },
  compression: { key: "compression", schema: compressionSettings, off: "off" },
  cache: {
    key: "cache",
    schema: cacheSettings.describe(
      "Keep responses and answer from them: true for what their Cache-Control allows, or a text or a table for more",
    ),
    off: "off",
  },
};

/** Who answers: one of these keys. */
const destinationRows: Readonly<Record<string, z.ZodType<DestinationContent>>> = {
  pool: z
    .string()
    .transform((pool): DestinationContent => ({ type: "pool", pool }))
    .describe("The pool of workers of that name (see pools); main is the one of app"),
  static: staticSettings.transform((plan): DestinationContent => ({ type: "static", ...plan })),
  redirect: redirectSettings.transform((plan): DestinationContent => ({ type: "redirect", ...plan })),
  respond: respondSettings.transform((plan): DestinationContent => ({ type: "respond", ...plan })),
  upstream: upstreamSettings.transform((upstream): DestinationContent => ({ type: "upstream", upstream })),
};
export const destinationKeys: readonly string[] = ["app", ...Object.keys(destinationRows)];

/** The keys that hold for routes wherever they stand; the settings table has some of them too. */
export const settingKeys: readonly string[] = Object.values(settingRows).map(({ key }) => key);

const pathPattern: ValueType<PathPattern> = (text) => {
  const pattern = parsePattern(text);
  return "why" in pattern ? wrong(pattern.why) : value(pattern);
};
const pattern = read(pathPattern);

const method: ValueType<string> = (text) =>
  /^[!#$%&'*+.^`|~\w-]+$/.test(text) ? value(text.toUpperCase()) : wrong("is no request method");

const fieldName = /^[!#$%&'*+.^`|~\w-]+$/;

const match = z
  .strictObject({
    methods: oneOrMore(read(method)).optional().describe('Request methods, for example ["GET", "HEAD"]'),
    headers: z
      .record(z.string().regex(fieldName, "is no header name"), z.union([z.string(), z.literal(true)]))
      .optional()
      .describe("Header fields the request must have: with this value, or (true) with any"),
  })
  .transform(({ methods, headers }): RouteContent["match"] => ({
    methods: methods ?? [],
    headers: Object.entries(headers ?? {}).map(([name, value]) => ({
      name: name.toLowerCase(),
      value: value === true ? null : value,
    })),
  }));

const settingShape = Object.fromEntries(
  Object.values(settingRows).map((row: SettingRow<unknown>) => {
    const { key, schema, off } = row;
    const switched = z.literal(false).transform(() => off);
    return [
      key,
      z
        .union([schema, switched])
        .optional()
        .describe(schema.description ?? ""),
    ];
  }),
);

const destinationShape = Object.fromEntries(
  Object.entries(destinationRows).map(([key, schema]) => [key, schema.optional()]),
);

const route: z.ZodType<RouteContent> = z
  .strictObject({
    path: oneOrMore(pattern).describe(
      "Which paths: /reports is it and all below, /reports$ only it, an asterisk one or more characters within a segment",
    ),
    match: match.optional().describe("What else the request must be like"),
    app: read(appTarget).optional().describe("Another application, in a pool of its own"),
    mount: z.boolean().optional().describe("With app: the path is the application's root (SCRIPT_NAME, root_path)"),
    ...destinationShape,
    ...settingShape,
  })
  .transform((table: Record<string, unknown>, context): RouteContent => {
    const named = destinationKeys.filter((key) => table[key] !== undefined);
    const complain = (message: string): never => {
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    };
    if (named.length > 1) return complain(`has ${named.join(" and ")}: one of them answers, give only that`);
    const patterns = table["path"] as readonly PathPattern[];
    if (table["mount"] === true && named[0] !== "app") return complain("has mount without app");
    const [only, ...more] = patterns;
    if (table["mount"] === true && (more.length > 0 || only === undefined || !isMountable(only)))
      return complain("has mount, which takes one plain path (/api) that is not /");
    const app = table["app"] as string | undefined;
    const destination =
      app !== undefined
        ? ({ type: "app", app, mount: table["mount"] === true } as const)
        : ((table[named[0] ?? ""] ?? null) as DestinationContent | null);
    return {
      patterns,
      match: (table["match"] as RouteContent["match"] | undefined) ?? { methods: [], headers: [] },
      destination,
      settings: settingsIn(table),
    };
  });

const hostName: ValueType<string> = (text) => {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (/^[a-z]+:\/\//.test(name)) return wrong("is a URL: write the host name alone");
  if (/^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(name) || /^\[[\da-f:.]+\]$/.test(name)) return value(name);
  if (/:\d*$/.test(name)) return wrong("has a port: write the host name alone, it counts on every port");
  return wrong("is no host name: write example.com, or *.example.com for all below it");
};

const site: z.ZodType<SiteContent> = z
  .strictObject({
    hosts: oneOrMore(read(hostName)).describe("Its host names: example.com, *.example.com for all below"),
    route: z.array(route).default([]).describe("Its routes"),
    ...settingShape,
  })
  .transform((table): SiteContent => ({ hosts: table.hosts, route: table.route, settings: settingsIn(table) }));

export const fileSchema: z.ZodType<FileContent> = z
  .strictObject({
    app: read(appTarget).optional().describe("The application: MODULE:ATTR, as on the command line"),
    pools: z
      .record(z.string().regex(/^[a-z][\w-]*$/i, "is no name of a pool"), poolSettings)
      .default({})
      .describe("Pools of workers beside the main one, by their names"),
    route: z.array(route).default([]).describe("Routes of the default site"),
    site: z.array(site).default([]).describe("Sites by their host names"),
    "unknown-hosts": z
      .enum(["default", "refuse"])
      .default("default")
      .describe("Requests for a host that no site has: served by the default site, or refused with 421"),
    ...settingShape,
  })
  .transform((table): FileContent => ({
    app: table.app ?? null,
    pools: table.pools,
    route: table.route,
    site: table.site,
    "unknown-hosts": table["unknown-hosts"],
    settings: settingsIn(table),
  }));

// Private

function read<T>(type: ValueType<T>): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const parsed = type(text);
    if (parsed.type === "value") return parsed.value;
    context.addIssue({ code: "custom", message: parsed.why });
    return z.NEVER;
  });
}

function oneOrMore<T>(schema: z.ZodType<T, string>): z.ZodType<readonly T[]> {
  return z.union([schema.transform((one) => [one]), z.array(schema).min(1)]);
}

/** Only what was said. */
function settingsIn(table: Record<string, unknown>): Partial<RouteSettings> {
  const said: Record<string, unknown> = {};
  for (const [field, { key }] of Object.entries(settingRows)) if (table[key] !== undefined) said[field] = table[key];
  return said as Partial<RouteSettings>;
}

/** A prefix that the front can cut off: no asterisk, something to cut, and the same in every encoding. */
function isMountable({ literal, isExact }: PathPattern): boolean {
  return literal !== null && !isExact && /^\/[!-~]+$/.test(literal);
}
