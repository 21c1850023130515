import { table } from "../page.ts";
import { measureOverload } from "./measure.ts";

/** The section of docs/benchmarks.md about a server that is asked more than it can answer. */
export async function overload(say: (step: string) => void): Promise<string> {
  say("more than it can answer");
  const { capacity, loads } = await measureOverload(say);
  const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  const rows = loads.map(({ server, times, goodPut, p50, p99, refused, refusedP99, late }) => [
    server,
    `${times} ×`,
    percent(goodPut),
    `${p50.toFixed(0)} ms`,
    `${p99.toFixed(0)} ms`,
    percent(refused),
    refused === 0 ? "" : `${refusedP99.toFixed(0)} ms`,
    percent(late),
  ]);
  const each = Object.entries(capacity).map(
    ([name, perSecond]) => `${Math.round(perSecond).toLocaleString("en")} a second where it ${name}`,
  );
  return `## Overload
10,000 rules, warm cache, audit file on, Unix socket, 8 connections. What a server can answer was measured with 64 Checks in flight: ${each.join(", ")}. Then a process of its own asked multiples of that whether or not answers came,
and took back what had no answer after 250 ms, as Envoy does. Medians of three interleaved rounds of 5 seconds; ratios are taken within each round.

${table(["a server that", "asked", "answers in time, of what it can", "p50", "p99", "refused", "p99 of refusals", "without an answer in time"], rows)}

Goals: at 3 times at least 80 % of what it can, and a p99 of at most 250 ms.
`;
}
