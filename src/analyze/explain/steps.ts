import type { Reason } from "../../bundle/reason.ts";
import type { Verdicts } from "../../pdp/verdicts.ts";
import type { PolicySet, SourcePosition } from "../../policy/model.ts";
import { scopedName } from "../scoped-name.ts";
import type { Asked } from "./conditions.ts";

/** The steps of a decision in their order. @see docs/semantics.md §5 */
export type StepName = "identity" | "target" | "guards" | "registry" | "denies" | "allows" | "upgrade" | "fallback";

/** One step: passed, the one that decided, or not come to. */
export interface Step {
  readonly name: StepName;
  readonly state: "passed" | "decided" | "not reached";
  readonly text: string;
  /** What in the policy files it speaks of. */
  readonly at: SourcePosition | null;
}

/** What the steps are told from. */
export interface StepContext {
  readonly set: PolicySet;
  readonly verdicts: Verdicts;
  readonly asked: Asked;
  /** The groups that hold the workload and set the fallback that counts. */
  readonly fallbackGroups: PolicySet["groups"];
}

type Told = Omit<Step, "name" | "state">;

const ORDER: readonly StepName[] = [
  "identity",
  "target",
  "guards",
  "registry",
  "denies",
  "allows",
  "upgrade",
  "fallback",
];

/** Told of the steps; the order and where it ended follow from the reason. */
export function stepsOf(context: StepContext): Step[] {
  const end = deciding(context);
  const asksUpgrade = context.asked.upgrade !== null;
  const last = ORDER.indexOf(end);
  return ORDER.filter((name) => name !== "upgrade" || asksUpgrade || end === "upgrade").map((name) => {
    const at = ORDER.indexOf(name);
    if (at > last) return { name, state: "not reached", text: "", at: null };
    return { name, state: at === last ? "decided" : "passed", ...TELL[name](context, at === last) };
  });
}

const ENDS: Readonly<Record<Exclude<Reason, "upgrade-not-allowed">, StepName>> = {
  "no-identity": "identity",
  "invalid-identity": "identity",
  "foreign-trust-domain": "identity",
  "namespace-invalid": "identity",
  "invalid-target": "target",
  "guarded-target": "guards",
  "unregistered-target": "registry",
  "denied-by-rule": "denies",
  "allowed-by-rule": "allows",
  "rule-expired": "fallback",
  "no-matching-rule": "fallback",
  "fallback-report": "fallback",
  "fallback-allow": "fallback",
};

/** CONNECT is refused with the guards; another upgrade only after the rules. */
function deciding({ verdicts: { decision, stage } }: StepContext): StepName {
  if (decision.reason === "upgrade-not-allowed") return stage === "rules" ? "upgrade" : "guards";
  return ENDS[decision.reason];
}

const TELL: Readonly<Record<StepName, (context: StepContext, decided: boolean) => Told>> = {
  identity: ({ verdicts: { decision }, asked, set }, decided) => {
    const who = decision.subject?.spiffeId ?? asked.input.principal;
    if (!decided) return told(who);
    const { trustDomains, federatedTrustDomains } = set.gateway;
    const refusals: Partial<Record<Reason, string>> = {
      "no-identity": "the caller shows no identity",
      "invalid-identity": `${who} is not one SPIFFE ID`,
      "foreign-trust-domain": `the trust domain of ${who} is not one of [${[...trustDomains, ...federatedTrustDomains].join(", ")}]`,
      "namespace-invalid": `the policies of namespace ${decision.subject?.namespace} have errors`,
    };
    return told(refusals[decision.reason] ?? who, set.gateway.at);
  },
  target: (context, decided) =>
    told(decided ? `${context.asked.input.host} cannot be read as one host with one port` : placeOf(context)),
  guards: (context, decided) => {
    if (!decided) return told("no guarded name or address, or an internal service lists it");
    if (context.verdicts.decision.reason === "upgrade-not-allowed") return told("CONNECT never passes");
    return told(`${placeOf(context)} is a guarded name or address, and no internal service lists it`);
  },
  registry: (context, decided) => {
    const { set, verdicts, asked } = context;
    const { service } = verdicts.decision;
    const owner = set.services.find((each) => scopedName(each) === service);
    if (owner !== undefined) return told(`service ${service} registers ${placeOf(context)}`, owner.at);
    const nobody = `no service that the workload sees registers ${placeOf(context)} for ${asked.input.kind.toUpperCase()}`;
    if (!decided) return told(`${nobody}; under AllowAny that is no obstacle`, set.gateway.at);
    const others = asked.elsewhere.map((each) => `${each.port} ${each.protocol} (${each.service})`);
    return told(others.length === 0 ? nobody : `${nobody}; it is registered on ${others.join(", ")}`);
  },
  denies: (context, decided) => rulesTold(context, decided, "deny"),
  allows: (context, decided) => rulesTold(context, decided, "allow"),
  upgrade: ({ asked }, decided) =>
    told(decided ? `no allow that matches names the upgrade ${asked.upgrade ?? ""}`.trimEnd() : "not in the way"),
  fallback: ({ set, verdicts, fallbackGroups }) => {
    const [group] = fallbackGroups;
    const of = group === undefined ? `EgressGateway ${set.gateway.name}` : `group ${scopedName(group)}`;
    const expired = verdicts.decision.reason === "rule-expired" ? "; an expired rule would have allowed it" : "";
    return told(`the fallback is ${verdicts.fallback}, by ${of}${expired}`, group?.at ?? set.gateway.at);
  },
};

function rulesTold({ set, verdicts }: StepContext, decided: boolean, effect: "allow" | "deny"): Told {
  if (decided) return told(verdicts.decision.rules.join(", "));
  const enforced = set.policies.filter(({ mode }) => mode === "enforce").flatMap(({ rules }) => rules);
  const count = enforced.filter((rule) => rule.effect === effect).length;
  return told(`none of ${count} enforced ${effect} rule${count === 1 ? "" : "s"} matches`);
}

function placeOf({ verdicts: { decision } }: StepContext): string {
  return decision.target === null ? "the target" : `${decision.target.host}:${decision.target.port}`;
}

function told(text: string, at: SourcePosition | null = null): Told {
  return { text, at };
}
