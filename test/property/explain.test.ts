import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createExplain, type ExplainedRule } from "../../src/analyze/explain/explain.ts";
import { type LocatedItem, locateItems } from "../../src/bundle/locate-items.ts";
import type { Decision } from "../../src/pdp/decision.ts";
import type { ItemVerdict, Verdicts } from "../../src/pdp/verdicts.ts";
import type { SubjectSelector } from "../../src/policy/model.ts";
import { truthsOf, upgradeAllowed, upgradeOf, windowOf } from "../oracle/conditions.ts";
import { lookUp, reaches } from "../oracle/decide.ts";
import { type Rule, type RuleTarget, readWorld, type Selector, type World } from "../oracle/documents.ts";
import { identify, type Subject, selects, visibleTo } from "../oracle/identity.ts";
import type { Target } from "../oracle/target.ts";
import { whenTruth } from "../oracle/when.ts";
import { aim, aimsOf, type Question } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { build, formatFiles, toFiles } from "./pipeline.ts";
import { type GeneratedSet, realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

const budget = budgetFor(80);
const requests = fc.array(requestDraft, { minLength: 60, maxLength: 60 });

/** What the conditions of all rules amount to by docs/semantics.md §5, without asking anything but them. */
function concluded(
  rules: readonly ExplainedRule[],
  enforcedOnly: boolean,
  fallback: string,
  upgrading: boolean,
  now: number,
) {
  const missing = ({ misses }: ExplainedRule) =>
    misses.map(({ name }) => name).filter((name) => enforcedOnly || name !== "mode");
  const but = (effect: string, ...names: string[]) =>
    rules.filter((each) => each.rule.effect === effect && isDeepStrictEqual(missing(each), names));
  const ids = (some: readonly ExplainedRule[]) => some.map(({ id }) => id).sort();
  const denies = but("deny");
  if (denies.length > 0) return { effect: "deny", reason: "denied-by-rule", rules: ids(denies) };
  const allows = but("allow");
  if (allows.length > 0) return { effect: "allow", reason: "allowed-by-rule", rules: ids(allows) };
  if (upgrading && (but("allow", "upgrade").length > 0 || fallback !== "deny")) {
    return { effect: "deny", reason: "upgrade-not-allowed", rules: [] };
  }
  if (fallback !== "deny") return { effect: "allow", reason: `fallback-${fallback}`, rules: [] };
  const expired = but("allow", "window").filter(({ rule }) => rule.expires !== null && rule.expires <= now);
  if (expired.length > 0) return { effect: "deny", reason: "rule-expired", rules: ids(expired) };
  return { effect: "deny", reason: "no-matching-rule", rules: [] };
}

function describe(set: GeneratedSet, question: Question, ...what: unknown[]): string {
  return [formatFiles(toFiles(set.documents)), show(question), ...what.map(show)].join("\n");
}

test("the conditions that explain tells amount to what decide answers", { timeout: budget.timeoutMs }, () => {
  const reached = new Map<string, number>();
  let conditions = 0;
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const generated = realise(draft);
    const { set, bundle, engine } = build(generated);
    const explain = createExplain(engine, set, bundle);
    const all = set.policies.reduce((sum, { rules }) => sum + rules.length, 0);
    for (const each of drafts) {
      const question = aim(each, aimsOf(generated));
      const { request: input, nowMs } = question;
      const decision: Decision = engine.decide(input, nowMs);
      const { stage, fallback } = engine.explain(input, nowMs);
      const upgrade = upgradeOf(input);
      const told = explain({ input, nowMs, upgrade }, Number.POSITIVE_INFINITY);
      const fail = (...what: unknown[]) => new Error(describe(generated, question, decision, ...what));
      if (!isDeepStrictEqual(told.decision, decision)) throw fail("another decision", told.decision);
      if (told.rules.length !== (stage === "refused" ? 0 : all)) throw fail("not all rules", told.rules.length);
      const decided = told.steps.filter(({ state }) => state === "decided");
      if (decided.length !== 1) throw fail("not one step decides", told.steps);
      reached.set(stage, (reached.get(stage) ?? 0) + 1);
      if (stage !== "rules" || fallback === null) continue;
      conditions += told.rules.reduce((sum, rule) => sum + rule.conditions.length, 0);
      const upgrading = upgrade !== null;
      const { effect, reason, rules, shadow, shadowRules } = decision;
      const real = concluded(told.rules, true, fallback, upgrading, nowMs);
      if (!isDeepStrictEqual(real, { effect, reason, rules })) throw fail("another outcome", real, told.rules);
      const open = set.gateway.securityModel === "AllowAny";
      const staged = concluded(told.rules, false, open ? fallback : "deny", upgrading, nowMs);
      if (!isDeepStrictEqual([staged.effect, staged.rules], [shadow, shadowRules]))
        throw fail("another shadow", staged);
      const deciding = told.rules.filter(({ decides }) => decides).map(({ id }) => id);
      if (!isDeepStrictEqual(deciding.sort(), rules)) throw fail("other rules decide", deciding);
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${conditions} conditions told; decisions by stage: ${show([...reached])}\n`);
  expect(reached.get("rules")).toBeGreaterThan(1000);
  expect(reached.get("unregistered")).toBeGreaterThan(50);
});

/** A selector of the model as its author could have written it. */
function writtenSelector(selector: SubjectSelector): Selector {
  if (selector.kind === "group") return { group: selector.name };
  if (selector.kind === "namespace") return { namespace: selector.namespace };
  if (selector.kind === "trustDomain") return { trustDomain: selector.trustDomain };
  return { spiffe: `spiffe://${selector.trustDomain}${selector.path}${selector.kind === "prefix" ? "/*" : ""}` };
}

/** The one target that an item is. */
function writtenTarget({ to, pattern }: LocatedItem): RuleTarget {
  if (to === null) return {};
  return {
    ...(to.service === null ? { hosts: [pattern ?? ""] } : { service: to.service.name }),
    ...(to.ports === null ? {} : { ports: to.ports }),
    ...(to.methods === null ? {} : { methods: to.methods }),
    ...(to.paths === null ? {} : { paths: to.paths.map(({ text }) => text) }),
    headers: Object.fromEntries(to.headers.map(({ name, values }) => [name, values])),
  };
}

/** What the oracle says of the conditions of an item, in the engine's words. */
function judged(
  world: World,
  item: LocatedItem,
  { subject, target, service }: { readonly subject: Subject; readonly target: Target; readonly service: string | null },
  { request, nowMs }: Question,
) {
  const { policy, rule } = item.of;
  const written = writtenTarget(item);
  const window = windowOf({ name: rule.name, ...times(rule) });
  const { methods, paths, headers } = truthsOf(written, request);
  const word = (truth: string) => (truth === "in doubt" ? "doubt" : truth);
  const scope = visibleTo(subject, policy.scope);
  const everyPort: RuleTarget =
    written.service === undefined ? { hosts: written.hosts ?? [] } : { service: written.service };
  const bound =
    item.to === null || reaches(world, policy, rule, everyPort, target, lookUp(world, subject, target, request));
  const named: Rule = { name: rule.name, upgrades: rule.upgrades };
  return {
    subject: item.selector === null || selects(world, policy.scope, writtenSelector(item.selector), subject),
    scope,
    bound,
    port: written.ports?.includes(target.port) ?? true,
    window: nowMs < window.notBefore ? "before" : nowMs < window.expires ? "within" : "after",
    methods: word(methods),
    paths: word(paths),
    upgrade: rule.effect === "deny" || upgradeAllowed(named, upgradeOf(request)),
    headers: Object.values(headers).map(word),
    when: rule.when === null ? null : word(whenTruth(rule.when.text, { subject, target, service, request, nowMs })),
  };
}

function times({ notBefore, expires }: { notBefore: number | null; expires: number | null }) {
  const text = (ms: number) => new Date(ms).toISOString();
  return {
    ...(notBefore === null ? {} : { notBefore: text(notBefore) }),
    ...(expires === null ? {} : { expires: text(expires) }),
  };
}

/** The engine's words about an item. The oracle sees workload and namespace as one: where the scope fails, so does it. */
function engineWords(verdicts: Verdicts, item: LocatedItem) {
  const { subject, binding, ...rest }: ItemVerdict = verdicts.item(item);
  const headers = (item.to?.headers ?? []).map((_, index) => verdicts.header(item.offset, index));
  const both = item.selector === null ? subject : subject && rest.scope;
  const when = verdicts.when(item.offset)?.truth ?? null;
  return { ...rest, subject: both, bound: binding === "bound", headers, when };
}

test("the oracle says the same of each condition", { timeout: budget.timeoutMs }, () => {
  let compared = 0;
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const generated = realise(draft);
    const { set, bundle, engine } = build(generated);
    const world = readWorld(generated.documents, generated.invalidNamespaces);
    const { items } = locateItems(set, bundle);
    for (const each of drafts) {
      const question = aim(each, aimsOf(generated));
      const verdicts = engine.explain(question.request, question.nowMs);
      if (verdicts.stage === "refused") continue;
      const { target, service } = verdicts.decision;
      const { subject } = identify(world, question.request.principal);
      if (subject === null || target === null) throw new Error("judged without a workload or a target");
      for (const item of items) {
        const mine = engineWords(verdicts, item);
        const yours = judged(world, item, { subject, target, service }, question);
        compared += 9 + mine.headers.length;
        // Who owns the target is no question for a policy that does not speak for the workload: it is not put to the engine.
        if (isDeepStrictEqual(mine, mine.scope ? yours : { ...yours, bound: mine.bound })) continue;
        const { of, selector, to, pattern } = item;
        throw new Error(describe(generated, question, of.id, { selector, to, pattern }, mine, yours));
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${compared} conditions judged alike by engine and oracle\n`);
  expect(compared).toBeGreaterThan(100_000);
});
