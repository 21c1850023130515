import type { SeatsData } from "./data.ts";
import { compared } from "./figures.ts";
import { BARE, GATEWAY, NONE, SERVERS, SIZES, type Way } from "./ways.ts";

/** What was aimed at, what came of it at the size where it is worst, and whether that is enough. */
export interface Goal {
  readonly text: string;
  readonly measured: string;
  readonly met: boolean;
}

/** All goals of the seats, judged. */
export function goalsOf(data: SeatsData): readonly Goal[] {
  const ofNone = Math.min(...SIZES.map((rules) => throughput(data, GATEWAY, NONE, rules)));
  const ofBare = Math.min(...SIZES.flatMap((rules) => BARE.map((bare) => throughput(data, GATEWAY, bare, rules))));
  const later = (["p50", "p99"] as const).map((name) => Math.max(...SIZES.map((rules) => delay(data, name, rules))));
  const growth = Math.max(...growthOf(data));
  const cpu = Math.max(...SIZES.flatMap((rules) => BARE.map((_, transport) => checkCost(data, transport, rules))));
  return [
    {
      text: "the gateway seat answers at least 0.70 times what no authorization does, at every size",
      measured: times(ofNone),
      met: ofNone >= 0.7,
    },
    {
      text: "and at least 2.5 times (aim: 4) what an Envoy does that asks the bare grpc-go authorizer, over either transport",
      measured: times(ofBare),
      met: ofBare >= 2.5,
    },
    {
      text: `its p50 and p99 at ${data.settings.openPerSecond.toLocaleString("en")} requests a second are within 0.3 ms of no authorization's`,
      measured: later.map((each) => `${each.toFixed(2)} ms`).join(" and "),
      met: later.every((each) => each <= 0.3),
    },
    {
      text: "its request at 10,000 rules costs at most 1.1 times one at 10 rules, in time and in CPU",
      measured: times(growth),
      met: growth <= 1.1,
    },
    {
      text: "the server seat takes at most 2.0 times the CPU a Check of the bare grpc-go authorizer, over the same transport",
      measured: times(cpu),
      met: cpu <= 2,
    },
  ];
}

function times(value: number): string {
  return `${value.toFixed(2)} ×`;
}

function throughput(data: SeatsData, own: Way, other: Way, rules: number): number {
  const at = ({ id }: Way) => ({ way: id, rules });
  return compared(data, at(own), at(other), (a, b) => a.closed.perSecond / b.closed.perSecond);
}

function delay(data: SeatsData, name: "p50" | "p99", rules: number): number {
  const none = { way: NONE.id, rules };
  return compared(data, { way: GATEWAY.id, rules }, none, (a, b) => a.open[name] - b.open[name]);
}

/** Most rules against fewest: time a request under full load, and Envoy's CPU for it. */
function growthOf(data: SeatsData): readonly number[] {
  const most = { way: GATEWAY.id, rules: SIZES.at(-1) ?? 0 };
  const fewest = { way: GATEWAY.id, rules: SIZES[0] ?? 0 };
  return [
    compared(data, most, fewest, (a, b) => b.closed.perSecond / a.closed.perSecond),
    compared(data, most, fewest, (a, b) => a.closed.envoyMicros / b.closed.envoyMicros),
  ];
}

function checkCost(data: SeatsData, transport: number, rules: number): number {
  const own = { way: SERVERS[transport]?.id ?? "", rules };
  const bare = { way: BARE[transport]?.id ?? "", rules };
  return compared(data, own, bare, (a, b) => a.closed.authorizerMicros / b.closed.authorizerMicros);
}
