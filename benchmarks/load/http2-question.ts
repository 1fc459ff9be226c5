/** One GET over HTTP/2 with prior knowledge: is the server there, and does it speak what is to be measured? */
import { connect } from "node:http2";
import type { Answer } from "./connection.ts";

export function askHttp2(port: number, path: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const timer = setTimeout(() => fail("no answer in time"), Math.max(0, timeoutMs));
    const settle = (answer: Answer): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(answer);
    };
    const fail = (reason: string): void => settle({ type: "failed", reason });
    session.on("error", (error) => fail(error.message));
    const stream = session.request({ ":path": path });
    let status = 0;
    let body = "";
    stream.setEncoding("latin1");
    stream.on("response", (fields) => (status = fields[":status"] ?? 0));
    stream.on("data", (text: string) => (body += text));
    stream.on("error", (error) => fail(error.message));
    stream.on("close", () => settle({ type: "response", status, body, keepAlive: true, coding: "" }));
  });
}
