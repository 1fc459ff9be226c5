/**
 * The chaos scenarios on maitred and its peers, side by side, as a table in Markdown: scripts/chaos --peers [WORD...]. Words choose scenarios and
 * servers whose names contain them.
 */
import { cpus, loadavg } from "node:os";

import { scenarios } from "./scenarios.ts";
import { servers, versions } from "./servers.ts";

const words = process.argv.slice(2).map((word) => word.toLowerCase());
const wanted = <T>(all: readonly T[], name: (one: T) => string): readonly T[] => {
  const chosen = all.filter((one) => words.some((word) => name(one).toLowerCase().includes(word)));
  return chosen.length > 0 ? chosen : all;
};
const rows = wanted(scenarios, ({ title }) => title);
const columns = wanted(servers, ({ name }) => name);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const load = loadavg()[0]?.toFixed(1);
say(
  `${new Date().toISOString().slice(0, 10)}; ${versions()}; ${cpus().length} cores, load average ${load} before it.\n`,
);
say(`| | ${columns.map(({ name }) => name).join(" | ")} |`);
say(`|---|${columns.map(() => "---|").join("")}`);
for (const { title, run } of rows) {
  const cells: string[] = [];
  for (const server of columns) {
    process.stderr.write(`${title}: ${server.name}\n`);
    cells.push(
      (await run(server).catch((error: Error) => `could not be measured: ${error.message.split("\n")[0]}`)) ?? "–",
    );
  }
  say(`| ${title} | ${cells.join(" | ")} |`);
}
