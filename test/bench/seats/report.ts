import { table } from "../page.ts";
import { bareCost } from "./bare-cost.ts";
import type { PartData, SeatsData } from "./data.ts";
import { type Comparison, compared } from "./figures.ts";
import { type Goal, goalsOf } from "./goals.ts";
import { ANEW_WARM_UPS, PARTS, type PartName } from "./parts.ts";
import { connectionsTable, mib, seatsTable } from "./tables.ts";
import { GATEWAY, MOST, NONE, SIZES } from "./ways.ts";

const SECTIONS: Readonly<Record<PartName, (part: PartData) => string>> = {
  direct: directSection,
  connections: connectionsSection,
  upstream: upstreamSection,
};

/** The section of docs/benchmarks.md, out of the raw data and nothing else; what was not measured is left out. */
export function seatsSection(data: SeatsData): string {
  const sections = PARTS.flatMap(({ name }) => {
    const part = data[name];
    return part === undefined ? [] : [SECTIONS[name](part)];
  });
  return `## Seats
The raw data are [in the repository](../test/bench/seats/data.json); \`npm run bench:seats -- --only-report\` makes this section and the plot from them.
Parts are measured by themselves, with \`--only direct\`, \`connections\` or \`upstream\`: only what was measured in the same rounds is compared.

${sections.join("\n")}
${goalsSection(data)}`;
}

function directSection(part: PartData): string {
  return `### Answered by Envoy itself
${provenance(part)}

![Requests a second of one Envoy worker, by way to decide and number of rules](pictures/seats.svg)

Each way at each size has an Envoy of its own with one worker, which takes HTTP/1.1 over mTLS, decides, and answers by itself: nothing is forwarded, so that what deciding costs shows most.
The request is always the same: what the rule in the middle allows, by workload, host, port, method and path (by workload and host alone for Envoy's RBAC, which has a policy for each rule and reads them in turn).
TCP is mTLS on both sides of the comparison, Unix sockets are in clear. The bare authorizers always allow; the one on grpc-js, with Node's defaults, is measured at the largest size alone. \`sallyport serve\` writes its trail in mode \`batch\` and refuses nothing before it has waited for four seconds (Envoy waits for five). The gateway seat writes the same trail, by way of Envoy's gRPC access log; what that log costs by itself is shown in a row of its own.

${method(part)}

${seatsTable(part, stationsOf("direct"))}
${memory(part)}`;
}

function connectionsSection(part: PartData): string {
  return `### Over one connection and over two
${provenance(part)}

Each of an Envoy's workers has a connection of its own to the authorizer. ${MOST.toLocaleString("en")} rules; all else is as above.

Two processes of one program differ by up to a fifth in what a Check costs them: for each round everything is started anew, and warmed up ${ANEW_WARM_UPS} times as long.

${method(part)}

${connectionsTable(part, stationsOf("connections"))}`;
}

function upstreamSection(part: PartData): string {
  return `### With a real upstream
${provenance(part)}

As an egress gateway works: what is allowed is forwarded, HTTP/1.1 over TLS that Envoy makes and verifies, on connections that it keeps open, to one address. There another Envoy with one worker answers; its CPU is not counted as Envoy's. ${MOST.toLocaleString("en")} rules; all else is as above.

${method(part)}

${seatsTable(part, stationsOf("upstream"))}`;
}

function stationsOf(name: PartName) {
  return PARTS.find((part) => part.name === name)?.stations ?? [];
}

function provenance({ command, commit, machine, versions }: PartData): string {
  const { node, envoy, fortio, go } = versions;
  const grpcJs = versions["grpc-js"] === undefined ? "" : `, grpc-js ${versions["grpc-js"]}`;
  return `Written by \`${command}\` at commit \`${commit}\`, on ${machine}; Node ${node}${grpcJs}, Envoy ${envoy}, fortio ${fortio}, grpc-go ${versions["grpc-go"]} (${go}).`;
}

function method({ settings }: PartData): string {
  const { rounds, seconds, connections, openConnections, openPerSecond, warmUpSeconds } = settings;
  const rate = openPerSecond.toLocaleString("en");
  return `Rounds: ${rounds}, after ${inSeconds(warmUpSeconds)} of warming up, ways and sizes interleaved; in each ${inSeconds(seconds)} over ${connections} connections as fast as answers come (throughput, CPU a request), then ${inSeconds(seconds)} at ${rate} requests a second over ${openConnections} connections (latencies, as fortio sees them), then memory (RSS).
Medians of the rounds; ratios and differences are taken within each round. Client, Envoy and authorizer share the machine. Every answer was 200; where strangers are to be refused they were.${quick(rounds)}`;
}

/** One short round shows that everything works, and hardly more. */
function quick(rounds: number): string {
  return rounds < 3 ? "\n**A quick run: its figures are not to be relied on.**" : "";
}

function inSeconds(count: number): string {
  return `${count} second${count === 1 ? "" : "s"}`;
}

/** Each worker and the main thread hold the bundle once, and twice while it is swapped. */
function memory(part: PartData): string {
  const fewest = SIZES[0] ?? 0;
  const more: Comparison = (own, other) => own.envoyBytes - other.envoyBytes;
  const at = (rules: number) => ({ way: GATEWAY, rules });
  const bytes = compared(part, at(MOST), at(fewest), more);
  const filter = compared(part, at(fewest), { way: NONE, rules: fewest }, more);
  if (bytes === null || filter === null) return "";
  return `The filter takes ${mib(filter)} of Envoy's memory with one worker, and ${Math.round(bytes / (MOST - fewest)).toLocaleString("en")} bytes more for each rule.\n`;
}

function goalsSection(data: SeatsData): string {
  const goals = goalsOf(data);
  if (goals.length === 0) return "";
  const cost = bareCost(data);
  return `### Goals of the seats
Judged where it is worst, by the median of what each round compares within itself; in brackets the least and the greatest of the rounds. Where these lie on both sides of a goal, the difference is within the noise, and the last column says so.

${table(["goal", "measured", "worst", "met"], goals.map(goalRow))}
${cost === null ? "" : `\n${cost}\n`}`;
}

function goalRow({ text, measured, where, met, inEachRound }: Goal): readonly string[] {
  const verdict = met ? "yes" : "**no**";
  return [text, measured, where, inEachRound ? verdict : `${verdict}, but not in each round`];
}
