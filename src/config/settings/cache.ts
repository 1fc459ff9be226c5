/** The response cache: how much it may hold, and where. What it does with which requests is a route's business (config/sites/cache.ts). */
import { single, type Section, type Setting } from "../setting.ts";
import { memory, text } from "../value-types.ts";

export const cacheMemory: Setting<number> = single({
  key: "cache-memory",
  flags: ["--cache", "--cache-memory"],
  metavar: "SIZE",
  type: memory,
  fallback: 0,
  fallbackText: "0",
  help: "Keep responses, as the application's own Cache-Control allows, in so much memory; 0 is no cache",
  doc: `A shared cache as RFC 9111 describes it: what the application says in \`Cache-Control\`, \`Expires\`, \`Vary\` and \`ETag\` decides; requests for the
same response wait for one. \`maitred cache purge\` takes things out. Routes of the configuration file may have their own rules (\`cache = …\`); where only
they ask for a cache, it has 64M. See docs/cache.md.`,
});

export const cacheDisk: Setting<string | null> = single<string | null>({
  key: "cache-disk",
  flags: ["--cache-disk"],
  metavar: "FOLDER",
  type: text,
  fallback: null,
  help: "Folder where the cache also keeps its responses, so that they survive a restart",
  doc: "What no longer fits in memory is read from there. The files are readable by this user alone.",
});

export const cacheDiskSize: Setting<number> = single({
  key: "cache-disk-size",
  flags: ["--cache-disk-size"],
  metavar: "SIZE",
  type: memory,
  fallback: 1_073_741_824,
  fallbackText: "1G",
  help: "Most that the files in --cache-disk may hold together",
  doc: "",
});

export const cacheSection: Section = { title: "Response cache", settings: [cacheMemory, cacheDisk, cacheDiskSize] };
