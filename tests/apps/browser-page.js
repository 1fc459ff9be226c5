/* Runs in the browser: what the page of browser_app.py shows, and WebSockets for the tests to begin. */
/* global document, location, getComputedStyle */
document.body.dataset.script = "ran";

/* What the page has loaded, and over which protocols. */
globalThis.loaded = () => ({
  script: document.body.dataset.script,
  color: getComputedStyle(document.body).color,
  images: [...document.images].filter((image) => image.complete && image.naturalWidth === 8).length,
  protocols: performance
    .getEntries()
    .filter(({ entryType, name }) => ["resource", "navigation"].includes(entryType) && name.startsWith("http"))
    .map(({ nextHopProtocol }) => nextHopProtocol),
});

const open = (protocols) => {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/socket`, protocols);
  socket.binaryType = "arraybuffer";
  return socket;
};

/* Opens a WebSocket that stays; resolves when it talks. */
globalThis.stay = () => new Promise((resolve) => open([]).addEventListener("message", () => resolve()));

/* Opens a WebSocket, has it send back all kinds of messages, and closes it, or has it closed by the application. */
globalThis.talk = async (closer) => {
  const socket = open(["other", "chat"]);
  const early = [];
  const waiting = [];
  socket.addEventListener("message", ({ data }) => {
    if (waiting.length > 0) waiting.shift()(data);
    else early.push(data);
  });
  const closed = new Promise((resolve) => {
    socket.addEventListener("close", ({ code, reason, wasClean }) => resolve(`${code} ${reason} ${wasClean}`));
  });
  const message = () => (early.length > 0 ? early.shift() : new Promise((resolve) => waiting.push(resolve)));
  const receive = () => Promise.race([message(), closed.then((how) => `closed ${how}`)]);

  const opened = await receive();
  socket.send("grüße €");
  const text = await receive();
  socket.send(new Uint8Array([0, 1, 254, 255]));
  const bytes = [...new Uint8Array(await receive())];
  // A megabyte that does not compress, and one that does.
  const noise = new Uint8Array(1 << 20);
  for (let at = 0; at < noise.length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  socket.send(noise);
  const back = new Uint8Array(await receive());
  const even = "x".repeat(1 << 20);
  socket.send(even);
  const isSame = back.length === noise.length && back.every((byte, at) => byte === noise[at]);
  const isWhole = isSame && (await receive()) === even;
  const order = [];
  for (let number = 0; number < 100; number++) socket.send(String(number));
  for (let number = 0; number < 100; number++) order.push(await receive());
  if (closer === "page") socket.close(4001, "enough");
  else socket.send("close");
  const { protocol, extensions } = socket;
  return { opened, protocol, extensions, text, bytes, isWhole, order: order.join(" "), closed: await closed };
};
