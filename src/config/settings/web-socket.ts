/** WebSockets, by uvicorn's names. */
import { single, type Section, type Setting } from "../setting.ts";
import { bytes, duration, value, wrong, type ValueType } from "../value-types.ts";

/** uvicorn's libraries are all one thing here. */
const implementation: ValueType<boolean> = (text) => {
  const word = text.toLowerCase();
  if (word === "none") return value(false);
  return ["auto", "websockets", "websockets-sansio", "wsproto"].includes(word)
    ? value(true)
    : wrong("is not one of auto, none, websockets, websockets-sansio, wsproto");
};

/** click's words for a flag that takes a value. */
const onOrOff: ValueType<boolean> = (text) => {
  const word = text.toLowerCase();
  if (["1", "true", "t", "yes", "y", "on"].includes(word)) return value(true);
  return ["0", "false", "f", "no", "n", "off"].includes(word) ? value(false) : wrong("is neither true nor false");
};

export const webSockets: Setting<boolean> = single<boolean>({
  key: "ws",
  flags: ["--ws"],
  env: ["UVICORN_WS"],
  metavar: "NAME",
  type: implementation,
  fallback: true,
  fallbackText: "auto",
  help: "WebSocket to ASGI applications; none makes a handshake an ordinary request",
  doc: `maitred speaks WebSocket itself, to ASGI applications; uvicorn's names of libraries (\`websockets\`, \`wsproto\`) all mean \`auto\`.
A WSGI application always gets the handshake as an ordinary GET.`,
});

export const webSocketMaxSize: Setting<number> = single({
  key: "ws-max-size",
  flags: ["--ws-max-size", "--websocket-max-message-size"],
  env: ["UVICORN_WS_MAX_SIZE"],
  metavar: "BYTES",
  type: bytes(2_147_483_647),
  fallback: 16_777_216,
  help: "Longest WebSocket message, decompressed; 0 is no limit",
  doc: "A longer one closes the WebSocket with 1009. A compressed message is only inflated up to this size.",
});

export const webSocketPingInterval: Setting<number> = single({
  key: "ws-ping-interval",
  flags: ["--ws-ping-interval"],
  env: ["UVICORN_WS_PING_INTERVAL"],
  metavar: "TIME",
  type: duration,
  fallback: 20_000,
  fallbackText: "20",
  help: "Time between pings on a WebSocket; 0 is none",
  doc: "",
});

export const webSocketPingTimeout: Setting<number> = single({
  key: "ws-ping-timeout",
  flags: ["--ws-ping-timeout"],
  env: ["UVICORN_WS_PING_TIMEOUT"],
  metavar: "TIME",
  type: duration,
  fallback: 20_000,
  fallbackText: "20",
  help: "Time a WebSocket client may be silent after a ping; 0 is no limit",
  doc: "The WebSocket is then closed with 1011, and the application hears 1006. While the application takes no messages nothing is read from the client, so this time does not run.",
});

export const webSocketDeflate: Setting<boolean> = single<boolean>({
  key: "ws-per-message-deflate",
  flags: ["--ws-per-message-deflate"],
  env: ["UVICORN_WS_PER_MESSAGE_DEFLATE"],
  metavar: "BOOLEAN",
  type: onOrOff,
  fallback: true,
  fallbackText: "true",
  help: "Compress WebSocket messages for clients that offer it (permessage-deflate)",
  doc: "Each message is compressed on its own, from 512 bytes on, so that an open WebSocket has no compressor in memory.",
});

export const webSocketSection: Section = {
  title: "WebSocket",
  settings: [webSockets, webSocketMaxSize, webSocketPingInterval, webSocketPingTimeout, webSocketDeflate],
};
