import { median, paired, type Sample, type SeatData, SIZES, samplesOf, TITLES, WAYS, type Way } from "./data.ts";

const throughput = (one: Sample, other: Sample): number => one.closed.perSecond / other.closed.perSecond;

/** The section of docs/benchmarks.md, made of the data alone. */
export function seatsSection(data: SeatData): string {
  const versions = Object.entries(data.versions).map(([name, version]) => `${name} ${version}`);
  return `## Seats
\`${data.command}\` at commit ${data.commit} on ${data.machine}; ${versions.join(", ")}. Raw data: \`test/bench/seats/data.json\`.
One Envoy worker for each way and size behind mTLS, which answers what is allowed itself: what authorization costs is a larger part here than where requests are forwarded. HTTP/1.1 over sixteen
connections that stay; the request matches the middle rule. Load generator, Envoy and authorizer share the machine's cores. Medians of ${rounds(data)} rounds in which all ways and sizes take turns; comparisons are made within a round.

![Requests a second by seat and number of rules](pictures/seats.svg)

${SIZES.map((rules) => sizeTable(data, rules)).join("\n\n")}

CPU: a request, at full load, all threads. Latency: at 1,000 requests a second, whether or not answers come, by the load generator.

${goals(data)
  .map(([goal, got, met]) => `- ${goal}: ${got}, ${met ? "met" : "**missed**"}.`)
  .join("\n")}
`;
}

function rounds({ samples }: SeatData): number {
  return new Set(samples.map(({ round }) => round)).size;
}

function sizeTable(data: SeatData, rules: number): string {
  const head = [
    `${rules.toLocaleString("en")} rules`,
    "requests/s",
    "against none",
    "p50",
    "p99",
    "p99.9",
    "Envoy's CPU",
    "authorizer's CPU",
    "memory",
  ];
  const rows = WAYS.filter((way) => samplesOf(data, way, rules).length > 0).map((way) => row(data, way, rules));
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function row(data: SeatData, way: Way, rules: number): readonly string[] {
  const of = (read: (sample: Sample) => number) => median(samplesOf(data, way, rules).map(read));
  const authorizer = of(({ closed }) => closed.authorizerCpuUs);
  const memory = of(({ authorizerMiB }) => authorizerMiB);
  const ms = (read: (sample: Sample) => number) => `${of(read).toFixed(2)} ms`;
  return [
    TITLES[way],
    Math.round(of(({ closed }) => closed.perSecond)).toLocaleString("en"),
    `${paired(data, [way, rules], ["none", rules], throughput).toFixed(2)} ×`,
    ms(({ open }) => open.p50),
    ms(({ open }) => open.p99),
    ms(({ open }) => open.p999),
    `${of(({ closed }) => closed.envoyCpuUs).toFixed(0)} µs`,
    authorizer === 0 ? "–" : `${authorizer.toFixed(0)} µs`,
    `${of(({ envoyMiB }) => envoyMiB).toFixed(0)}${memory === 0 ? "" : ` + ${memory.toFixed(0)}`} MiB`,
  ];
}

type Goal = readonly [goal: string, got: string, met: boolean];

function goals(data: SeatData): readonly Goal[] {
  const [smallest, , largest] = SIZES;
  const atEachSize = (read: (rules: number) => number) => SIZES.map(read);
  const list = (values: readonly number[], unit: string, digits = 2) =>
    `${values.map((value) => value.toFixed(digits)).join(", ")} ${unit}`;
  const share = atEachSize((rules) => paired(data, ["gateway", rules], ["none", rules], throughput));
  const ahead = atEachSize((rules) => paired(data, ["gateway", rules], ["grpc-go", rules], throughput));
  const later = (read: (sample: Sample) => number) =>
    atEachSize((rules) => paired(data, ["gateway", rules], ["none", rules], (one, other) => read(one) - read(other)));
  const p50 = later(({ open }) => open.p50);
  const p99 = later(({ open }) => open.p99);
  const growth = paired(data, ["gateway", smallest], ["gateway", largest], throughput);
  const checks = atEachSize((rules) =>
    paired(data, ["server-tcp", rules], ["grpc-go", rules], (one, other) => {
      return one.closed.authorizerCpuUs / other.closed.authorizerCpuUs;
    }),
  );
  return [
    ["gateway seat at least 0.70 of the throughput without authorization", list(share, "×"), Math.min(...share) >= 0.7],
    [
      "gateway seat at least 2.5 times the bare grpc-go authorizer's (aim: 4)",
      list(ahead, "×"),
      Math.min(...ahead) >= 2.5,
    ],
    ["gateway seat's p50 within 0.3 ms of none", list(p50, "ms more"), Math.max(...p50) <= 0.3],
    ["gateway seat's p99 within 0.3 ms of none", list(p99, "ms more"), Math.max(...p99) <= 0.3],
    ["10,000 rules cost the gateway seat at most 1.1 times what 10 cost", `${growth.toFixed(2)} ×`, growth <= 1.1],
    ["server seat at most 2.0 times the bare grpc-go authorizer's CPU", list(checks, "×"), Math.max(...checks) <= 2],
  ];
}
