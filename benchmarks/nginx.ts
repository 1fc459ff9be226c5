/** nginx as a reverse proxy at its best for this: one worker, a unix socket, kept-alive upstream connections, no logs. */

export interface NginxPlace {
  readonly port: number;
  readonly folder: string;
  readonly socket: string;
  readonly tls: boolean;
  readonly http2: boolean;
  /** 0 = no compression. */
  readonly gzipLevel: number;
  /** What the app allows to be kept is answered from nginx's own cache. */
  readonly cache: boolean;
  /** Room for many connections and for bodies of any size. */
  readonly besieged: boolean;
}

export function nginxConfiguration({
  port,
  folder,
  socket,
  tls,
  http2,
  gzipLevel,
  cache,
  besieged,
}: NginxPlace): string {
  return `${nginxBeginning(folder, besieged ? 16_384 : 1024)}
${besieged ? "  client_max_body_size 0;\n" : ""}${gzipLevel === 0 ? "" : `  gzip on;\n  gzip_comp_level ${gzipLevel};\n  gzip_proxied any;\n  gzip_types application/json;\n`}
${cache ? `  proxy_cache_path ${folder}/cache keys_zone=bench:10m;\n  open_file_cache max=1000;\n` : ""}
  upstream app {
    server unix:${socket};
    keepalive 64;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=1024${tls ? " ssl" : ""}${http2 ? " http2" : ""};
${tls ? `    ssl_certificate ${folder}/cert.pem;\n    ssl_certificate_key ${folder}/key.pem;\n    ssl_protocols TLSv1.2 TLSv1.3;` : ""}
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
${cache ? "      proxy_cache bench;\n      proxy_cache_lock on;" : ""}
    }
  }
}
`;
}

/** What every configuration begins with: one worker, no logs, nothing outside the folder. Ends within `http {`. */
export function nginxBeginning(folder: string, connections: number = 1024): string {
  const buffers = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `  ${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections ${connections}; }
http {
  access_log off;
  keepalive_requests 1000000;
${buffers.join("\n")}`;
}
