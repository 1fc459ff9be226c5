/** Real files and a real pipe: what is held back when a reader is slow can only be seen there. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test, type TestContext } from "node:test";
import { Journal } from "./journal.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-journal-"));
after(() => rmSync(folder, { recursive: true }));

let count = 0;
const place = (): string => join(folder, `log-${++count}`);

describe("a file", () => {
  test("has every line in order once it is flushed, and what it had before", () => {
    const path = place();
    for (const text of ["a\n", "b\n"]) {
      const journal = new Journal(path, 1);
      journal.line(text);
      journal.line(`caf\u00e9 ${text}`);
      journal.flushSync();
    }
    assert.equal(readFileSync(path, "utf8"), "a\ncaf\u00e9 a\nb\ncaf\u00e9 b\n");
  });

  test("that was moved away keeps what was said before; reopened, the new one has the rest", () => {
    const path = place();
    const journal = new Journal(path, 1);
    journal.line("before\n");
    renameSync(path, `${path}.1`);
    journal.line("still before\n");
    journal.reopen();
    journal.line("after\n");
    journal.flushSync();
    assert.equal(readFileSync(`${path}.1`, "utf8"), "before\nstill before\n");
    assert.equal(readFileSync(path, "utf8"), "after\n");
  });

  test("whose folder is gone cannot be reopened, and the old one goes on", () => {
    const path = place();
    const old = `${path}.old`;
    const moved = mkdtempSync(join(folder, "sub-"));
    const journal = new Journal(join(moved, "log"), 1);
    renameSync(moved, old);
    assert.throws(() => journal.reopen(), { code: "ENOENT" });
    journal.line("still here\n");
    journal.flushSync();
    assert.equal(readFileSync(join(old, "log"), "utf8"), "still here\n");
  });

  test("that cannot be opened is an error at once", () => {
    assert.throws(() => new Journal(join(folder, "none", "log"), 1), { code: "ENOENT" });
  });
});

/** A process that writes to its standard output, a pipe that does not block and that nobody reads until it says so. */
function writer(test: TestContext, program: string): ReturnType<typeof spawn> {
  const source = `
    process.stdout; // makes the pipe non-blocking, as any use of it would
    const { Journal } = await import(${JSON.stringify(new URL("journal.ts", import.meta.url).href)});
    const journal = new Journal("-", 1);
    ${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  test.after(() => child.kill("SIGKILL"));
  return child;
}

describe("a pipe whose reader is slow", () => {
  test("gets every line in order in the end", { timeout: 20_000 }, async (test) => {
    const child = writer(
      test,
      `
      let line = 0;
      const burst = () => {
        for (let i = 0; i < 500; i++) journal.line(String(line++).padStart(99) + "\\n");
        if (line < 20000) setTimeout(burst, 5);
        else { process.send("full"); setTimeout(() => { journal.flushSync(); process.disconnect(); }, 500); }
      };
      burst();`,
    );
    await once(child, "message");
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(child, "close");
    const lines = text.split("\n");
    assert.equal(lines.length, 20_001);
    assert.ok(lines.every((one, i) => i === 20_000 || Number(one) === i));
  });

  test("or gone to sleep does not hold up the end", { timeout: 20_000 }, async (test) => {
    const child = writer(
      test,
      `
      for (let i = 0; i < 20000; i++) journal.line("x".repeat(99) + "\\n");
      journal.flushSync();
      process.exit(7);`,
    );
    const [code] = (await once(child, "exit")) as [number];
    child.stdout!.destroy();
    assert.equal(code, 7);
  });
});
