/** Files that are served without the application. */
import { repeated, single, toggle, type Section, type Setting } from "../setting.ts";
import { staticSpec, type StaticSpec } from "../static-spec.ts";
import { accelFolder, type AccelFolder } from "../named-files.ts";
import { bytes, text } from "../value-types.ts";

export const staticFolders: Setting<readonly StaticSpec[]> = repeated({
  key: "static",
  flags: ["--static"],
  metavar: "/PATH=FOLDER",
  type: staticSpec,
  help: "Serves the files of a folder below a path, without the application; auto takes Django's own settings",
  doc: `\`--static /static=build/static --static /media=/srv/media\`: the path is a pattern as for \`--pool\`, the folder is seen from \`--chdir\`. What
is not there gets 404, other methods than GET and HEAD get 405. \`--static auto\` asks a Django application for STATIC_URL and STATIC_ROOT,
MEDIA_URL and MEDIA_ROOT. Validators, ranges, compressed files, caching, what is never served: [static files](static-files.md). nginx: \`alias\`.`,
});

export const staticMemory: Setting<number> = single({
  key: "static-memory",
  flags: ["--static-memory"],
  metavar: "BYTES",
  type: bytes(68_719_476_736),
  fallback: 67_108_864,
  fallbackText: "64m",
  help: "Memory for small static files, over all folders; 0 reads them from the disk each time",
  doc: "A file of up to 256 KiB (or an eighth of this, if less) is kept; what is used least goes first. The disk is asked once a second whether it has changed.",
});

export const accel: Setting<readonly AccelFolder[]> = repeated({
  key: "accel",
  flags: ["--accel"],
  metavar: "/PATH=FOLDER",
  type: accelFolder,
  help: "Folder whose files the application may send by X-Accel-Redirect, as under nginx",
  doc: `\`--accel /protected=/srv/files\`: a response with \`X-Accel-Redirect: /protected/a.pdf\` becomes the file \`/srv/files/a.pdf\`, and its worker is free
at once. Clients cannot ask for the path themselves. Without this option the header goes on to whoever stands before maitred. See
[static files](static-files.md#files-that-the-application-names).`,
});

export const sendfileRoots: Setting<readonly string[]> = repeated({
  key: "sendfile-root",
  flags: ["--sendfile-root"],
  metavar: "FOLDER",
  type: text,
  help: "Folder whose files the application may send by X-Sendfile, with their absolute paths",
  doc: "What lies elsewhere is refused with 502, and the log says so. Without this option the header goes on to whoever stands before maitred.",
});

export const sendfile: Setting<boolean> = toggle({
  key: "sendfile",
  flags: ["--sendfile"],
  offFlags: ["--no-sendfile"],
  fallback: true,
  help: "Sends large files by a small process of its own with sendfile(2), on plain HTTP/1.1 under Linux",
  doc: `A third of the CPU time of reading and writing them. The process (Python, standard library only, some 9 MB) is started by the first file, or part of
one, of 2 MiB or more, and is lent the client's socket for its length. Over TLS and HTTP/2, or with \`--no-sendfile\`, files are read and written by the
server itself. gunicorn: \`--no-sendfile\`; nginx: \`sendfile\`.`,
});

export const filesSection: Section = {
  title: "Static files",
  settings: [staticFolders, staticMemory, accel, sendfileRoots, sendfile],
};
