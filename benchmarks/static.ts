/** Servers of files: nginx as it is recommended for them (sendfile, tcp_nopush), and maitred's --static. */
import { nginxBeginning } from "./nginx.ts";
import type { Launch, Place, Setting } from "./servers.ts";

/** Sizes that say something: what a page has many of, and a download. */
const FILES: Readonly<Record<string, number>> = { "one.txt": 1024, "large.txt": 100_000_000 };

/** What each of them begins with. */
export const IN_FILE = "Hello, World!";

export const maitredStatic: Setting = {
  server: "maitred",
  label: "--static",
  launch: (place) => ({
    files: files(place, {}),
    commands: [
      [
        place.maitred,
        "-b",
        `127.0.0.1:${place.port}`,
        "-w",
        "1",
        "--static",
        `/static=${place.folder}`,
        "--chdir",
        place.appsFolder,
        "--python",
        `${place.venv}/python`,
        place.app,
      ],
    ],
  }),
};

export const nginxStatic: Setting = {
  server: "nginx",
  label: "sendfile",
  launch: (place) => ({
    files: files(place, { "nginx.conf": configuration(place) }),
    commands: [[place.nginx, "-p", place.folder, "-c", `${place.folder}/nginx.conf`, "-e", "stderr"]],
  }),
};

// Private

function files(_place: Place, more: Readonly<Record<string, string>>): NonNullable<Launch["files"]> {
  const made = Object.entries(FILES).map(([name, size]) => [name, IN_FILE.padEnd(size, "x")] as const);
  return { ...Object.fromEntries(made), ...more };
}

function configuration({ port, folder }: Place): string {
  return `${nginxBeginning(folder)}
  sendfile on;
  tcp_nopush on;
  types { text/plain txt; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location /static { alias ${folder}; }
  }
}
`;
}
