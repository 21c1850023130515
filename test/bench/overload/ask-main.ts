/**
 * A process that asks Checks, so that what asking costs is none of the server's time. Prints one line of JSON (`Seen`).
 * `node ask-main.ts ADDRESS --connections N --seconds N --timeout MS` with `--in-flight N` (as many as are answered) or `--per-second N`
 * (whether or not answers come). Times count from when a Check was due, or with `--since sent` from when it went out: what this process is late is then none of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WARM } from "../checks.ts";
import { type Asker, connectAsker, OUTCOMES, type Outcome } from "./asker.ts";
import type { Seen } from "./seen.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: "string", default: "4" },
    seconds: { type: "string", default: "5" },
    timeout: { type: "string", default: "250" },
    "in-flight": { type: "string", default: "0" },
    "per-second": { type: "string", default: "0" },
    since: { type: "string", default: "due" },
  },
});
const CHECK = "/envoy.service.auth.v3.Authorization/Check";
const [address = ""] = positionals;
const seconds = Number(values.seconds);
const perSecond = Number(values["per-second"]);
const inFlight = Number(values["in-flight"]);
const askers: Asker[] = [];
for (let n = 0; n < Number(values.connections); n += 1) {
  askers.push(await connectAsker(address, CHECK, Number(values.timeout)));
}
for (const each of askers) each.flush();
await sleep(100);

const outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<Outcome, number>;
const decided: number[] = [];
const refused: number[] = [];
let asked = 0;
let open = 0;

function askOne(sinceMs: number): void {
  open += 1;
  const message = WARM[asked % WARM.length] ?? Buffer.alloc(0);
  askers[asked % askers.length]?.ask(message, sinceMs, (outcome, tookMs) => {
    open -= 1;
    outcomes[outcome] += 1;
    if (outcome === "allowed" || outcome === "denied") decided.push(tookMs);
    else if (outcome === "status" || outcome === "refused") refused.push(tookMs);
  });
  asked += 1;
}

const begun = performance.now();
const endMs = begun + seconds * 1000;
for (let now = begun; now < endMs; now = performance.now()) {
  if (perSecond > 0) {
    const due = Math.floor(((now - begun) / 1000) * perSecond);
    while (asked < due) askOne(values.since === "sent" ? now : begun + (asked / perSecond) * 1000);
  } else for (let n = open; n < inFlight; n += 1) askOne(now);
  for (const each of askers) each.flush();
  await sleep(1);
}
const lasted = (performance.now() - begun) / 1000;
while (open > 0) {
  await sleep(5);
  for (const each of askers) each.flush();
}
for (const each of askers) each.close();

function quantile(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}
const seen: Seen = {
  seconds: lasted,
  asked,
  outcomes,
  p50: quantile(decided, 0.5),
  p99: quantile(decided, 0.99),
  refusedP99: quantile(refused, 0.99),
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
