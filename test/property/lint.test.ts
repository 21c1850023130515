import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Finding } from "../../src/analyze/lint/finding.ts";
import { lint } from "../../src/analyze/lint/lint.ts";
import type { LintCode } from "../../src/analyze/lint/lint-codes.ts";
import type { Decision } from "../../src/pdp/decision.ts";
import { aim, aimsOf, type Question } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { type Built, build, formatFiles, toFiles } from "./pipeline.ts";
import { type GeneratedSet, realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";
import { type Twin, withTwin } from "./twins.ts";
import { BOUNDARIES_MS, pick, ROOT_NAMESPACE } from "./universe.ts";

const budget = budgetFor(150);
const questions = fc.array(requestDraft, { minLength: 60, maxLength: 60 });
const choice = fc.noBias(fc.nat({ max: 9999 }));
const twinKind = fc.constantFrom("copy", "narrower", "denied", "none");

const IDLE: readonly LintCode[] = ["never-matching-rule", "shadowed-rule", "contradictory-rules"];
const SUPERFLUOUS: readonly LintCode[] = ["duplicate-rule", "redundant-rule"];

function findingsOf({ set }: Built, nowMs: number): readonly Finding[] {
  return lint(set, [], { nowMs, withinMs: 0, owners: null, observed: null }).findings;
}

function subjectsOf(findings: readonly Finding[], codes: readonly LintCode[]): ReadonlySet<string> {
  return new Set(findings.flatMap(({ code, subject }) => (codes.includes(code) && subject !== null ? [subject] : [])));
}

/** The set without some of its rules, and without the policies that are empty then. */
function without({ documents, invalidNamespaces }: GeneratedSet, gone: ReadonlySet<string>): GeneratedSet {
  const kept = documents.flatMap(({ place, doc }) => {
    const policy = doc as {
      kind: string;
      metadata: { name: string; namespace?: string };
      spec: { rules: { name: string }[] };
    };
    if (policy.kind !== "EgressPolicy") return [{ place, doc }];
    const namespace = place === "" ? (policy.metadata.namespace ?? ROOT_NAMESPACE) : place;
    const scope = namespace === ROOT_NAMESPACE ? "" : `${namespace}/`;
    const rules = policy.spec.rules.filter(({ name }) => !gone.has(`${scope}${policy.metadata.name}/${name}`));
    return rules.length === 0 ? [] : [{ place, doc: { ...policy, spec: { ...policy.spec, rules } } }];
  });
  return { documents: kept, invalidNamespaces };
}

/** A set with a twin where one can be made and is valid. */
function drawn(
  set: GeneratedSet,
  kind: Twin["kind"] | "none",
  number: number,
): { set: GeneratedSet; twin: Twin | null } {
  const twin = kind === "none" ? null : withTwin(set, number, kind, ROOT_NAMESPACE);
  if (twin === null) return { set, twin: null };
  try {
    build(twin.set);
    return { set: twin.set, twin };
  } catch {
    // Less of a rule can be no valid rule, for example ports that none of its hosts has any more.
    return { set, twin: null };
  }
}

function describe(set: GeneratedSet, ...what: unknown[]): string {
  return [formatFiles(toFiles(set.documents)), ...what.map(show)].join("\n");
}

test("what is told of as idle never decides, and what is told of as superfluous can go", {
  timeout: budget.timeoutMs,
}, () => {
  const told = new Map<LintCode, number>();
  let beaten = 0;
  let named = 0;
  const property = fc.property(
    setDraft,
    twinKind,
    choice,
    choice,
    questions,
    (draft, kind, number, instant, drafts) => {
      const { set } = drawn(realise(draft), kind, number);
      const nowMs = pick(BOUNDARIES_MS, instant);
      const before = build(set);
      const findings = findingsOf(before, nowMs);
      for (const { code } of findings) told.set(code, (told.get(code) ?? 0) + 1);
      const idle = subjectsOf(findings, IDLE);
      const superfluous = subjectsOf(findings, SUPERFLUOUS);
      const after = superfluous.size === 0 ? before : build(without(set, superfluous));
      for (const each of drafts) {
        const asked = aim(each, aimsOf(set));
        const question: Question = { ...asked, nowMs: Math.max(asked.nowMs, nowMs) };
        const ask = ({ engine }: Built): Decision => engine.decide(question.request, question.nowMs);
        const answer = ask(before);
        const decisive = [...answer.rules, ...answer.shadowRules];
        if (decisive.some((id) => idle.has(id))) throw new Error(describe(set, question, [...idle], answer));
        if (idle.size > 0 && answer.reason === "denied-by-rule") beaten++;
        if (decisive.some((id) => superfluous.has(id))) named++;
        const again = ask(after);
        const left = (ids: readonly string[]) => ids.filter((id) => !superfluous.has(id));
        const same =
          answer.effect === again.effect &&
          answer.reason === again.reason &&
          answer.shadow === again.shadow &&
          show(left(answer.rules)) === show(again.rules) &&
          show(left(answer.shadowRules)) === show(again.shadowRules);
        if (!same) throw new Error(describe(set, question, [...superfluous], answer, again));
      }
    },
  );
  runProperty(property, budget);
  const counts = [...told].sort().map(([code, count]) => `${code} ${count}`);
  process.stdout.write(
    `${counts.join(", ")}; ${named} decisions named superfluous rules, ${beaten} denied beside idle ones (seed ${budget.parameters.seed})\n`,
  );
  for (const code of [...IDLE, ...SUPERFLUOUS]) expect(told.get(code) ?? 0, code).toBeGreaterThan(0);
  expect(named).toBeGreaterThan(100);
  expect(beaten).toBeGreaterThan(100);
});

test("planted twins are found", { timeout: budget.timeoutMs }, () => {
  const found = new Map<string, number>();
  const property = fc.property(
    setDraft,
    fc.constantFrom("copy", "narrower", "denied"),
    choice,
    (draft, kind, number) => {
      const { set, twin } = drawn(realise(draft), kind, number);
      if (twin === null) return;
      const nowMs = Math.min(...BOUNDARIES_MS) - 1;
      const findings = findingsOf(build(set), nowMs);
      const codesOf = (id: string) => findings.filter(({ subject }) => subject === id).map(({ code }) => code);
      const [own, twins] = [codesOf(twin.original), codesOf(twin.twin)];
      const excused = [own, twins].some((codes) =>
        codes.some((code) => ["never-matching-rule", "expired-rule"].includes(code)),
      );
      const wanted: Readonly<Record<Twin["kind"], boolean>> = {
        copy: [...own, ...twins].some((code) => SUPERFLUOUS.includes(code)),
        narrower: [...own, ...twins].some((code) => SUPERFLUOUS.includes(code)),
        denied: own.some((code) => code === "shadowed-rule" || code === "contradictory-rules"),
      };
      if (!excused && !wanted[kind]) throw new Error(describe(set, { ...twin, set: null }, own, twins));
      if (!excused) found.set(kind, (found.get(kind) ?? 0) + 1);
    },
  );
  runProperty(property, budget);
  process.stdout.write(`planted and found: ${show([...found])}\n`);
  expect([...found.values()].every((count) => count > 20)).toBe(true);
});
