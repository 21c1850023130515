/** Pictures of the way out under each security model, as SVG: boxes, arrows, and in red the ways round them. */

interface Box {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly note: string;
}

interface Arrow {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly label: string;
  readonly kind: "open" | "decided" | "stopped";
}

interface Picture {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

const WIDTH = 150;
const HEIGHT = 62;
const COLOURS = { open: "#b26a00", decided: "#1b6e3c", stopped: "#b3261e" } as const;

const APPLICATION: Box = { x: 20, y: 70, title: "application", note: "not trusted" };
const SIDECAR: Box = { x: 240, y: 70, title: "sidecar", note: "no boundary" };
const INTERNET: Box = { x: 720, y: 70, title: "external host", note: "" };
const ROUND: Arrow["from"] = [95, 132];

/** File name below docs/pictures to SVG text. */
export function trafficPathPictures(): ReadonlyMap<string, string> {
  return new Map(Object.entries(PICTURES).map(([name, picture]) => [`traffic-${name}.svg`, svg(picture)]));
}

const PICTURES: Readonly<Record<string, Picture>> = {
  "allow-any": {
    title: "AllowAny: nothing is enforced",
    boxes: [APPLICATION, SIDECAR, INTERNET],
    arrows: [
      { from: [170, 101], to: [240, 101], label: "", kind: "open" },
      { from: [390, 101], to: [720, 101], label: "any host, any workload", kind: "open" },
      { from: ROUND, to: [790, 132], label: "round the sidecar: open", kind: "open" },
    ],
  },
  "registry-only": {
    title: "RegistryOnly: by namespace, and only for those who stay in the mesh",
    boxes: [APPLICATION, SIDECAR, INTERNET],
    arrows: [
      { from: [170, 101], to: [240, 101], label: "", kind: "open" },
      { from: [390, 101], to: [720, 101], label: "hosts that the namespace may see", kind: "decided" },
      { from: ROUND, to: [790, 132], label: "round the sidecar: open", kind: "open" },
    ],
  },
  gateway: {
    title: "Gateway: each request of each workload is decided",
    boxes: [
      APPLICATION,
      SIDECAR,
      { x: 470, y: 70, title: "egress gateway", note: "the only way out" },
      INTERNET,
      { x: 470, y: 210, title: "Sallyport", note: "decides and records" },
    ],
    arrows: [
      { from: [170, 101], to: [240, 101], label: "", kind: "open" },
      { from: [390, 101], to: [470, 101], label: "mTLS", kind: "decided" },
      { from: [620, 101], to: [720, 101], label: "verified", kind: "decided" },
      { from: [545, 132], to: [545, 210], label: "who, where to?", kind: "decided" },
      { from: ROUND, to: [790, 132], label: "round the sidecar: NetworkPolicy", kind: "stopped" },
    ],
  },
};

function svg({ title, boxes, arrows }: Picture): string {
  const markers = Object.entries(COLOURS).map(
    ([kind, colour]) =>
      `<marker id="${kind}" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto"><path d="M0,0 L9,4 L0,8 z" fill="${colour}"/></marker>`,
  );
  return `${[
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 890 350" font-family="sans-serif" font-size="13" role="img">',
    `<title>${title}</title>`,
    `<defs>${markers.join("")}</defs>`,
    '<rect width="890" height="350" fill="#ffffff"/>',
    `<text x="20" y="36" font-size="17" font-weight="bold" fill="#1c1c1c">${title}</text>`,
    ...arrows.map(arrow),
    ...boxes.map(box),
    "</svg>",
  ].join("\n")}\n`;
}

function box({ x, y, title, note }: Box): string {
  const middle = x + WIDTH / 2;
  return [
    `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#f3f6fa" stroke="#41556b" stroke-width="1.5"/>`,
    `<text x="${middle}" y="${y + 27}" text-anchor="middle" font-weight="bold" fill="#1c1c1c">${title}</text>`,
    `<text x="${middle}" y="${y + 46}" text-anchor="middle" fill="#41556b">${note}</text>`,
  ].join("\n");
}

/** A straight arrow, or, for the way round, a bow below the boxes. */
function arrow({ from: [x1, y1], to: [x2, y2], label, kind }: Arrow): string {
  const colour = COLOURS[kind];
  const round = y1 === y2 && x2 - x1 > 600;
  const path = round ? `M${x1},${y1} C${x1},385 ${x2},385 ${x2},${y2 + 4}` : `M${x1},${y1} L${x2},${y2}`;
  const down = x1 === x2;
  const at = round ? [445, 342] : down ? [x1 + 60, (y1 + y2) / 2 + 4] : [(x1 + x2) / 2, y1 - 10];
  const stop = kind === "stopped" ? `<text x="${x2 - 62}" y="262" font-size="26" fill="${colour}">&#x2715;</text>` : "";
  return [
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2" marker-end="url(#${kind})"${kind === "stopped" ? ' stroke-dasharray="6 4"' : ""}/>`,
    `<text x="${at[0]}" y="${at[1]}" text-anchor="middle" fill="${colour}">${label}</text>${stop}`,
  ].join("\n");
}
