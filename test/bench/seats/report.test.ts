import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { sectionsOf, withSection } from "../page.ts";
import { type CellData, formatData, type Measured, readData } from "./data.ts";
import { madeData } from "./made-data.ts";
import { PARTS } from "./parts.ts";
import { plotSeats } from "./plot.ts";
import { seatsSection } from "./report.ts";
import { CONNECTED, GRPC_JS } from "./ways.ts";

const docs = new URL("../../../docs/", import.meta.url);
const data = await readData();
const page = await readFile(new URL("benchmarks.md", docs), "utf8");
const TITLES = {
  direct: "### Answered by Envoy itself",
  connections: "### Over one connection and over two",
  upstream: "### With a real upstream",
};

/** The rows below a heading, by their first cell (`columns` = 1) or the first two. */
function rowsOf(section: string, heading: string, columns: 1 | 2): Map<string, readonly string[]> {
  const found = section.split(/^(?=### )/m).find((each) => each.startsWith(`${heading}\n`)) ?? "";
  const rows = [...found.matchAll(/^\| (.*) \|$/gm)].slice(2).map((match) => (match[1] ?? "").split(" | "));
  return new Map(rows.map((cells) => [cells.slice(0, columns).join(" "), cells.slice(columns).map((c) => c.trim())]));
}

function scaled(seen: Measured, factor: number): Measured {
  const entries = Object.entries(seen).map(([name, value]) => [name, value * factor]);
  return Object.fromEntries(entries) as unknown as Measured;
}

function numberIn(cell: string | undefined): number {
  return Number((cell ?? "").replaceAll(",", "").replace(/ .*$/, ""));
}

describe("the section Seats of docs/benchmarks.md", () => {
  it("is what its raw data make, as is the plot", async () => {
    expect(page).toContain(seatsSection(data));
    if (data.direct === undefined) throw new Error("no data");
    expect(await readFile(new URL("pictures/seats.svg", docs), "utf8")).toBe(plotSeats(data.direct));
  });

  it("has a row for each way at each size of each part", () => {
    const section = seatsSection(madeData());
    for (const { name, stations } of PARTS) {
      const columns = name === "connections" ? 1 : 2;
      const wanted = stations.map(({ way, rules }) =>
        columns === 1 ? way.title : `${rules.toLocaleString("en")} ${way.title}`,
      );
      expect([...rowsOf(section, TITLES[name], columns).keys()]).toEqual(wanted);
    }
  });

  it.each(["direct", "upstream"] as const)("takes every number of the table of %s from the data", (name) => {
    const factor = 1_000;
    const whole = name === "direct" ? data : madeData();
    const part = whole[name];
    if (part === undefined) throw new Error("no data");
    const before = rowsOf(seatsSection(whole), TITLES[name], 2);
    const cells = part.cells.map((cell) => ({
      ...cell,
      closed: scaled(cell.closed, factor),
      open: scaled(cell.open, factor),
      envoyBytes: cell.envoyBytes * factor,
      authorizerBytes: cell.authorizerBytes * factor,
    }));
    const after = rowsOf(seatsSection({ ...whole, [name]: { ...part, cells } }), TITLES[name], 2);
    expect(before.size).toBeGreaterThan(0);
    for (const [row, texts] of before) {
      for (const [column, cell] of texts.entries()) {
        // The ratio is the same when everything grows alike.
        if (cell === "" || column === 1) continue;
        const unrounded = numberIn(after.get(row)?.[column]) / factor;
        const places = /\.(\d+)/.exec(cell)?.[1]?.length ?? 0;
        expect(Math.abs(unrounded - numberIn(cell)), `${row}, column ${column}`).toBeLessThanOrEqual(
          0.5 * 10 ** -places + 1e-9,
        );
      }
    }
  });

  it("shows the median of the rounds and compares within each round", () => {
    const rates = { none: [100, 200, 400], gateway: [90, 120, 320] };
    const made = madeData((cell) => {
      const perSecond = rates[cell.way === "gateway" ? "gateway" : "none"][cell.round] ?? 0;
      return { ...cell, closed: { ...cell.closed, perSecond } };
    });
    for (const title of [TITLES.direct, TITLES.upstream]) {
      const row = rowsOf(seatsSection(made), title, 2).get("10,000 gateway seat");
      expect(row?.slice(0, 2)).toEqual(["120", "0.80 ×"]);
    }
  });

  it("compares a server with the bare handler on the same transport and as many connections, and two connections with one", () => {
    const made = madeData((cell) => {
      const order = CONNECTED.findIndex(({ id }) => id === cell.way) + 1;
      const authorizerConnections = cell.way.endsWith("-2") ? 2 : 1;
      return { ...cell, closed: { ...cell.closed, perSecond: order * 10 }, authorizerConnections };
    });
    const rows = rowsOf(seatsSection(made), TITLES.connections, 1);
    const shown = [...rows.values()].map((row) => row.slice(0, 4));
    expect(shown).toEqual([
      ["1", "10", "1.00 ×", "0.50 ×"],
      ["1", "20", "1.00 ×", "1.00 ×"],
      ["2", "30", "3.00 ×", "0.75 ×"],
      ["2", "40", "2.00 ×", "1.00 ×"],
      ["1", "50", "1.00 ×", "0.83 ×"],
      ["1", "60", "1.00 ×", "1.00 ×"],
      ["2", "70", "1.40 ×", "0.88 ×"],
      ["2", "80", "1.33 ×", "1.00 ×"],
    ]);
  });

  it("leaves out what was not measured", () => {
    const { direct } = madeData();
    if (direct === undefined) throw new Error("no data");
    const cells = direct.cells.filter(({ way }) => !GRPC_JS.some(({ id }) => id === way));
    const section = seatsSection({ direct: { ...direct, cells } });
    for (const left of ["| bare grpc-js", TITLES.connections, TITLES.upstream, "asks the server seat"])
      expect(section).not.toContain(left);
    expect(plotSeats(direct)).toContain("bare grpc-js, TCP");
    expect(plotSeats({ ...direct, cells })).not.toContain("grpc-js");
  });
});

describe("the raw data", () => {
  it("are whole: each way at each size of a part in each round", () => {
    expect(Object.keys(data)).toContain("direct");
    for (const { name, stations } of PARTS) {
      const part = data[name];
      if (part === undefined) continue;
      const key = ({ round, rules, way }: Pick<CellData, "round" | "rules" | "way">) => `${round} ${rules} ${way}`;
      const has = (id: string): boolean => part.cells.some(({ way }) => way === id);
      // Data of before it was asked are without the bare grpc-js handler.
      const wanted = stations.filter(({ way }) => has(way.id) || way.authorizer !== "grpc-js");
      const rounds = Array.from({ length: part.settings.rounds }, (_, round) => round);
      const keys = rounds.flatMap((round) => wanted.map(({ way, rules }) => key({ round, rules, way: way.id })));
      expect(part.cells.map(key).sort()).toEqual(keys.sort());
      expect(part.commit).toMatch(/^[0-9a-f]{40}$/);
    }
  });

  it("are written as they are read", async () => {
    expect(formatData(data)).toBe(await readFile(new URL("data.json", import.meta.url), "utf8"));
    expect(JSON.parse(formatData(madeData()))).toEqual(madeData());
  });
});

describe("a section of a page", () => {
  it("replaces that of the same title, or comes last, and leaves the others as they are", () => {
    expect(withSection(page, seatsSection(data))).toBe(page);
    const one = "# Page\n\n## Seats of others\nx\n";
    const two = withSection(one, "## Seats\ny\n");
    expect(two).toBe(`${one}\n## Seats\ny\n`);
    expect(sectionsOf(withSection(two, "## Seats\nz\n"))).toEqual([
      "# Page\n\n",
      "## Seats of others\nx\n\n",
      "## Seats\nz\n",
    ]);
  });
});
