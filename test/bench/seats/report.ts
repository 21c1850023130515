import { table } from "../page.ts";
import type { SeatsData } from "./data.ts";
import { compared, type Figures, figuresOf } from "./figures.ts";
import { type Goal, goalsOf } from "./goals.ts";
import { GATEWAY, NONE, SIZES, WAYS } from "./ways.ts";

const HEAD = [
  "rules",
  "way",
  "requests a second",
  "of no authorization",
  "p50",
  "p99",
  "p99.9",
  "CPU of Envoy",
  "CPU of authorizer",
  "memory of Envoy",
  "memory of authorizer",
];

/** The section of docs/benchmarks.md, out of the raw data and nothing else. */
export function seatsSection(data: SeatsData): string {
  const { settings, versions } = data;
  const { rounds, seconds, connections, openConnections, openPerSecond, warmUpSeconds } = settings;
  const figures = SIZES.flatMap((rules) => WAYS.map(({ id }) => figuresOf(data, { way: id, rules })));
  const rate = openPerSecond.toLocaleString("en");
  return `## Seats
Written by \`${data.command}\` at commit \`${data.commit}\`, on ${data.machine}; Node ${versions.node}, Envoy ${versions.envoy}, fortio ${versions.fortio}, grpc-go ${versions["grpc-go"]} (${versions.go}).
The raw data are [in the repository](../test/bench/seats/data.json); \`npm run bench:seats -- --only-report\` makes this section and the plot from them.

![Requests a second of one Envoy worker, by way to decide and number of rules](pictures/seats.svg)

Each way at each size has an Envoy of its own with one worker, which takes HTTP/1.1 over mTLS, decides, and answers by itself: nothing is forwarded, so that what deciding costs shows most.
The request is always the same: what the rule in the middle allows, by workload, host, port, method and path (by workload and host alone for Envoy's RBAC, which has a policy for each rule and reads them in turn).
TCP is mTLS on both sides of the comparison, Unix sockets are in clear. The bare authorizer always allows; \`sallyport serve\` writes its trail in mode \`batch\`. The gateway seat writes the same trail, by way of Envoy's gRPC access log; what that log costs by itself is shown in a row of its own.

Rounds: ${rounds}, after ${inSeconds(warmUpSeconds)} of warming up, ways and sizes interleaved; in each ${inSeconds(seconds)} over ${connections} connections as fast as answers come (throughput, CPU a request), then ${inSeconds(seconds)} at ${rate} requests a second over ${openConnections} connections (latencies, as fortio sees them), then memory (RSS).
Medians of the rounds; ratios and differences are taken within each round. Client, Envoy and authorizer share the machine. Every answer was 200; where strangers are to be refused they were.${quick(data)}

${table(HEAD, figures.map(row))}
${behind(figures, openPerSecond)}
${memory(data)}

| goal | measured, at the worst size | met |
| --- | --- | --- |
${goalsOf(data).map(goalRow).join("\n")}
`;
}

/** One short round shows that everything works, and hardly more. */
function quick({ settings }: SeatsData): string {
  return settings.rounds < 3 ? "\n**A quick run: its figures are not to be relied on.**" : "";
}

function inSeconds(count: number): string {
  return `${count} second${count === 1 ? "" : "s"}`;
}

function row(figures: Figures): readonly string[] {
  const way = WAYS.find(({ id }) => id === figures.way);
  const asked = way?.authorizer !== null;
  return [
    figures.rules.toLocaleString("en"),
    way?.title ?? figures.way,
    Math.round(figures.perSecond).toLocaleString("en"),
    `${figures.ofNone.toFixed(2)} ×`,
    ms(figures.p50),
    ms(figures.p99),
    ms(figures.p999),
    us(figures.envoyMicros),
    asked ? us(figures.authorizerMicros) : "",
    mib(figures.envoyBytes),
    asked ? mib(figures.authorizerBytes) : "",
  ];
}

/** Latencies mean something else where the rate was not kept. */
function behind(figures: readonly Figures[], rate: number): string {
  const late = figures.filter(({ openPerSecond }) => openPerSecond < 0.97 * rate);
  return late
    .map(({ way, rules, openPerSecond }) => {
      const title = WAYS.find(({ id }) => id === way)?.title ?? way;
      return `\n${title} with ${rules.toLocaleString("en")} rules did not keep ${rate.toLocaleString("en")} requests a second: ${Math.round(openPerSecond).toLocaleString("en")}.\n`;
    })
    .join("");
}

/** Each worker and the main thread hold the bundle once, and twice while it is swapped. */
function memory(data: SeatsData): string {
  const most = SIZES.at(-1) ?? 0;
  const fewest = SIZES[0] ?? 0;
  const at = (rules: number) => ({ way: GATEWAY.id, rules });
  const bytes = compared(data, at(most), at(fewest), (own, other) => own.envoyBytes - other.envoyBytes);
  const filter = compared(
    data,
    at(fewest),
    { way: NONE.id, rules: fewest },
    (own, other) => own.envoyBytes - other.envoyBytes,
  );
  return `The filter takes ${mib(filter)} of Envoy's memory with one worker, and ${Math.round(bytes / (most - fewest)).toLocaleString("en")} bytes more for each rule.`;
}

function goalRow({ text, measured, met }: Goal): string {
  return `| ${text} | ${measured} | ${met ? "yes" : "**no**"} |`;
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
const us = (value: number): string => `${value.toFixed(1)} µs`;
const mib = (value: number): string => `${Math.round(value / 2 ** 20)} MiB`;
