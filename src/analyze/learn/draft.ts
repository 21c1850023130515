import { LIMITS } from "../../policy/limits.ts";
import type { PolicySet, Scope } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { API_VERSION } from "../../policy/schema/common.ts";
import type { DraftComment, DraftDocument, DraftFile } from "./draft-document.ts";
import type { LearntPattern, LearntTarget } from "./learnt-rule.ts";
import type { LearntWorkload, MissingService } from "./missing-services.ts";
import { createNamer } from "./names.ts";
import { sumTallies } from "./tally.ts";
import { decisionsText, instantText, tallyText, valuesText } from "./wording.ts";

/** What a draft says beside what was learnt. */
export interface DraftOptions {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
}

/** One rule with its evidence. */
export interface DraftRule {
  readonly name: string;
  readonly targets: readonly LearntTarget[];
}

/** One workload's policy. */
export interface DraftPolicy {
  readonly workload: LearntWorkload;
  readonly name: string;
  readonly file: string;
  readonly rules: readonly DraftRule[];
}

/** A service of the draft. */
export interface DraftService extends MissingService {
  readonly name: string;
  readonly file: string;
}

export interface Draft {
  readonly policies: readonly DraftPolicy[];
  readonly services: readonly DraftService[];
}

/** The most methods of one target. */
const METHODS = 64;

/** Names everything, so that nothing of the set is taken, hidden or overwritten. */
export function nameDraft(
  set: PolicySet,
  sources: readonly Pick<PolicyFile, "path">[],
  workloads: readonly LearntWorkload[],
  missing: readonly MissingService[],
): Draft {
  // A namespace's service hides the global one of its name: no name is used twice in the whole set.
  const serviceName = createNamer(set.services.map(({ name }) => name));
  const namers = new Map<Scope, (text: string) => string>();
  const fileName = (scope: Scope, text: string): string => {
    const namer = namers.get(scope) ?? createNamer(takenIn(set, sources, scope));
    namers.set(scope, namer);
    return namer(text);
  };
  const scopes = [...new Set(missing.map(({ scope }) => scope))].sort();
  const files = new Map(scopes.map((scope) => [scope, placed(scope, fileName(scope, "learnt-services"))] as const));
  const services = missing.flatMap((each) =>
    chunks(each.ports, LIMITS.portsPerService).map((ports) => {
      const name = serviceName(each.pattern.replace(/^\*\./, "all-"));
      return { ...each, ports, name, file: files.get(each.scope) ?? "" };
    }),
  );
  const policies = workloads.map((workload) => {
    const name = fileName(workload.scope, `learnt-${workload.from.slice(workload.from.lastIndexOf("/") + 1)}`);
    return { workload, name, file: placed(workload.scope, name), rules: rulesOf(workload) };
  });
  return { policies, services };
}

function placed(scope: Scope, name: string): string {
  return `${scope === "" ? "" : `${scope}/`}${name}.yaml`;
}

/** Names of policies and files that stand there already. */
function takenIn(set: PolicySet, sources: readonly Pick<PolicyFile, "path">[], scope: Scope): string[] {
  const lead = scope === "" ? "" : `${scope}/`;
  const files = sources.map(({ path }) => path).filter((path) => path.startsWith(lead));
  return [
    ...set.policies.filter((each) => each.scope === scope).map(({ name }) => name),
    ...files.map((path) => path.slice(lead.length).replace(/(\.test)?\.ya?ml$/, "")),
  ];
}

/** One rule for each host or wildcard. */
function rulesOf({ targets }: LearntWorkload): DraftRule[] {
  const name = createNamer([]);
  return [...Map.groupBy(targets, ({ edge }) => edge.host)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([host, list]) => {
      const split = list.sort((a, b) => a.edge.port - b.edge.port).flatMap(splitTarget);
      return chunks(split, LIMITS.targetsPerRule).map((part) => ({
        name: name(host.replace(/^\*\./, "all-")),
        targets: part,
      }));
    });
}

/** A target for each set of methods, so that no method reaches a path on which it was not seen. */
function splitTarget(target: LearntTarget): LearntTarget[] {
  if (target.patterns.length === 0) return [target];
  const single = target.patterns.flatMap((pattern) =>
    chunks(pattern.methods, METHODS).map((methods) => ({ ...pattern, methods })),
  );
  return [...Map.groupBy(single, methodsOf)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, patterns]) => chunks(patterns, LIMITS.pathsPerTarget))
    .map((patterns) => ({ ...target, patterns, tally: sumTallies(patterns.flatMap(talliesOf)) }));
}

