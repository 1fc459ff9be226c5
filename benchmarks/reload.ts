/**
 * From a save to the first answer of the new code: maitred --reload and the frameworks' own development servers, on the examples.
 *
 *     .tools/bin/node benchmarks/reload.ts [rounds]
 *
 * A client asks all the time, one request after the other, and asks again when it is refused; so the time ends when the new code has answered.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "..");
const python = join(repository, ".tools/examples/bin/python");
const maitred = join(repository, "bin/maitred");
const rounds = Number(process.argv[2] ?? 10);
const PATIENCE_MS = 60_000;

interface Framework {
  readonly example: string;
  readonly file: string;
  /** Python that makes `/__round` answer so. */
  readonly route: (answer: string) => string;
  readonly servers: Readonly<Record<string, (port: number) => readonly string[]>>;
}

const ours = (target: string) => (port: number) => [
  maitred,
  "--python",
  python,
  "--reload",
  "-b",
  `127.0.0.1:${port}`,
  target,
];

const FRAMEWORKS: readonly Framework[] = [
  {
    example: "flask",
    file: "app.py",
    route: (answer) =>
      `\napp.view_functions.pop("round", None)\nround_view = lambda: "${answer}"\napp.add_url_rule("/__round", "round", round_view)\n`,
    servers: {
      "maitred --reload": ours("app:app"),
      "flask run --debug": (port) => [python, "-m", "flask", "--app", "app:app", "run", "--debug", "-p", String(port)],
    },
  },
  {
    example: "django",
    file: "readinglist/urls.py",
    route: (answer) =>
      `\nfrom django.http import HttpResponse\nurlpatterns = [path("__round", lambda request: HttpResponse("${answer}")), *urlpatterns]\n`,
    servers: {
      "maitred --reload": ours("readinglist.wsgi:application"),
      "manage.py runserver": (port) => [python, "manage.py", "runserver", String(port)],
    },
  },
];

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

function ask(port: number): Promise<string> {
  return new Promise((done) => {
    const request = get({ host: "127.0.0.1", port, path: "/__round", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (data: string) => (text += data));
      response.on("end", () => done(text)).on("error", () => done(""));
    });
    request.on("error", () => setTimeout(() => done(""), 1));
  });
}

async function until(port: number, answer: string, child: ChildProcess): Promise<void> {
  const begin = performance.now();
  while ((await ask(port)) !== answer) {
    if (child.exitCode !== null) throw new Error(`the server has ended (${child.exitCode})`);
    if (performance.now() - begin > PATIENCE_MS) throw new Error(`no answer of round ${answer}`);
  }
}

for (const framework of FRAMEWORKS) {
  for (const [name, command] of Object.entries(framework.servers)) {
    const folder = mkdtempSync(join(tmpdir(), "maitred-bench-"));
    cpSync(join(repository, "examples", framework.example), folder, { recursive: true });
    const env = { ...process.env, READINGLIST_DATABASE: join(folder, "db.sqlite3"), PYTHONDONTWRITEBYTECODE: "" };
    if (framework.example === "django") execFileSync(python, ["manage.py", "prepare"], { cwd: folder, env });
    const file = join(folder, framework.file);
    appendFileSync(file, framework.route("0"));
    const port = await freePort();
    const [program = "", ...args] = command(port);
    const child = spawn(program, args, { cwd: folder, env, stdio: "ignore", detached: true });
    const times: number[] = [];
    try {
      await until(port, "0", child);
      for (let round = 1; round <= rounds; round++) {
        // As a human saves: not while the last save is still being worked on.
        await new Promise((done) => setTimeout(done, 1500));
        const begin = performance.now();
        appendFileSync(file, framework.route(String(round)));
        await until(port, String(round), child);
        times.push(performance.now() - begin);
      }
      const sorted = times.toSorted((a, b) => a - b);
      const ms = (at: number): string => `${Math.round(sorted[at] ?? 0)}`;
      console.log(
        `${framework.example}, ${name}: median ${ms(Math.floor(sorted.length / 2))} ms (${ms(0)} to ${ms(sorted.length - 1)}, ${rounds} saves)`,
      );
    } finally {
      // The group is this script's own: it was made by `detached`.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
