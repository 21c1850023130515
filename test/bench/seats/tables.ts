import { table } from "../page.ts";
import type { PartData } from "./data.ts";
import { type Comparison, checkCost, compared, type Figures, figuresOf, slowest, throughput } from "./figures.ts";
import type { Station } from "./parts.ts";
import { insteadOf, withOneWorker } from "./ways.ts";

const SEATS = [
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
const CONNECTIONS = [
  "Envoy asks",
  "connections",
  "requests a second",
  "of one worker",
  "of bare grpc-js",
  "p50",
  "p99",
  "of bare grpc-js",
  "CPU of Envoy",
  "CPU of authorizer",
  "of bare grpc-js",
];

/** Ways against no authorization, and below it those that did not keep the fixed rate. */
export function seatsTable(part: PartData, stations: readonly Station[]): string {
  const figures = figuresOf(part, stations);
  return `${table(SEATS, figures.map(seatsRow))}\n${behind(figures, part.settings.openPerSecond)}`;
}

function seatsRow(figures: Figures): readonly string[] {
  const { way, rules } = figures;
  const asked = way.authorizer !== null;
  return [
    count(rules),
    way.title,
    count(figures.perSecond),
    times(figures.ofNone),
    ms(figures.p50),
    ms(figures.p99),
    ms(figures.p999),
    us(figures.envoyMicros),
    asked ? us(figures.authorizerMicros) : "",
    mib(figures.envoyBytes),
    asked ? mib(figures.authorizerBytes) : "",
  ];
}

/** Servers that are asked over one connection and over several, against the bare grpc-js handler that is asked in the same way. */
export function connectionsTable(part: PartData, stations: readonly Station[]): string {
  const figures = figuresOf(part, stations);
  const rows = figures.map((each): readonly string[] => {
    const ofBare = (compare: Comparison): string =>
      times(compared(part, each, { ...each, way: insteadOf(each.way, "grpc-js") }, compare));
    return [
      each.way.title,
      each.connections === null ? "" : count(each.connections),
      count(each.perSecond),
      times(compared(part, each, { ...each, way: withOneWorker(each.way) }, throughput)),
      ofBare(throughput),
      ms(each.p50),
      ms(each.p99),
      ofBare(slowest),
      us(each.envoyMicros),
      us(each.authorizerMicros),
      ofBare(checkCost),
    ];
  });
  return `${table(CONNECTIONS, rows)}\n${behind(figures, part.settings.openPerSecond)}`;
}

/** Latencies mean something else where the rate was not kept. */
function behind(figures: readonly Figures[], rate: number): string {
  return figures
    .filter(({ openPerSecond }) => openPerSecond < 0.97 * rate)
    .map(
      ({ way, rules, openPerSecond }) =>
        `\n${way.title} with ${count(rules)} rules did not keep ${count(rate)} requests a second: ${count(openPerSecond)}.\n`,
    )
    .join("");
}

const count = (value: number): string => Math.round(value).toLocaleString("en");
const times = (value: number | null): string => (value === null ? "" : `${value.toFixed(2)} ×`);
const ms = (value: number): string => `${value.toFixed(2)} ms`;
const us = (value: number): string => `${value.toFixed(1)} µs`;
/** Bytes in MiB. */
export const mib = (value: number): string => `${Math.round(value / 2 ** 20)} MiB`;
