/** `maitred check`: reads everything that serving would read, starts nothing, and says what is wrong; or explains what it read. */
import { readJudged } from "../read-judged.ts";
import { resolve } from "../../config/resolve.ts";
import { originName } from "../../config/origin.ts";
import { explain } from "./explain.ts";

export const checkUsage = `Usage: maitred check [--explain | --schema] [OPTIONS] [MODULE[:ATTR]]

Reads the configuration file, the environment and the options as a start with the same words would, starts nothing, and tells every
mistake at once. See docs/configuration.md.

      --explain                     Print each value and where it comes from, and the routes in the order they are tried
      --schema                      Print the JSON Schema of the configuration file, for editors
  -h, --help                        Print this text and leave

Other options are those of maitred. Exit codes: 0 it would start, 2 it would not.
`;

const EXIT_MISTAKE = 2;

export async function checkCommand(
  argv: readonly string[],
  print: (text: string) => void,
  warn: (text: string) => void,
): Promise<number> {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const own = new Set(argv.slice(0, end).filter((word) => OWN.has(word)));
  const words = argv.filter((word, at) => at >= end || !OWN.has(word));
  if (own.has("--schema")) {
    const { configurationSchema } = await import("../../config/file/json-schema.ts");
    print(`${JSON.stringify(configurationSchema(), null, 2)}\n`);
    return 0;
  }
  const { result, configuration, remarks } = await readJudged(words, process.env, process.cwd(), false);
  switch (result.type) {
    case "help":
      print(checkUsage);
      return 0;
    case "version":
      warn("maitred: error: maitred check takes no --version\n");
      return EXIT_MISTAKE;
    case "mistakes": {
      return refused(result.mistakes);
    }
    case "plan": {
      for (const notice of [...result.notices, ...remarks]) warn(`maitred: notice: ${notice}\n`);
      const resolved = resolve(words, process.env, configuration?.settings);
      if (own.has("--explain")) {
        print(explain(result.plan, resolved, appOrigin(resolved.positionals, configuration), configuration));
        return 0;
      }
      const { plan } = result;
      const routes = plan.sites.reduce((count, site) => count + site.routes.length, 0);
      print(
        `${configuration?.name ?? "The options"}: fine (${plan.app === "" ? "no application" : plan.app}, ${counted(Math.max(1, plan.sites.length), "site")}, ${counted(routes, "route")}, ${counted(plan.pools.length + 1, "pool")})\n`,
      );
      return 0;
    }
  }

  function refused(mistakes: readonly string[]): number {
    for (const mistake of mistakes) warn(`maitred: error: ${mistake}\n`);
    warn(`${counted(mistakes.length, "mistake")}: nothing would start\n`);
    return EXIT_MISTAKE;
  }

  function appOrigin(positionals: readonly string[], file: typeof configuration): string {
    if (positionals.length > 0) return "command line";
    if ((process.env["UVICORN_APP"] ?? "") !== "")
      return originName({ type: "environment", name: "UVICORN_APP", text: "" });
    return file?.where(["app"]) ?? "";
  }
}

const OWN: ReadonlySet<string> = new Set(["--explain", "--schema"]);

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
