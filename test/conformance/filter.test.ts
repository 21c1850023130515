import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadIsolated } from "../../src/policy/isolate.ts";
import { createFalseClock, type FalseClock, noFalseClock } from "../support/false-clock.ts";
import { type FilterEnvoy, startFilterEnvoy } from "../support/filter/filter-envoy.ts";
import { loadSuites } from "./suite.ts";
import { outcome } from "./ways/way.ts";

const module = readEngineModule();
const canon = createCanonicaliser(module);
const suites = loadSuites(canon);
const noClock = noFalseClock();
if (noClock !== null) process.stdout.write(`no suites in a real Envoy: ${noClock}\n`);

/** A gateway's listener always says which port its routes lead to: the one that the question means where it says none. */
function throughListener(input: CheckInput): CheckInput {
  return input.port === null ? { ...input, port: /:(\d+)$/.exec(input.host)?.[1] ?? "80" } : input;
}

describe.skipIf(noClock !== null)("the filter in a real Envoy", () => {
  let envoy: FilterEnvoy;
  let clock: FalseClock;
  let asked = 0;
  let clockMs = 0;
  /** How many questions of which suite the filter put to the server. */
  const byServer = new Map<string, number>();
  beforeAll(async () => {
    clock = createFalseClock();
    envoy = await startFilterEnvoy(clock.env);
  }, 60_000);
  afterAll(async () => {
    await envoy?.close();
    clock?.remove();
    process.stdout.write(`${asked} questions of the suites asked in a real Envoy\n`);
  });

  it.each(suites)(
    "answers as the suite $name says",
    async (suite) => {
      const { set } = loadIsolated(suite.files, canon, null);
      if (set === null) throw new Error(`${suite.name} does not load`);
      const bundle = compileBundle(set);
      const engine = createEngine(module, bundle);
      envoy.answerBy((input) => engine.decide(input, clockMs));
      await envoy.install(engine.revision, bundle, engine.headers);
      const wrong: string[] = [];
      for (const { name, input, nowMs, expected } of suite.questions) {
        clock.stop(nowMs);
        clockMs = nowMs;
        const exchange = await envoy.ask(throughListener(input));
        if (exchange === null) continue;
        const wanted = JSON.stringify(outcome(expected));
        // Where Envoy makes another request of it, the suite does not say what is right.
        if (JSON.stringify(outcome(engine.decide(exchange.input, nowMs))) !== wanted) continue;
        asked += 1;
        const { served, status } = exchange;
        if (served !== null) byServer.set(suite.name, (byServer.get(suite.name) ?? 0) + 1);
        const told = JSON.stringify(outcome(served ?? exchange.told));
        if (told !== wanted || (status === 200) !== (expected.effect === "allow"))
          wrong.push(`${name}: expected ${wanted}, got ${told}`);
      }
      expect(wrong).toEqual([]);
    },
    60_000,
  );

  it("asked the server where an expression had to be evaluated, and nowhere else", () => {
    expect([...byServer.keys()]).toEqual(["when"]);
    const { questions } = suites.find(({ name }) => name === "when") ?? { questions: [] };
    const count = byServer.get("when") ?? 0;
    expect([count > 20, count < questions.length]).toEqual([true, true]);
  });

  it("was asked most of what can be asked as a request", () => {
    const requests = suites.flatMap(({ questions }) => questions).filter(({ input }) => input.kind === "http");
    expect(asked).toBeGreaterThan(requests.length / 2);
  });
});
