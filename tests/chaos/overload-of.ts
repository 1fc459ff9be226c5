/** The overload of reliability.chaos.ts against whatever serves tests/apps/wsgi_app.py on a port: node tests/chaos/overload-of.ts PORT. For comparing peers. */
import { openLoop } from "../support/open-loop.ts";

const port = Number(process.argv[2]);
const url = "/work?ms=20";
const patienceMs = 3000;
const SECONDS = 6;

await openLoop(port, url, { perSecond: 50, forMs: 1000, patienceMs });
const during = await openLoop(port, url, { perSecond: 300, forMs: SECONDS * 1000, patienceMs });
const after = await openLoop(port, url, { perSecond: 50, forMs: 4000, patienceMs });
const inTime = during.filter(({ status, ms }) => status === 200 && ms <= 1000);
const count = (status: number): number => during.filter((answer) => answer.status === status).length;
const late = after.filter(({ status, ms }) => status !== 200 || ms > 500);
const slowUntilMs = Math.max(0, ...late.map(({ atMs }) => atMs));
process.stdout.write(
  `${(inTime.length / SECONDS).toFixed(1)}/s within 1 s; ${count(200)} × 200, ${count(503)} × 503, ${count(0)} gave up, ${count(-1)} broken; ` +
    `slow until ${Math.round(slowUntilMs)} ms after the end\n`,
);
