import { table } from "../page.ts";
import { measureOverload } from "./measure.ts";

/** The section of docs/benchmarks.md about a server that is asked more than it can answer. */
export async function overload(say: (step: string) => void): Promise<string> {
  say("more than it can answer");
  const { capacities, loads } = await measureOverload(say);
  const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  const rows = loads.map(({ server, connections, times, goodPut, p50, p99, refused, refusedP99, late, held }) => [
    server,
    `${connections}`,
    `${times} ×`,
    percent(goodPut),
    `${p50.toFixed(0)} ms`,
    `${p99.toFixed(0)} ms`,
    percent(refused),
    refused === 0 ? "" : `${refusedP99.toFixed(0)} ms`,
    percent(late),
    percent(held),
  ]);
  const each = capacities.map(
    ({ server, connections, perSecond }) =>
      `${Math.round(perSecond).toLocaleString("en")} a second over ${connections} where it ${server}`,
  );
  return `## Overload
10,000 rules, warm cache, audit file on, Unix socket. What a server can answer was measured with 256 Checks in flight over as many connections: ${each.join(", ")}. Then a process of its own asked multiples of that whether or not answers came, and as Envoy does
took back what had no answer after 250 ms, and opened no more streams on a connection than the server lets it: what it had no room for it *held*, and gave up at once. Medians of three interleaved rounds of 5 seconds; ratios are taken within each round.

${table(["a server that", "connections", "asked", "answers in time, of what it can", "p50", "p99", "refused", "p99 of refusals", "no answer in time", "held"], rows)}

Goals: at 3 times at least 80 % of what it can, and a p99 of at most 250 ms.
`;
}
