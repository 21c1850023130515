import type { PartData } from "./data.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { PARTS } from "./parts.ts";
import { GATEWAY, NONE, type Way } from "./ways.ts";

const WIDTH = 890;
const LEFT = 210;
const RIGHT = 790;
const TOP = 84;
const BAR = 20;
const STEP = 25;
const GROUP_HEAD = 34;
const INK = "#1c1c1c";
const SOFT = "#41556b";

/** Throughput by way and size, answered by Envoy itself, as an SVG: bars in a group for each size. Deterministic. White ground, as for a page in light or dark. */
export function plotSeats(part: PartData): string {
  const figures = figuresOf(part, PARTS.find(({ name }) => name === "direct")?.stations ?? []);
  const groups = [...Map.groupBy(figures, ({ rules }) => rules)];
  const bottom = TOP + groups.length * GROUP_HEAD + figures.length * STEP + 6;
  const height = bottom + 44;
  const all = figures.map(({ perSecond }) => perSecond);
  const step = niceStep(Math.max(...all));
  const end = Math.ceil(Math.max(...all) / step) * step;
  const x = (value: number): number => Math.round(LEFT + (value / end) * (RIGHT - LEFT));
  const title = "Requests a second of one Envoy worker, by way to decide and number of rules";
  const { connections } = part.settings;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(20, 36, title, `font-size="17" font-weight="bold" fill="${INK}"`),
    text(
      20,
      58,
      `longer is better; in brackets: of no authorization in the same round; ${connections} connections`,
      soft(),
    ),
    ...ticks(step, end).flatMap((value) => [
      `<path d="M${x(value)},${TOP} V${bottom}" stroke="#d5dce4" stroke-width="1"/>`,
      text(x(value), bottom + 18, value.toLocaleString("en"), `text-anchor="middle" fill="${SOFT}"`),
    ]),
    text((LEFT + RIGHT) / 2, bottom + 37, "requests a second", `text-anchor="middle" fill="${SOFT}"`),
    ...groups.flatMap(([rules, ways], group) => {
      const top = TOP + group * GROUP_HEAD + figures.indexOf(ways[0] as Figures) * STEP;
      return [
        text(20, top + 22, `${rules.toLocaleString("en")} rules`, `font-weight="bold" fill="${INK}"`),
        ...ways.flatMap((each, index) => bar(each, top + GROUP_HEAD + index * STEP, x)),
      ];
    }),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

function bar({ way, perSecond, ofNone }: Figures, top: number, x: (value: number) => number): readonly string[] {
  const base = top + 15;
  const share = way === NONE || ofNone === null ? "" : ` (${ofNone.toFixed(2)})`;
  const value = `${Math.round(perSecond).toLocaleString("en")}${share}`;
  return [
    text(LEFT - 10, base, way.title, `text-anchor="end" fill="${INK}"`),
    `<rect x="${LEFT}" y="${top}" width="${Math.max(1, x(perSecond) - LEFT)}" height="${BAR}" fill="${colourOf(way)}"/>`,
    text(x(perSecond) + 6, base, value, `fill="${INK}" stroke="#ffffff" stroke-width="3" paint-order="stroke"`),
  ];
}

function colourOf(way: Way): string {
  if (way === NONE) return "#7d8b99";
  if (way === GATEWAY) return "#1b6e3c";
  if (way.decides !== "asks") return "#5b6fb5";
  return way.authorizer === "sallyport" ? "#4f9d69" : "#b26a00";
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function soft(): string {
  return `fill="${SOFT}"`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** One, two or five times a power of ten, for at most eight ticks. */
function niceStep(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 8));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => most / step <= 8) ?? power * 10;
}

function ticks(step: number, end: number): readonly number[] {
  return Array.from({ length: Math.round(end / step) + 1 }, (_, i) => Math.round(i * step));
}
