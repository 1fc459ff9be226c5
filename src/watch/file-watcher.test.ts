/** Real files in a temporary folder, and the kernel's word on them. */
import assert from "node:assert/strict";
import fs, { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { systemClock } from "../clock.ts";
import { FileChoice } from "./file-choice.ts";
import { FileWatcher } from "./file-watcher.ts";

const root = mkdtempSync(join(tmpdir(), "maitred-watch-"));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const troubles: string[] = [];
after(() => assert.deepEqual(troubles, []));

/** Watches a new folder; `until` waits until a path has been told that ends so. */
function watched(engine: "inotify" | "poll", prepare: (folder: string) => void) {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  prepare(folder);
  const told: string[] = [];
  let look = (): void => {};
  const choice = new FileChoice({ folders: [folder], files: [], include: [], exclude: [], excludeFolders: [] });
  const watcher = new FileWatcher(
    choice,
    { engine, pollMs: 20 },
    systemClock,
    (path) => {
      told.push(path.slice(folder.length + 1));
      look();
    },
    (message) => troubles.push(message),
  );
  watcher.start();
  // The watch's own handles do not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  const close = (): void => {
    watcher.close();
    clearInterval(alive);
  };
  const until = (path: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (told.includes(path)) resolve();
      };
      look();
    });
  return { folder, told, until, watcher, close };
}

for (const engine of ["inotify", "poll"] as const) {
  test(`${engine}: a folder that is replaced by another of its name is watched on`, async () => {
    const { folder, until, told, close } = watched(engine, (at) => {
      mkdirSync(join(at, "part"));
      writeFileSync(join(at, "part/a.py"), "1");
    });
    mkdirSync(join(folder, ".next"));
    writeFileSync(join(folder, ".next/b.py"), "1");
    rmSync(join(folder, "part"), { recursive: true });
    renameSync(join(folder, ".next"), join(folder, "part"));
    await until("part/a.py");
    await until("part/b.py");
    told.length = 0;
    writeFileSync(join(folder, "part/b.py"), "12");
    await until("part/b.py");
    told.length = 0;
    mkdirSync(join(folder, "part/x/y/z"), { recursive: true });
    writeFileSync(join(folder, "part/x/y/z/c.py"), "1");
    await until("part/x/y/z/c.py");
    close();
  });

  test(`${engine}: what is not chosen is not told, and a file read again is no change`, async () => {
    const { folder, until, told, close } = watched(engine, (at) => writeFileSync(join(at, "a.py"), "1"));
    writeFileSync(join(folder, "a.txt"), "1");
    mkdirSync(join(folder, "__pycache__"));
    writeFileSync(join(folder, "__pycache__/a.py"), "1");
    writeFileSync(join(folder, "z.py"), "1");
    await until("z.py");
    assert.deepEqual([...new Set(told)], ["z.py"]);
    close();
  });
}

test("the description says how many and how", () => {
  const { watcher, close } = watched("poll", (at) => writeFileSync(join(at, "a.py"), "1"));
  assert.equal(watcher.description, "1 file, looking every 20 ms");
  close();
});

test("where the kernel watches no more folders, it looks at the files, and says so", async () => {
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const calls = mock.method(fs, "watch", () => {
    throw full;
  });
  syncBuiltinESMExports();
  const { folder, until, watcher, close } = watched("inotify", (at) => writeFileSync(join(at, "a.py"), "1"));
  calls.mock.restore();
  syncBuiltinESMExports();
  assert.match(
    troubles.splice(0).join(),
    /^The kernel does not watch \S+ \(no space left\): looking .* every 20 ms instead$/,
  );
  assert.equal(watcher.description, "1 file, looking every 20 ms");
  writeFileSync(join(folder, "a.py"), "12");
  await until("a.py");
  close();
});