function methodsOf({ methods }: LearntPattern): string {
  return methods.map(({ method }) => method).join(" ");
}

function talliesOf({ methods }: LearntPattern) {
  return methods.map(({ tally }) => tally);
}

function chunks<T>(list: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, i) => list.slice(i * most, (i + 1) * most));
}

/** The files of a draft but for its tests, by path. */
export function draftFiles({ policies, services }: Draft, set: PolicySet, options: DraftOptions): DraftFile[] {
  const byFile = [...Map.groupBy(services, ({ file }) => file)];
  return [
    ...byFile.map(([path, list]) => ({ path, head: SERVICES_HEAD, documents: list.map(serviceDocument) })),
    ...policies.map((policy) => ({
      path: policy.file,
      head: policyHead(policy, options),
      documents: [policyDocument(policy, set, options)],
    })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}

const SERVICES_HEAD = [
  "Learnt by `sallyport learn`: hosts that workloads asked for and no service registered. Requests to a port with HTTP leave as",
  "they came; `tls: {originate: gateway}` makes them verified HTTPS.",
];

function policyHead({ workload }: DraftPolicy, { expiresMs }: DraftOptions): string[] {
  return [
    `Learnt by \`sallyport learn\`: what ${workload.from} asked for and no rule allowed.`,
    `In report mode it changes nothing. Review each rule; \`sallyport promote\` enforces it. It ends on ${instantText(expiresMs)}.`,
  ];
}

function serviceDocument({ name, pattern, ports }: DraftService): DraftDocument {
  const value = {
    apiVersion: API_VERSION,
    kind: "ExternalService",
    metadata: { name },
    spec: { hosts: [pattern], ports: ports.map((each) => ({ ...each })) },
  };
  const flow = [["metadata"], ["spec", "hosts"], ...ports.map((_, i) => ["spec", "ports", i])];
  return { value, flow, comments: [] };
}

function policyDocument({ workload, name, rules }: DraftPolicy, set: PolicySet, options: DraftOptions): DraftDocument {
  const { scope, from } = workload;
  const value = {
    apiVersion: API_VERSION,
    kind: "EgressPolicy",
    metadata: { name, ...(scope === "" ? { namespace: set.gateway.namespace } : {}) },
    spec: {
      owner: options.owner,
      mode: "report",
      rules: rules.map((rule) => ({
        name: rule.name,
        from: [from.includes("://") ? { spiffe: from } : { serviceAccount: from }],
        to: rule.targets.map(writtenTarget),
        expires: instantText(options.expiresMs),
        reason: reasonOf(rule),
      })),
    },
  };
  const flow: (string | number)[][] = [["metadata"]];
  const comments: DraftComment[] = [];
  for (const [r, rule] of rules.entries()) {
    const path = ["spec", "rules", r];
    flow.push([...path, "from"]);
    comments.push({ path, before: evidenceOf(rule) });
    for (const [t, target] of rule.targets.entries()) {
      const at = [...path, "to", t];
      for (const key of ["hosts", "ports", "methods"]) flow.push([...at, key]);
      for (const [p, pattern] of target.patterns.entries())
        comments.push({ path: [...at, "paths", p], after: patternEvidence(pattern) });
    }
  }
  return { value, flow, comments };
}

function writtenTarget({ edge, patterns }: LearntTarget): Record<string, unknown> {
  const target = { hosts: [edge.host], ports: [edge.port] };
  const [first] = patterns;
  if (first === undefined) return target;
  return { ...target, methods: first.methods.map(({ method }) => method), paths: patterns.map(({ text }) => text) };
}

function reasonOf({ targets }: DraftRule): string {
  const { firstMs, lastMs } = sumTallies(targets.map(({ tally }) => tally));
  return `learnt from traffic of ${instantText(firstMs).slice(0, 10)} to ${instantText(lastMs).slice(0, 10)}`;
}

function evidenceOf({ targets }: DraftRule): string[] {
  const tally = sumTallies(targets.map((each) => each.tally));
  const siblings = [...new Set(targets.flatMap(({ edge }) => edge.siblings))].sort();
  return [
    ...(siblings.length === 0 ? [] : [`${valuesText(siblings, "host")}`]),
    tallyText(tally),
    decisionsText(tally),
  ];
}

function patternEvidence({ methods, values }: LearntPattern): string {
  const counts = methods.map(({ method, tally }) => `${method} ${tally.count}`).join(", ");
  return [counts, ...values.map((each) => `{*}: ${valuesText(each, "value")}`)].join("; ");
}
