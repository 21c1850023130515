import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { decide, type Verdict } from "../oracle/decide.ts";
import { readWorld, type World } from "../oracle/documents.ts";
import { aim, aimsOf } from "../property/aim.ts";
import { budgetFor } from "../property/budget.ts";
import { engineVerdict, show } from "../property/compare.ts";
import { compileFiles, formatFiles, toFiles } from "../property/pipeline.ts";
import { type GeneratedSet, realise } from "../property/realise.ts";
import { requestDraft } from "../property/request-draft.ts";
import { setDraft } from "../property/set-draft.ts";
import { type Exchange, type FilterEnvoy, startFilterEnvoy, type Told } from "../support/filter/filter-envoy.ts";

const REQUESTS = 200;
const SETS = 60;
/** Requests under way at once. */
const TOGETHER = 8;
const budget = budgetFor(SETS);
const module = readEngineModule();

let envoy: FilterEnvoy;
beforeAll(async () => {
  envoy = await startFilterEnvoy();
}, 60_000);
afterAll(() => envoy?.close());

/** What the server answered, where the filter asked it, as the filter tells what it decides. */
function toldOf({ told, served }: Exchange): Told {
  if (served === null) return told;
  const { effect, reason, rules, shadow, shadowRules, subject, target } = served;
  const { host = "", port = 0 } = target ?? {};
  return { revision: "", effect, reason, rules, shadow, shadowRules, subject: subject?.spiffeId ?? "", host, port };
}

/** What the filter told, in the oracle's words. */
function toldVerdict({ effect, reason, rules, shadow, shadowRules, subject, host, port }: Told) {
  return { effect, reason, rules, shadow, shadowRules, subject, target: { host, port } };
}

/** The same of a verdict; what it has no canonical form for is told as it came. */
function expectedVerdict({ effect, reason, rules, shadow, shadowRules, subject, target }: Verdict, told: Told) {
  return {
    ...{ effect, reason, rules, shadow, shadowRules },
    subject: subject ?? told.subject,
    target: target ?? { host: told.host, port: told.port },
  };
}

/** Of a connection, the request that it could have been. */
function asRequest(request: CheckInput): CheckInput {
  return request.kind === "http" ? request : { ...request, kind: "http", method: "GET", path: "/" };
}

/** Says how the filter's answer differs from the oracle's and the server seat's engine; null when it does not. */
function disagreement(
  set: GeneratedSet,
  world: World,
  engine: ReturnType<typeof createEngine>,
  one: Exchange,
  fromMs: number,
) {
  const answer = toldOf(one);
  const told = show(toldVerdict(answer));
  // The clock of the filter stood somewhere between.
  for (const nowMs of [fromMs, Date.now()]) {
    const oracle = show(expectedVerdict(decide(world, one.input, nowMs), answer));
    const server = show(expectedVerdict(engineVerdict(engine, { request: one.input, nowMs }), answer));
    if (oracle === told && server === told && one.status === (answer.effect === "allow" ? 200 : 403)) return null;
    if (nowMs === fromMs) continue;
    return [
      "the filter disagrees",
      formatFiles(toFiles(set.documents)),
      `invalid namespaces: ${set.invalidNamespaces.join(" ") || "none"}`,
      `request: ${show(one.input)} status ${one.status}`,
      `filter:  ${told}`,
      `oracle:  ${oracle}`,
      `server:  ${server}`,
    ].join("\n");
  }
  return null;
}

/** Sets with requests, as many as asked for, always the same ones for a seed. */
function* drafts(seed: number, count: number) {
  const some = fc.tuple(setDraft, fc.array(requestDraft, { minLength: REQUESTS, maxLength: REQUESTS }));
  for (let n = 0; n < count; n += 1) yield* fc.sample(some, { seed: (seed + n) % 2 ** 31, numRuns: 1 });
}

test(
  "in a real Envoy, the filter decides random requests by random policies as oracle and server do",
  async () => {
    const { parameters } = budget;
    const end = Date.now() + (parameters.interruptAfterTimeLimit ?? Number.POSITIVE_INFINITY);
    const seen = new Map<string, number>();
    let passed = 0;
    let asked = 0;
    for (const [draft, requests] of drafts(parameters.seed, parameters.numRuns)) {
      if (Date.now() > end) break;
      const set = realise(draft);
      const bundle = compileFiles(toFiles(set.documents), set.invalidNamespaces);
      const engine = createEngine(module, bundle);
      const world = readWorld(set.documents, set.invalidNamespaces);
      envoy.answerBy((input) => engine.decide(input, Date.now()));
      await envoy.install(engine.revision, bundle, engine.headers);
      const aims = aimsOf(set);
      const left = requests.map((request) => asRequest(aim(request, aims).request));
      const work = async () => {
        for (let input = left.pop(); input !== undefined; input = left.pop()) {
          const fromMs = Date.now();
          const exchange = await envoy.ask(input);
          if (exchange === null) {
            passed += 1;
            continue;
          }
          const problem = disagreement(set, world, engine, exchange, fromMs);
          if (problem !== null) throw new Error(`seed ${parameters.seed}: ${problem}`);
          const { reason } = toldOf(exchange);
          seen.set(reason, (seen.get(reason) ?? 0) + 1);
          if (exchange.served !== null) asked += 1;
        }
      };
      await Promise.all(Array.from({ length: TOGETHER }, work));
    }
    const compared = [...seen.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `${compared} pairs through a real Envoy agree (seed ${parameters.seed}; ${asked} put to the server; ${passed} were no HTTP that Envoy lets by): ${show(Object.fromEntries(seen))}\n`,
    );
    expect(envoy.output()).not.toMatch(/wasm.*(trap|unreachable|Function: )/i);
    expect(asked).toBeGreaterThan(0);
    expect(seen.size).toBeGreaterThan(10);
    if (parameters.interruptAfterTimeLimit === undefined) expect(compared).toBeGreaterThan(SETS * 40);
  },
  budget.timeoutMs,
);
