/** Names of control sockets, and finding them in /proc/net/unix. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { controlName, controlSockets } from "./control-name.ts";

test("only listening sockets with our kind of name are found", () => {
  const text = [
    "Num       RefCount Protocol Flags    Type St Inode Path",
    "0000000000000000: 00000002 00000000 00010000 0001 01 78901 @maitred-control-1000-4711",
    "0000000000000000: 00000003 00000000 00000000 0001 03 78902 @maitred-control-1000-4711",
    "0000000000000000: 00000002 00000000 00010000 0001 01 78903 @maitred-4711-0011223344556677",
    "0000000000000000: 00000002 00000000 00010000 0001 01  12 @maitred-control-0-1",
    "0000000000000000: 00000002 00000000 00010000 0001 01 13 /tmp/@maitred-control-0-1",
    "0000000000000000: 00000002 00000000 00010000 0001 01 14 @maitred-control-0-1x",
    "",
  ].join("\n");
  assert.deepEqual(controlSockets(text), [
    { name: controlName(1000, 4711), uid: 1000, pid: 4711, inode: "78901" },
    { name: controlName(0, 1), uid: 0, pid: 1, inode: "12" },
  ]);
});
