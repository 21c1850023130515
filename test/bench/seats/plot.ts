import { median, type SeatData, SIZES, samplesOf, TITLES, WAYS } from "./data.ts";

const COLORS = ["#9aa0a6", "#c58b00", "#1a7f37", "#0969da", "#54aeff", "#8250df"];
const WIDTH = 760;
const HEIGHT = 380;
const LEFT = 60;
const TOP = 24;
const BOTTOM = 300;

/** Requests a second by way and size, as bars. Deterministic. */
export function seatsPlot(data: SeatData): string {
  const height = (way: (typeof WAYS)[number], rules: number) =>
    median(samplesOf(data, way, rules).map(({ closed }) => closed.perSecond));
  const most = Math.max(1, ...WAYS.flatMap((way) => SIZES.map((rules) => height(way, rules))));
  const step = stepFor(most);
  const top = Math.ceil(most / step) * step;
  const y = (value: number) => BOTTOM - (value / top) * (BOTTOM - TOP);
  const group = (WIDTH - LEFT - 10) / SIZES.length;
  const bar = (group - 30) / WAYS.length;
  const lines = Array.from({ length: top / step + 1 }, (_, n) => n * step).flatMap((value) => [
    `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${f(y(value))}" y2="${f(y(value))}" class="grid"/>`,
    text(LEFT - 6, y(value) + 4, "end", value.toLocaleString("en")),
  ]);
  const bars = SIZES.flatMap((rules, g) => [
    ...WAYS.flatMap((way, n) => {
      const value = height(way, rules);
      const x = LEFT + g * group + 15 + n * bar;
      return [
        `<rect x="${f(x)}" y="${f(y(value))}" width="${f(bar - 3)}" height="${f(BOTTOM - y(value))}" fill="${COLORS[n]}"/>`,
        text(x + (bar - 3) / 2, y(value) - 4, "middle", `${(value / 1000).toFixed(1)}k`),
      ];
    }),
    text(LEFT + g * group + group / 2, BOTTOM + 18, "middle", `${rules.toLocaleString("en")} rules`),
  ]);
  const keys = WAYS.flatMap((way, n) => {
    const x = LEFT + (n % 2) * 340;
    const at = BOTTOM + 38 + Math.floor(n / 2) * 16;
    return [
      `<rect x="${x}" y="${at - 9}" width="10" height="10" fill="${COLORS[n]}"/>`,
      text(x + 16, at, "start", TITLES[way]),
    ];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Requests a second by seat and number of rules">
<style>text{font:11px sans-serif;fill:#57606a}.grid{stroke:#d0d7de;stroke-width:1}@media(prefers-color-scheme:dark){text{fill:#adbac7}.grid{stroke:#444c56}}</style>
${text(LEFT, 12, "start", "requests a second, one Envoy worker")}
${[...lines, ...bars, ...keys].join("\n")}
</svg>
`;
}

function stepFor(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return [0.2, 0.5, 1, 2].map((each) => each * power).find((each) => most / each <= 8) ?? power;
}

function text(x: number, y: number, anchor: string, content: string): string {
  return `<text x="${f(x)}" y="${f(y)}" text-anchor="${anchor}">${content}</text>`;
}

function f(value: number): string {
  return value.toFixed(1);
}
