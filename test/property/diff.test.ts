import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Change } from "../../src/analyze/change.ts";
import type { Box } from "../../src/analyze/diff/box.ts";
import { diff } from "../../src/analyze/diff/diff.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { classOf } from "./diff-membership.ts";
import { build, formatFiles, toFiles } from "./pipeline.ts";
import { type GeneratedSet, realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { type SetDraft, setDraft } from "./set-draft.ts";
import { BOUNDARIES_MS, pick } from "./universe.ts";

const budget = budgetFor(24);
const choice = fc.noBias(fc.nat({ max: 9999 }));
const requests = fc.array(requestDraft, { minLength: 150, maxLength: 150 });

/** So few policies that rules do not multiply into more kinds of requests than a test has time for. */
function few(draft: SetDraft): SetDraft {
  return { ...draft, policies: draft.policies.slice(0, 2).map((each) => ({ ...each, rules: each.rules.slice(0, 3) })) };
}

/** A set like another, but for a part taken from a third. */
function mixed(one: SetDraft, other: SetDraft, what: number): SetDraft {
  const rest = { ...one };
  switch (what % 8) {
    case 0:
      return { ...rest, policies: [...one.policies.slice(1), ...other.policies.slice(0, 1)] };
    case 1:
      return { ...rest, groups: other.groups };
    case 2:
      return { ...rest, services: [...one.services.slice(1), ...other.services.slice(0, 1)] };
    case 3:
      return { ...rest, fallback: other.fallback, model: other.model };
    case 4:
      return { ...rest, domains: other.domains, federated: other.federated };
    case 5:
      return { ...rest, clusterDomain: other.clusterDomain, invalid: other.invalid };
    case 6:
      return other;
    default:
      return {
        ...rest,
        policies: one.policies.map((policy, at) => {
          const twin = other.policies[at % other.policies.length];
          return at === what % one.policies.length && twin !== undefined
            ? { ...policy, rules: [...policy.rules.slice(1), ...twin.rules.slice(0, 1)] }
            : policy;
        }),
      };
  }
}

const NEVER: ReadonlySet<string> = new Set(["no-identity", "invalid-identity", "invalid-target", "guarded-target"]);

function changeOf(was: Decided, now: Decided): Change | null {
  if (was.effect !== now.effect) return now.effect === "allow" ? "widening" : "narrowing";
  if (was.shadow !== now.shadow) return now.shadow === "allow" ? "shadow-widening" : "shadow-narrowing";
  return null;
}

function hangs({ parts }: Box): boolean {
  return parts.some(({ of }) => of === "expressions");
}

interface Decided {
  readonly effect: string;
  readonly shadow: string;
}

test("every request changes as the class says that it is in, and in no class when it does not", {
  timeout: budget.timeoutMs,
}, () => {
  const seen = new Map<string, number>();
  let classes = 0;
  const property = fc.property(setDraft, setDraft, choice, requests, (first, second, what, drafts) => {
    const [one, two] = [few(first), few(second)];
    const [then, now] = [realise(one), realise(mixed(one, two, what))];
    const [old, other] = [build(then), build(now)];
    const atMs = pick(BOUNDARIES_MS, what) - (what % 3);
    const difference = diff(old, other, atMs);
    const text = (...more: unknown[]) =>
      [
        formatFiles(toFiles(then.documents)),
        "=".repeat(60),
        formatFiles(toFiles(now.documents)),
        ...more.map(show),
      ].join("\n");
    expect(difference.unproved).toEqual([]);
    classes += difference.classes.length;
    for (const { box } of difference.classes) {
      const { input, atMs: instant } = box.witness;
      if (!box.witness.confirmed) continue;
      const change = changeOf(old.engine.decide(input, instant), other.engine.decide(input, instant));
      if (change !== box.change) throw new Error(text("a witness does not change so", box));
    }
    const asked = (set: GeneratedSet) => drafts.map((draft) => aim(draft, aimsOf(set)));
    for (const { request, nowMs } of [...asked(then), ...asked(now)]) {
      const instant = Math.max(nowMs, atMs);
      const [was, is] = [old, other].map(({ engine }) => engine.decide(request, instant));
      if (was === undefined || is === undefined) continue;
      const change = changeOf(was, is);
      // Malformed or guarded: no class speaks of such.
      if (change === null && [was, is].some(({ reason }) => NEVER.has(reason))) continue;
      const all = classOf(difference, { request, atMs: instant, decision: was }, [old.set, other.set]);
      // Which requests change where expressions decide is not said: only what does is held against them.
      const told = all.filter(({ box }) => box.change === change || !hangs(box));
      const changes = told.map(({ box }) => box.change);
      seen.set(change ?? "same", (seen.get(change ?? "same") ?? 0) + 1);
      const right = change === null ? changes.length === 0 : changes.length === 1 && changes[0] === change;
      if (!right)
        throw new Error(
          text(
            { change, changes, instant, atMs },
            request,
            was,
            is,
            ...told.map((each) => [each.box.parts, each.hosts, each.ports, each.identities]),
          ),
        );
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${show([...seen])}, ${classes} classes (seed ${budget.parameters.seed})\n`);
  if (budget.parameters.interruptAfterTimeLimit !== undefined) return;
  for (const each of ["widening", "narrowing", "shadow-widening", "shadow-narrowing"])
    expect(seen.get(each) ?? 0, each).toBeGreaterThan(0);
});
