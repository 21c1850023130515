import { describe, expect, it } from "vitest";
import { bareCost } from "./bare-cost.ts";
import { goalsOf } from "./goals.ts";
import { madeData } from "./made-data.ts";
import type { PartName } from "./parts.ts";
import { seatsSection } from "./report.ts";

type Quantity = "perSecond" | "p99" | "authorizerMicros";

/** Data in which a quantity of one way is so many times that of all others, by round. */
function withFactors(wanted: string, quantity: Quantity, factors: readonly number[], wantedPart?: PartName) {
  return madeData((cell, part) => {
    if (cell.way !== wanted || part !== (wantedPart ?? part)) return cell;
    const load = quantity === "p99" ? "open" : "closed";
    return { ...cell, [load]: { ...cell[load], [quantity]: cell[load][quantity] * (factors[cell.round] ?? 1) } };
  });
}

function goal(data: ReturnType<typeof madeData>, text: RegExp) {
  const found = goalsOf(data).filter((each) => text.test(each.text));
  expect(found).toHaveLength(1);
  return found[0];
}

const P99 = /1\.3 times as long/;

describe("a goal", () => {
  it("is met where all ways do the same, but for that of being many times as good", () => {
    const missed = goalsOf(madeData()).filter(({ met }) => !met);
    expect(missed.map(({ text }) => /2\.5 times|upstream, over a Unix socket/.test(text))).toEqual([true, true]);
  });

  it.each([
    [/0\.85 times/, "perSecond", 0.851, 0.849],
    [P99, "p99", 1.299, 1.301],
    [/1\.2 times the CPU/, "authorizerMicros", 1.199, 1.201],
    [/2\.0 times the CPU/, "authorizerMicros", 1.999, 2.001],
  ] as const)("of the server seat (%s) has its limit there", (text, quantity, enough, tooMuch) => {
    expect(goal(withFactors("server-unix", quantity, Array(3).fill(enough)), text)?.met).toBe(true);
    expect(goal(withFactors("server-unix", quantity, Array(3).fill(tooMuch)), text)?.met).toBe(false);
  });

  it("is judged in each part that measured it, over one connection too", () => {
    const data = withFactors("server-tcp", "p99", [3, 4, 5], "connections");
    expect(goal(data, P99)).toMatchObject({ measured: "4.00 × (3.00 to 5.00)", met: false });
  });

  it("is judged where it is worst, by transport and number of connections", () => {
    const data = withFactors("server-tcp-2", "p99", [3, 4, 5]);
    const { measured, where, met } = goal(data, P99) ?? {};
    expect({ measured, where, met }).toEqual({
      measured: "4.00 × (3.00 to 5.00)",
      where: "server seat, TCP, 2 workers, 10,000 rules, against bare grpc-js, TCP, 2 workers",
      met: false,
    });
  });

  it("says when rounds disagree", () => {
    const data = withFactors("server-tcp", "p99", [1, 1.1, 5]);
    expect(goal(data, P99)).toMatchObject({ met: true, inEachRound: false, measured: "1.10 × (1.00 to 5.00)" });
    expect(seatsSection(data)).toMatch(/1\.3 times as long \| 1\.10 × .* \| yes, but not in each round \|/);
    expect(goal(withFactors("server-tcp", "p99", [1, 4, 5]), P99)).toMatchObject({ met: false, inEachRound: false });
    expect(goal(withFactors("server-tcp", "p99", [3, 4, 5]), P99)).toMatchObject({ met: false, inEachRound: true });
  });

  it("of the gateway seat is judged with a real upstream by itself", () => {
    const data = withFactors("gateway", "perSecond", [0.5, 0.5, 0.5], "upstream");
    expect(goal(data, /at every size/)?.met).toBe(true);
    expect(goal(data, /^the same with a real upstream$/)?.measured).toBe("0.50 × (0.50 to 0.50)");
  });
});

describe("what the bare grpc-js handler costs", () => {
  const costing = (tcp: number, unix: number) =>
    madeData((cell) => {
      const factor = { "grpc-js-tcp": tcp, "grpc-js-unix": unix }[cell.way] ?? 1;
      return { ...cell, closed: { ...cell.closed, authorizerMicros: cell.closed.authorizerMicros * factor } };
    });

  it("is said against grpc-go, over each transport", () => {
    const sentence = bareCost(costing(1.5, 2.1)) ?? "";
    expect(sentence).toContain(
      "1.50 times over TCP and 2.10 times over a Unix socket the CPU a Check of the bare grpc-go",
    );
    expect(seatsSection(costing(1.5, 2.1))).toContain(sentence);
  });

  it("is not said without data", () => {
    expect(bareCost({})).toBeNull();
  });
});
