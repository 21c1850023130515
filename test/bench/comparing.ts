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
import { BUILT_MAIN } from "./built.ts";
import { median } from "./median.ts";
import { writePolicyText } from "./policy-text.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const run = promisify(execFile);
const RULES = 10_000;
const AT_MS = Date.UTC(2026, 10, 23);
const ROUNDS = 5;

export interface ComparingFigures {
  readonly name: string;
  readonly cpuSeconds: number;
  /** From the start of the process to its end; null where there is none of its own. */
  readonly wallSeconds: number | null;
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
  return [...figures, ...(await measureCommand(set, others.slice(0, 3)))];
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
    wallSeconds: null,
  };
}

/** The whole command from a cold process: reading, compiling, comparing, printing. */
async function measureCommand(
  old: PolicySet,
  others: readonly (readonly [string, PolicySet])[],
): Promise<readonly ComparingFigures[]> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const put = async (name: string, set: PolicySet): Promise<string> => {
    const place = join(directory, name);
    await writeFile(`${place}.bundle`, compileBundle(set));
    await writePolicyText(set, place);
    return place;
  };
  try {
    const before = await put("old", old);
    const figures: ComparingFigures[] = [];
    for (const [index, [name, set]] of others.entries()) {
      const after = await put(`new-${index}`, set);
      figures.push(await quietest(`the command from bundles, ${name}`, `${before}.bundle`, `${after}.bundle`));
      figures.push(await quietest(`the command from directories of YAML, ${name}`, before, after));
    }
    return figures;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The run of the command that other programs disturbed least. */
async function quietest(name: string, old: string, now: string): Promise<ComparingFigures> {
  const runs: ComparingFigures[] = [];
  for (let i = 0; i < ROUNDS; i++) runs.push(await command(name, old, now));
  return runs.reduce((best, each) => (each.cpuSeconds < best.cpuSeconds ? each : best));
}

/** A child's processor time is told by the kernel once it has ended. */
async function command(name: string, old: string, now: string): Promise<ComparingFigures> {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const asked = [process.execPath, BUILT_MAIN, "diff", old, now, "--output", "json"];
  const { stdout, stderr } = await run("bash", ["-c", script, "bash", ...asked], { maxBuffer: 1 << 28 });
  const [wallSeconds = 0, user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  const { classes, proof } = JSON.parse(stdout);
  return { name, cpuSeconds: user + system, wallSeconds, classes: classes.length, witnesses: proof.witnesses };
}
