import type { Rule } from "../../policy/model.ts";
import { type Cover, createCover } from "./cover.ts";
import type { Finding, RelatedPlace } from "./finding.ts";
import type { KnownRule } from "./known-rule.ts";

/**
 * Rules that others make idle, from `nowMs` on: allows that a deny always beats, and rules that another of the same effect
 * makes superfluous. Every superfluous rule that is reported can go at once: none is reported for another that is reported.
 * What is said is so for every request; combinations of rules that differ in time or by parts of a condition are not looked for.
 */
export function overlaps(rules: readonly KnownRule[], nowMs: number): Finding[] {
  const alive = rules.filter(({ rule }) => rule.expires === null || rule.expires > nowMs);
  const denies = createCover(alive.filter(({ rule }) => rule.effect === "deny"));
  const allows = createCover(alive.filter(({ rule }) => rule.effect === "allow"));
  const beaten = alive.flatMap((each) => beatenFinding(each, denies, nowMs));
  const superfluous = new Set<KnownRule>();
  const found: Finding[] = [];
  // From the end, so that of two that are the same the later goes.
  for (const inner of alive.toReversed()) {
    const cover = inner.rule.effect === "deny" ? denies : allows;
    const outer = cover.find(
      inner,
      (each) =>
        !superfluous.has(each) &&
        counts(each, inner) &&
        during(each.rule, inner.rule, nowMs) &&
        upgrades(each.rule, inner.rule),
    );
    if (outer === null) continue;
    superfluous.add(inner);
    found.push(superfluousFinding(inner, outer));
  }
  return [...beaten, ...found];
}

function beatenFinding(inner: KnownRule, denies: Cover, nowMs: number): Finding[] {
  if (inner.rule.effect === "deny") return [];
  // A deny that ends, even with the allow, leaves it to be named as expired.
  const outer = denies.find(
    inner,
    (each) => counts(each, inner) && each.rule.expires === null && during(each.rule, inner.rule, nowMs),
  );
  if (outer === null) return [];
  const [only] = outer;
  const contrary = outer.length === 1 && only !== undefined && aimsAlike(only, inner);
  return [
    {
      code: contrary ? "contradictory-rules" : "shadowed-rule",
      message: contrary
        ? `\`${inner.id}\` allows exactly what \`${only.id}\` denies, and a deny beats every allow`
        : `\`${inner.id}\` never decides: all that it allows is denied by ${names(outer)}`,
      at: inner.rule.at,
      subject: inner.id,
      related: outer.map((each) => placeOf(each, "denies it")),
      fix: "remove it, or narrow the deny",
    },
  ];
}

function superfluousFinding(inner: KnownRule, outer: readonly KnownRule[]): Finding {
  const [only] = outer;
  const same = outer.length === 1 && only !== undefined && isSame(only, inner);
  const denied = inner.rule.effect === "deny" ? "denied" : "allowed";
  return {
    code: same ? "duplicate-rule" : "redundant-rule",
    message: same
      ? `\`${inner.id}\` says the same as \`${only.id}\``
      : `\`${inner.id}\` adds nothing: all of it is ${denied} by ${names(outer)} already`,
    at: inner.rule.at,
    subject: inner.id,
    related: outer.map((each) => placeOf(each, "covers it")),
    fix: "remove it",
  };
}

/** Whether a rule takes part wherever another does: an enforced one for real and in the shadow, a staged one in the shadow. */
function counts(outer: KnownRule, inner: KnownRule): boolean {
  return outer.policy.mode === "enforce" || inner.policy.mode === "report";
}

/** Does a window hold all that is left of another? */
function during(outer: Rule, inner: Rule, nowMs: number): boolean {
  const begun = outer.notBefore === null || outer.notBefore <= Math.max(inner.notBefore ?? nowMs, nowMs);
  return begun && (outer.expires === null || (inner.expires !== null && outer.expires >= inner.expires));
}

function upgrades(outer: Rule, inner: Rule): boolean {
  return inner.upgrades.every((each) => outer.upgrades.includes(each));
}

function isSame(one: KnownRule, other: KnownRule): boolean {
  return aimsAlike(one, other) && termsOf(one) === termsOf(other);
}

/** When and how a rule counts. */
function termsOf({ policy, rule: { notBefore, expires, upgrades } }: KnownRule): string {
  return JSON.stringify([policy.mode, notBefore, expires, upgrades]);
}

/** Are both for the same workloads and targets? Selectors and targets are sorted, hence spelt in one way only. */
function aimsAlike(one: KnownRule, other: KnownRule): boolean {
  const spelt = ({ policy, rule }: KnownRule): string =>
    JSON.stringify([policy.scope, rule.from, rule.to, rule.when?.text ?? null]);
  return spelt(one) === spelt(other);
}

const NAMED = 3;

function names(rules: readonly KnownRule[]): string {
  const shown = rules.slice(0, NAMED).map(({ id }) => `\`${id}\``);
  const more = rules.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function placeOf({ id, rule }: KnownRule, why: string): RelatedPlace {
  return { message: `\`${id}\` ${why}`, at: rule.at };
}
