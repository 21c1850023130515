import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { sectionsOf, withSection } from "../page.ts";
import { type CellData, formatData, type Measured, readData, type SeatsData } from "./data.ts";
import { plotSeats } from "./plot.ts";
import { seatsSection } from "./report.ts";
import { SIZES, WAYS } from "./ways.ts";

const docs = new URL("../../../docs/", import.meta.url);
const data = await readData();
const page = await readFile(new URL("benchmarks.md", docs), "utf8");

/** The cells of the table's rows, by `rules way`. */
function rowsOf(section: string): Map<string, readonly string[]> {
  const rows = [...section.matchAll(/^\| ([\d,]+) \| (.*) \|$/gm)].map((match) => [match[1], match[2]]);
  return new Map(
    rows.map(([rules = "", rest = ""]) => {
      const [way = "", ...cells] = rest.split(" | ");
      return [`${rules} ${way}`, cells.map((each) => each.trim())];
    }),
  );
}

function everyCell(change: (cell: CellData) => CellData): SeatsData {
  return { ...data, cells: data.cells.map(change) };
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
    expect(await readFile(new URL("pictures/seats.svg", docs), "utf8")).toBe(plotSeats(data));
  });

  it("has a row for each way at each size", () => {
    const wanted = SIZES.flatMap((rules) => WAYS.map(({ title }) => `${rules.toLocaleString("en")} ${title}`));
    expect([...rowsOf(seatsSection(data)).keys()]).toEqual(wanted);
  });

  it("takes every number of the table from the data", () => {
    const factor = 1_000;
    const before = rowsOf(seatsSection(data));
    const changed = everyCell((cell) => ({
      ...cell,
      closed: scaled(cell.closed, factor),
      open: scaled(cell.open, factor),
      envoyBytes: cell.envoyBytes * factor,
      authorizerBytes: cell.authorizerBytes * factor,
    }));
    const after = rowsOf(seatsSection(changed));
    for (const [name, cells] of before) {
      for (const [column, cell] of cells.entries()) {
        // The ratio is the same when everything grows alike.
        if (cell === "" || column === 1) continue;
        const unrounded = numberIn(after.get(name)?.[column]) / factor;
        const places = /\.(\d+)/.exec(cell)?.[1]?.length ?? 0;
        expect(Math.abs(unrounded - numberIn(cell)), `${name}, column ${column}`).toBeLessThanOrEqual(
          0.5 * 10 ** -places + 1e-9,
        );
      }
    }
  });

  it("shows the median of the rounds and compares within each round", () => {
    const [first] = data.cells;
    if (first === undefined) throw new Error("no data");
    const rates = { none: [100, 200, 400], gateway: [90, 120, 320] };
    const made = [0, 1, 2].flatMap((round) =>
      SIZES.flatMap((rules) =>
        WAYS.map(({ id }) => {
          const perSecond = rates[id === "gateway" ? "gateway" : "none"][round] ?? 0;
          return { ...first, round, rules, way: id, closed: { ...first.closed, perSecond } };
        }),
      ),
    );
    const row = rowsOf(seatsSection({ ...data, cells: made })).get("10 gateway seat");
    expect(row?.slice(0, 2)).toEqual(["120", "0.80 ×"]);
  });

  it("says which goals are met", () => {
    const better = everyCell((cell) => {
      const none = data.cells.find(({ way, rules, round }) => way === "none" && rules === 10 && round === cell.round);
      return cell.way === "gateway" && none !== undefined ? { ...none, way: cell.way, rules: cell.rules } : cell;
    });
    const even = { ...better, cells: better.cells.map((cell) => (cell.way === "none" ? firstOf(better, cell) : cell)) };
    const goals = seatsSection(even)
      .split("\n")
      .filter((line) => / \| (yes|\*\*no\*\*) \|$/.test(line));
    expect(goals).toHaveLength(5);
    expect(goals[0]).toContain("| 1.00 × | yes |");
    expect(goals[2]).toContain("| 0.00 ms and 0.00 ms | yes |");
    expect(goals[3]).toContain("| 1.00 × | yes |");
  });
});

/** The smallest size's cell of the same way and round, at another size. */
function firstOf({ cells }: SeatsData, { way, round, rules }: CellData): CellData {
  const found = cells.find((cell) => cell.way === way && cell.round === round && cell.rules === SIZES[0]);
  if (found === undefined) throw new Error("no data");
  return { ...found, rules };
}

describe("the raw data", () => {
  it("are whole: each way at each size in each round, all answered", () => {
    const key = ({ round, rules, way }: Pick<CellData, "round" | "rules" | "way">) => `${round} ${rules} ${way}`;
    const rounds = Array.from({ length: data.settings.rounds }, (_, round) => round);
    const wanted = rounds.flatMap((round) =>
      SIZES.flatMap((rules) => WAYS.map(({ id }) => key({ round, rules, way: id }))),
    );
    expect(data.cells.map(key).sort()).toEqual(wanted.sort());
    expect(data.commit).toMatch(/^[0-9a-f]{40}$/);
  });

  it("are written as they are read", async () => {
    expect(formatData(data)).toBe(await readFile(new URL("data.json", import.meta.url), "utf8"));
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
