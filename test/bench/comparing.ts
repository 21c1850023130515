import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Difference, diff } from "../../src/analyze/diff/diff.ts";
import type { Revision } from "../../src/analyze/diff/side.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import type { PolicySet, Rule } from "../../src/policy/model.ts";
import { median } from "./median.ts";
import { writePolicyText } from "./policy-text.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const run = promisify(execFile);
const RULES = 10_000;
const AT_MS = Date.UTC(2026, 10, 23);
const ROUNDS = 5;

export interface ComparingFigures {
  readonly name: string;
  /** Of the processor, medians. */
  readonly cpuSeconds: number;
  readonly classes: number;
  readonly witnesses: number;
}

/** The set with each rule changed that is told to be. */
function withRules(set: PolicySet, change: (rule: Rule, number: number) => Rule): PolicySet {
  let number = 0;
  const policies = set.policies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => {
      number += 1;
      return change(rule, number);
    }),
  }));
  return { ...set, policies };
}

/** Nothing of a rule stays but whom it is for and what it aims at. */
function otherwise(rule: Rule): Rule {
  const segments = [{ kind: "literal", text: "charges" } as const, { kind: "any" } as const];
  const paths = [{ kind: "template", text: "/charges/{*}", segments } as const];
  return { ...rule, to: (rule.to ?? []).map((to) => ({ ...to, ports: [80], methods: ["PUT"], paths })) };
}

/** Compares 10,000 rules with 10,000 of which some, or all, are others. */
export async function measureComparing(module: WebAssembly.Module): Promise<readonly ComparingFigures[]> {
  const set = syntheticSet(shapeOf(RULES));
  const others: readonly (readonly [string, PolicySet])[] = [
    ["the same rules", set],
    ["one rule in a hundred differs", withRules(set, (rule, number) => (number % 100 === 0 ? otherwise(rule) : rule))],
    ["every rule differs", withRules(set, otherwise)],
    ["the gateway's fallback differs", { ...set, gateway: { ...set.gateway, fallback: "report" } }],
  ];
  const revision = (of: PolicySet): Revision => ({ set: of, engine: createEngine(module, compileBundle(of)) });
  const old = revision(set);
  const figures = others.map(([name, other]) => measured(name, old, revision(other)));
  return [...figures, ...(await measureCommand(set, others[1]?.[1] ?? set))];
}

function measured(name: string, old: Revision, now: Revision): ComparingFigures {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const cpu = process.cpuUsage();
    const difference = diff(old, now, AT_MS);
    const { user, system } = process.cpuUsage(cpu);
    return { difference, cpuSeconds: (user + system) / 1e6 };
  });
  const difference = rounds[0]?.difference as Difference;
  return {
    ...{ name, classes: difference.classes.length, witnesses: difference.proof.witnesses },
    cpuSeconds: median(rounds.map((round) => round.cpuSeconds)),
  };
}

/** The whole command from a cold process: reading, compiling, comparing, printing. */
async function measureCommand(old: PolicySet, now: PolicySet): Promise<readonly ComparingFigures[]> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    for (const [name, set] of [
      ["old", old],
      ["new", now],
    ] as const) {
      await writeFile(join(directory, `${name}.bundle`), compileBundle(set));
      await writePolicyText(set, join(directory, name));
    }
    const figures: ComparingFigures[] = [];
    for (const [name, suffix] of [
      ["the command, one in a hundred, from bundles", ".bundle"],
      ["the same from directories of YAML", ""],
    ] as const) {
      figures.push(await command(name, join(directory, `old${suffix}`), join(directory, `new${suffix}`)));
    }
    return figures;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A child's processor time is told by the kernel once it has ended. */
async function command(name: string, old: string, now: string): Promise<ComparingFigures> {
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const script = 'TIMEFORMAT="%U %S"; time "$@"';
  const asked = [process.execPath, main, "diff", old, now, "--output", "json"];
  const { stdout, stderr } = await run("bash", ["-c", script, "bash", ...asked], { maxBuffer: 1 << 28 });
  const [user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  const { classes, proof } = JSON.parse(stdout);
  return { name, cpuSeconds: user + system, classes: classes.length, witnesses: proof.witnesses };
}
