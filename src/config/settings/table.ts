/** The table: every setting there is, by section, in the order of --help and docs/settings.md. */
import type { Section, Setting } from "../setting.ts";
import { bindSection } from "./bind.ts";
import { bufferingSection } from "./buffering.ts";
import { filesSection } from "./files.ts";
import { cacheSection } from "./cache.ts";
import { httpSection } from "./http.ts";
import { http2Section } from "./http2.ts";
import { limitsSection } from "./limits.ts";
import { loggingSection } from "./logging.ts";
import { operationsSection } from "./operations.ts";
import { poolsSection } from "./pools.ts";
import { processSection } from "./process.ts";
import { proxySection } from "./proxy.ts";
import { pythonSection } from "./python.ts";
import { reloadSection } from "./reload.ts";
import { tlsSection } from "./tls.ts";
import { timeoutsSection } from "./timeouts.ts";
import { webSocketSection } from "./web-socket.ts";
import { workersSection } from "./workers.ts";

export const sections: readonly Section[] = [
  bindSection,
  tlsSection,
  workersSection,
  poolsSection,
  pythonSection,
  reloadSection,
  timeoutsSection,
  limitsSection,
  bufferingSection,
  filesSection,
  proxySection,
  httpSection,
  cacheSection,
  http2Section,
  webSocketSection,
  loggingSection,
  operationsSection,
  processSection,
];

export const settings: readonly Setting<unknown>[] = sections.flatMap((section) => section.settings);
