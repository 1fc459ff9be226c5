/** A real nginx in front, for the tests that need one; null where none is installed. */
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

import { freePort, temporaryFolder } from "./places.ts";

export interface Nginx {
  readonly port: number;
  stop(): Promise<void>;
}

/** Debian keeps it in /usr/sbin, which is on few people's PATH. */
export const nginxPath: string | null =
  [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]
    .map((folder) => join(folder, "nginx"))
    .find((path) => existsSync(path)) ?? null;

/** Starts nginx with the directives of a location that serves everything. */
export async function startNginx(location: string): Promise<Nginx> {
  const folder = temporaryFolder();
  const port = await freePort();
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    join(folder, "nginx.conf"),
    `worker_processes 1; pid ${folder}/pid; daemon off; error_log stderr notice;
     events { worker_connections 64; }
     http { access_log off; ${paths.join(" ")} server { listen 127.0.0.1:${port}; location / { ${location} } } }`,
  );
  const child = spawn(nginxPath!, ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", "stderr"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (data: string) => {
      said += data;
      if (said.includes("start worker process ")) resolve();
    });
    void ended.then(() => reject(new Error(`nginx ended: ${said}`)));
  });
  return {
    port,
    stop: () => {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
