import { buildSelectors } from "./build-selector.ts";
import { buildTarget, type TargetContext } from "./build-target.ts";
import { distinct } from "./distinct.ts";
import { appended } from "./fitted.ts";
import { parseInstant } from "./instant.ts";
import type { EgressPolicy, Rule, RuleTarget, Scope, SourcePosition, WhenExpression } from "./model.ts";
import type { RawDocumentOf } from "./raw-document.ts";
import { compareText, positionOf, type Reporter } from "./reporter.ts";
import type { RuleSpec, RuleTargetSpec } from "./schema/egress-policy.ts";
import { parseName, parseUpgrade } from "./token.ts";
import { parseExpression } from "./when/parse-expression.ts";
import type { DocumentPath } from "./yaml-source.ts";

type PolicyDocument = RawDocumentOf<"EgressPolicy">;

/** Checks a policy's rules. Rules come out sorted by name. */
export function buildPolicy(document: PolicyDocument, scope: Scope, context: TargetContext): EgressPolicy {
  const { spec } = document;
  const rules = new Map<string, Rule>();
  for (let i = 0; i < spec.rules.length; i++) {
    const each = spec.rules[i] as RuleSpec;
    const namePath = ["spec", "rules", i, "name"];
    const name = context.reporter.take(document, namePath, "invalid-name", parseName(each.name));
    if (name !== null && rules.has(name)) {
      const message = `rule \`${name}\` stands twice in this policy`;
      context.reporter.report(document, namePath, "duplicate-name", message);
    }
    const at = document.source.position(namePath);
    rules.set(each.name, buildRule(document, { path: ["spec", "rules", i], at }, each, scope, context));
  }
  return {
    scope,
    name: document.name,
    at: positionOf(document),
    owner: spec.owner,
    mode: spec.mode,
    rules: [...rules.values()].sort((a, b) => compareText(a.name, b.name)),
  };
}

/** Where a rule stands: in its document, and in its file. */
interface RulePlace {
  readonly path: DocumentPath;
  readonly at: SourcePosition;
}

function buildRule(
  document: PolicyDocument,
  { path, at }: RulePlace,
  spec: RuleSpec,
  scope: Scope,
  context: TargetContext,
): Rule {
  const { reporter } = context;
  const { effect } = spec;
  if (spec.from === undefined && !(effect === "deny" && scope === "")) {
    const message =
      effect === "deny" ? "only a root deny may leave out `from` (everyone)" : "a rule names `from`: whom it is for";
    reporter.report(document, path, "missing-key", message);
  }
  if (spec.to === undefined && effect === "allow") {
    reporter.report(document, path, "missing-key", "an allow names `to`: what it opens");
  }
  if (effect === "deny" && spec.reason === undefined) {
    reporter.report(document, path, "deny-without-reason", "a deny has a `reason`: whoever it stops will ask");
  }
  if (effect === "deny" && spec.upgrades !== undefined) {
    reporter.report(
      document,
      [...path, "upgrades"],
      "deny-upgrades",
      "a deny stops every upgrade: leave `upgrades` out",
    );
  }
  const when = buildWhen(document, path, spec, reporter);
  return {
    name: spec.name,
    at,
    effect,
    from: spec.from === undefined ? null : buildSelectors(document, [...path, "from"], spec.from, scope, context),
    to: spec.to === undefined ? null : buildTargets(document, path, spec, when, scope, context),
    upgrades: buildUpgrades(document, path, spec, context),
    ...buildWindow(document, path, spec, context),
    when,
    ticket: spec.ticket ?? null,
    reason: spec.reason ?? null,
  };
}

function buildTargets(
  document: PolicyDocument,
  path: DocumentPath,
  spec: RuleSpec,
  when: WhenExpression | null,
  scope: Scope,
  context: TargetContext,
): readonly RuleTarget[] {
  const rule = { effect: spec.effect, when, path };
  let targets: RuleTarget[] = [];
  const specs = spec.to ?? [];
  for (let i = 0; i < specs.length; i++) {
    const here = [...path, "to", i];
    const target = buildTarget(document, here, specs[i] as RuleTargetSpec, rule, scope, context);
    if (target !== null) targets = appended(targets, target);
  }
  return distinct(targets);
}

function buildWhen(
  document: PolicyDocument,
  path: DocumentPath,
  { when }: RuleSpec,
  reporter: Reporter,
): WhenExpression | null {
  if (when === undefined) return null;
  const parsed = parseExpression(when);
  if (parsed.ok) return parsed.value;
  for (const problem of parsed.problems) reporter.reportWithin(document, [...path, "when"], when, problem);
  return null;
}

const NO_UPGRADES: readonly string[] = [];

function buildUpgrades(
  document: PolicyDocument,
  path: DocumentPath,
  spec: RuleSpec,
  { reporter }: TargetContext,
): readonly string[] {
  if (spec.upgrades === undefined) return NO_UPGRADES;
  const upgrades = spec.upgrades.flatMap((text, i) => {
    const upgrade = reporter.take(document, [...path, "upgrades", i], "invalid-upgrade", parseUpgrade(text));
    return upgrade === null ? [] : [upgrade];
  });
  return [...new Set(upgrades)].sort();
}

function buildWindow(
  document: PolicyDocument,
  path: DocumentPath,
  spec: RuleSpec,
  { reporter }: TargetContext,
): Pick<Rule, "notBefore" | "expires"> {
  const read = (key: "notBefore" | "expires"): number | null => {
    const text = spec[key];
    return text === undefined ? null : reporter.take(document, [...path, key], "invalid-instant", parseInstant(text));
  };
  const notBefore = read("notBefore");
  const expires = read("expires");
  if (notBefore !== null && expires !== null && notBefore >= expires) {
    reporter.report(
      document,
      [...path, "expires"],
      "empty-window",
      "`expires` is not after `notBefore`: the rule never holds",
    );
  }
  return { notBefore, expires };
}
