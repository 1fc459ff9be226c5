/** The words after `maitred cache`: what is to be purged, and from which server's cache. */
import { bind } from "../../config/bind.ts";
import type { Bind } from "../../config/plan.ts";
import { pathMistake, type PurgeWish, splitTags } from "../../cache/purge.ts";
import type { Target } from "../control/options.ts";

export type CacheWords =
  | { readonly type: "purge"; readonly target: Target; readonly wish: PurgeWish }
  | { readonly type: "help" }
  | { readonly type: "mistake"; readonly message: string };

export const cacheHelp = `Usage: maitred cache purge [PATH...] [OPTIONS]

Takes responses out of the cache of a running server. A PATH is purged with all its queries, one with a query alone, and
one that ends in * with everything that begins so.

  -t, --tag TAG             what the application has tagged so (Surrogate-Key, Cache-Tag); may be repeated
      --all                 everything
      --host HOST[:PORT]    only of this host; otherwise of all hosts
      --soft                do not remove it: ask the application at the next request whether it is still good
  -b, --bind ADDRESS        the server that listens there
  -p, --pid FILE            the server with this pid file, or pid
      --control-socket PATH the server that was started with this option
  -h, --help                print this text and leave

Without one of the last three: the only server that runs here under your user.
Exit codes: 0 done, 1 the server could not do it, 2 wrong options, 3 no server, 4 several servers, 5 not permitted.
`;

const VALUED = ["-t", "--tag", "--host", "-b", "--bind", "-p", "--pid", "--control-socket"];

export function cacheWords(argv: readonly string[]): CacheWords {
  const [verb, ...words] = argv;
  if (verb === undefined || verb === "-h" || verb === "--help") return { type: "help" };
  if (verb !== "purge") return mistake(`maitred cache has no ${verb}: there is maitred cache purge`);
  const paths: string[] = [];
  const tags: string[] = [];
  let isEverything = false;
  let isSoft = false;
  let host: string | null = null;
  let address: Bind | null = null;
  let pid: string | null = null;
  let controlSocket: string | null = null;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const [flag = "", ...rest] = word.startsWith("--") ? word.split("=") : [word];
    if (flag === "-h" || flag === "--help") return { type: "help" };
    if (flag === "--all") isEverything = true;
    else if (flag === "--soft") isSoft = true;
    else if (VALUED.includes(flag)) {
      const text = rest.length > 0 ? rest.join("=") : words[++at];
      if (text === undefined || text === "") return mistake(`${flag} needs a value`);
      if (flag === "-t" || flag === "--tag") tags.push(...splitTags(text));
      else if (flag === "--host") host = text;
      else if (flag === "-p" || flag === "--pid") pid = text;
      else if (flag === "--control-socket") controlSocket = text;
      else {
        const parsed = bind(text);
        if (parsed.type === "wrong") return mistake(`${flag} ${text} ${parsed.why}`);
        address = parsed.value;
      }
    } else if (word.startsWith("-")) return mistake(`unknown option ${flag} of maitred cache purge`);
    else {
      const wrong = pathMistake(word);
      if (wrong !== null) return mistake(wrong);
      paths.push(word);
    }
  }
  if (paths.length === 0 && tags.length === 0 && !isEverything)
    return mistake("say what is to be purged: a path, --tag or --all");
  if (isEverything && paths.length + tags.length > 0) return mistake("--all is everything: give no path and no tag");
  if ([address, pid, controlSocket].filter((one) => one !== null).length > 1)
    return mistake("--bind, --pid and --control-socket each name a server: give one of them");
  return {
    type: "purge",
    target: { bind: address, pid, controlSocket },
    wish: { paths, tags, isEverything, host, isSoft },
  };
}

function mistake(message: string): CacheWords {
  return { type: "mistake", message };
}
