/** make bench: measures maitred and its peers, scenario by scenario, the servers in turns (A B C A B C), and prints what it found. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeMachine, find, isExecutable } from "./machine.ts";
import { fixedWorkMs, speedSentence } from "./machine-speed.ts";
import { type Measurement, measure } from "./measure.ts";
import { type Options, USAGE, UsageError, parseOptions } from "./options.ts";
import { type Row, faults, table } from "./report.ts";
import { type Programs, killRunningServers } from "./running-server.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import type { Setting } from "./servers.ts";

const checkout = join(import.meta.dirname, "..");

async function main(options: Options): Promise<void> {
  const nginx = find("nginx");
  const varnish = find("varnishd");
  const wrk = options.bundledClient ? null : find("wrk");
  const programs: Programs = {
    venv: join(checkout, ".tools/bench/bin"),
    appsFolder: join(import.meta.dirname, "apps"),
    maitred: resolve(options.maitred ?? join(checkout, "bin/maitred")),
    nginx: nginx ?? "nginx",
    varnish: varnish ?? "varnishd",
  };
  const machine = describeMachine(checkout, programs.venv, { nginx, varnish, wrk });
  for (const line of machine) console.log(line);
  if (!isExecutable(programs.maitred)) complain(`${programs.maitred} is not there: maitred is left out`);

  const present = (setting: Setting): boolean =>
    (nginx !== null || !setting.server.startsWith("nginx")) &&
    (varnish !== null || !setting.server.startsWith("varnish")) &&
    (isExecutable(programs.maitred) || !setting.server.startsWith("maitred"));

  for (const scenario of chosen(options)) {
    const seconds = options.seconds ?? scenario.seconds;
    const settings = scenario.settings.filter(
      (setting) => present(setting) && (options.servers?.includes(setting.server) ?? true),
    );
    const tried = options.short
      ? settings.filter(({ server }, index) => settings.findIndex((other) => other.server === server) === index)
      : settings;
    if (tried.length === 0) continue;
    const title = `${scenario.name}: ${scenario.about} (${options.rounds} x ${seconds} s)`;
    console.log(`\n${title}`);
    const speedsMs: number[] = [];
    const rows = await measured(tried, scenario, options.rounds, (setting, round) => {
      speedsMs.push(fixedWorkMs());
      return measure(setting, scenario, { programs, wrk, seconds, seed: round });
    });
    const found = [
      table(scenario, rows),
      "",
      "* a server's best setting. CPU: user and system time of the whole process tree, a request.",
      speedSentence(speedsMs),
      ...rows.flatMap(faults),
    ].join("\n");
    console.log(found);
    if (rows.some((row) => faults(row).length > 0)) process.exitCode = 1;
    if (options.save) save(scenario, title, machine, found, tried, programs);
  }
}

async function measured(
  settings: readonly Setting[],
  scenario: Scenario,
  rounds: number,
  once: (setting: Setting, round: number) => Promise<Measurement>,
): Promise<readonly Row[]> {
  const rows = settings.map((setting) => ({ setting, measurements: [] as Measurement[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { setting, measurements } of rows) {
      if (process.stderr.isTTY)
        process.stderr.write(`\r\x1b[K${scenario.name}, round ${round + 1}: ${setting.server} ${setting.label}\r`);
      measurements.push(await once(setting, round));
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\x1b[K");
  return rows;
}

function chosen(options: Options): readonly Scenario[] {
  const names = SCENARIOS.map(({ name }) => name);
  const servers = new Set(SCENARIOS.flatMap(({ settings }) => settings.map(({ server }) => server)));
  for (const name of options.only ?? [])
    if (!names.includes(name)) throw new UsageError(`no scenario ${name}; there are ${names.join(", ")}`);
  for (const name of options.servers ?? [])
    if (!servers.has(name)) throw new UsageError(`no server ${name}; there are ${[...servers].join(", ")}`);
  return SCENARIOS.filter(({ name }) => options.only?.includes(name) ?? true);
}

function save(
  scenario: Scenario,
  title: string,
  machine: readonly string[],
  found: string,
  settings: readonly Setting[],
  programs: Programs,
): void {
  const place = { ...programs, app: scenario.app, port: 8000, folder: "/tmp/run" };
  const commands = settings.flatMap((setting) =>
    setting.launch(place).commands.map((command) => command.join(" ").replaceAll(`${checkout}/`, "")),
  );
  const text = [
    `# ${title}`,
    "",
    ...machine.map((line) => `- ${line}`),
    `- command: scripts/bench ${process.argv.slice(2).join(" ")}`,
    "",
    found,
    "",
    "Each setting's command, in the table's order (nginx has one of its own):",
    "",
    ...commands.map((command) => `    ${command}`),
    "",
  ];
  const folder = join(import.meta.dirname, "results");
  const file = join(folder, `${new Date().toISOString().slice(0, 10)}-${scenario.name}.md`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text.join("\n"));
  console.log(`saved: ${file}`);
}

function complain(sentence: string): void {
  console.log(`!! ${sentence}`);
  process.exitCode = 1;
}

process.on("exit", killRunningServers);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
