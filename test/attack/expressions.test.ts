import { expect, test } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { directoryOf, MALLORY, policy, VICTIMS_QUESTION } from "./hostile-sets.ts";

const module = readEngineModule();
const canon = createCanonicaliser(module);
const NOW = Date.UTC(2026, 10, 23);
const MOST = 400;
/** A quiet namespace's request takes a microsecond or two here: with as many in the root, these stay within 50 µs. */
const MOST_TIMES = 60;

/** Expressions, no two alike, each as far as the language lets it go; and a request that they take long over. */
const KINDS: Readonly<Record<string, (n: number) => string>> = {
  cheap: (n) => `target.port != ${n + 1}000`,
  "with a clock": (n) => `now.getHours() + now.getMinutes() >= ${n} - 9000`,
  "that fail": (n) => `1 / (target.port - 80) > ${n} || headers["x-none"] == "${n}"`,
  searching: (n) => `!target.path.contains("${"a".repeat(20)}b${n}")`,
  counting: (n) => `size(target.path) > ${n} - 9000 && size(headers.a) > 0 && size(headers.a) > ${n} - 9000`,
  "long ones": (n) => `${Array.from({ length: 40 }, (_, i) => `target.port != ${n}${i}`).join(" && ")}`,
};
const ASKED: CheckInput = {
  kind: "http",
  principal: `spiffe://cluster.local/ns/${MALLORY}/sa/app`,
  host: "api.shared.example",
  port: "80",
  method: "GET",
  path: `/${"a".repeat(1_023)}`,
  headers: [["a", "a".repeat(1_024)]],
};

/** So many rules with an expression of the kind, for one workload and host; or the codes of what is wrong with them. */
function load(kind: (n: number) => string, rules: number): Engine | readonly string[] {
  const from = `from: [{serviceAccount: ${MALLORY}/app}], to: [{service: shared}]`;
  const lines = Array.from({ length: rules }, (_, n) => `{name: r${n}, ${from}, when: '${kind(n)}'}`);
  const text = policy("hostile", lines);
  const { set, diagnostics } = loadPolicySet(
    directoryOf({ name: "expressions", files: { "a.yaml": text }, asked: ASKED }),
    canon,
  );
  if (set !== null) return createEngine(module, compileBundle(set));
  return [...new Set(diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code))];
}

/** Nanoseconds of the quickest of some calls. */
function quickest(engine: Engine, input: CheckInput, calls: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < calls; n++) {
    const begun = process.hrtime.bigint();
    engine.decide(input, NOW);
    best = Math.min(best, Number(process.hrtime.bigint() - begun));
  }
  return best;
}

test.each(Object.entries(KINDS))(
  "expressions %s: as many as are accepted side by side, and no more",
  (name, kind) => {
    let [accepted, refused] = [1, MOST];
    while (refused - accepted > 1) {
      const middle = (accepted + refused) >> 1;
      if (Array.isArray(load(kind, middle))) refused = middle;
      else accepted = middle;
    }
    expect(load(kind, refused)).toEqual(["too-much-work"]);
    const engine = load(kind, accepted);
    if (!("decide" in engine)) throw new Error(`refused: ${engine.join()}`);
    const quiet = quickest(engine, VICTIMS_QUESTION, 2_000);
    const worst = quickest(engine, ASKED, 200);
    process.stderr.write(
      `${accepted} expressions ${name}: ${(worst / 1_000).toFixed(0)} µs, ${(worst / quiet).toFixed(0)} times what a quiet namespace's request takes\n`,
    );
    expect(worst / quiet).toBeLessThan(MOST_TIMES);
  },
  60_000,
);
