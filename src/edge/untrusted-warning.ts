/** What is told about a forwarding field from somebody who is no trusted proxy. */
import type { Log } from "../telemetry/log.ts";
import type { EdgeContext } from "./context.ts";

/** Once per start: a scanner that tries it all day long must not fill the log. */
export function untrustedWarning(log: Log): EdgeContext["onUntrusted"] {
  let isTold = false;
  return (address, { headers }) => {
    if (isTold) return;
    isTold = true;
    const { raw } = headers.names.find((name) => name.isForwarding)!;
    const from = address || "a Unix socket";
    const list = address === "" ? "unix" : `${address}, or a range`;
    log.warning(
      `${raw} from ${from} was removed, as that is no trusted proxy. If it is your proxy, give --forwarded-allow-ips ${list} (told once)`,
    );
  };
}
