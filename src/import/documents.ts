import { printable } from "../policy/printable.ts";
import { API_VERSION } from "../policy/schema/common.ts";
import type { DraftPolicy, DraftRule, DraftSet, DraftSubject } from "./draft.ts";
import { createNames, nameFrom } from "./names.ts";
import { type DraftService, servicesOf, settleClaims, slices } from "./registry.ts";
import { type ClaimIndex, indexClaims, type TargetSpec, targetsOf } from "./rule-targets.ts";
import { writeSelector } from "./subjects.ts";

/** A file of an imported set: documents as plain data, in this order. */
export interface ImportedFile {
  /** In the policy directory, with `/`: `gateway.yaml`, `payments/checkout.yaml`. */
  readonly path: string;
  readonly documents: readonly object[];
}

const SERVICES_A_FILE = 200;
const GROUPS_A_FILE = 1_000;
const RULES_A_POLICY = 500;

/**
 * Lays a draft out as a policy directory: the gateway and what is shared at the top, the policies of a namespace in the
 * directory of that namespace. The same draft gives the same files. @see docs/semantics.md §1
 */
export function filesOf(set: DraftSet): readonly ImportedFile[] {
  const { claims } = settleClaims(set.claims);
  const index = indexClaims(claims);
  const shared: ImportedFile[] = [{ path: "gateway.yaml", documents: [gatewayDocument(set)] }];
  shared.push(...filesNamed("services", servicesOf(claims).map(serviceDocument), SERVICES_A_FILE));
  shared.push(...filesNamed("groups", set.groups.map(groupDocument), GROUPS_A_FILE));
  const taken = shared.map(({ path }) => path.replace(/\.yaml$/, ""));
  const byPlace = new Map<string, DraftPolicy[]>();
  for (const policy of set.policies) {
    const place = policy.namespace === set.gateway.namespace ? "" : (policy.namespace ?? "");
    byPlace.set(place, [...(byPlace.get(place) ?? []), policy]);
  }
  const policies = [...byPlace].flatMap(([place, some]) => {
    const name = createNames(place === "" ? taken : []);
    return some.flatMap((policy) =>
      policyDocuments(policy, place === "" ? set.gateway.namespace : null, name, index).map((file) => ({
        path: place === "" ? `${file.name}.yaml` : `${place}/${file.name}.yaml`,
        documents: [file.document],
      })),
    );
  });
  return [...shared, ...policies].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function filesNamed(name: string, documents: readonly object[], most: number): readonly ImportedFile[] {
  return slices(documents, most).map((some, i) => ({
    path: i === 0 ? `${name}.yaml` : `${name}-${i + 1}.yaml`,
    documents: some,
  }));
}

function gatewayDocument({ gateway }: DraftSet): object {
  const { name, namespace, trustDomains, selector } = gateway;
  return {
    apiVersion: API_VERSION,
    kind: "EgressGateway",
    metadata: { name, namespace },
    spec: {
      securityModel: "Gateway",
      trustDomains,
      fallback: "deny",
      ...(Object.keys(selector).length === 0 ? {} : { selector }),
    },
  };
}

function serviceDocument({ name, hosts, claims }: DraftService): object {
  const addresses = claims[0]?.addresses ?? [];
  const tls = claims.find((each) => each.tls !== null)?.tls ?? null;
  return {
    apiVersion: API_VERSION,
    kind: "ExternalService",
    metadata: { name },
    spec: {
      hosts,
      ports: claims.map(({ port, protocol }) => ({ number: port, protocol })),
      ...(tls === null ? {} : { tls }),
      ...(addresses.length === 0 ? {} : { addresses }),
    },
  };
}

function groupDocument({ name, members, fallback }: DraftSet["groups"][number]): object {
  return {
    apiVersion: API_VERSION,
    kind: "IdentityGroup",
    metadata: { name },
    spec: { members: members.map(writeSelector), ...(fallback === null ? {} : { fallback }) },
  };
}

/** A policy of very many rules becomes several. One whose rules aim at nothing is not written. */
function policyDocuments(
  policy: DraftPolicy,
  namespace: string | null,
  nameOf: (text: string) => string,
  index: ClaimIndex,
): readonly { readonly name: string; readonly document: object }[] {
  const ruleName = createNames();
  const rules = policy.rules.flatMap((rule) => {
    const to = rule.aims === null ? null : targetsOf(rule, index);
    return to?.length === 0 ? [] : ruleDocuments(rule, to, ruleName);
  });
  return slices(rules, RULES_A_POLICY).map((some) => {
    const name = nameOf(policy.name);
    const metadata = namespace === null ? { name } : { name, namespace };
    const spec = { owner: oneLine(policy.owner), rules: some };
    return { name, document: { apiVersion: API_VERSION, kind: "EgressPolicy", metadata, spec } };
  });
}

const TARGETS_A_RULE = 100;
const SUBJECTS_A_RULE = 1_000;

function ruleDocuments(
  { name, effect, from, at }: DraftRule,
  to: readonly TargetSpec[] | null,
  ruleName: (text: string) => string,
): readonly object[] {
  const parts = to === null ? [null] : slices(to, TARGETS_A_RULE);
  const subjects = from === null ? [null] : slices(from, SUBJECTS_A_RULE);
  return parts.flatMap((part) =>
    subjects.map((some) => ({
      name: ruleName(nameFrom(name)),
      ...(effect === "deny" ? { effect } : {}),
      ...(some === null ? {} : { from: some.map(subjectDocument) }),
      ...(part === null ? {} : { to: part }),
      reason: oneLine(`imported from ${at.file}:${at.line}`),
    })),
  );
}

function subjectDocument(subject: DraftSubject): object {
  return subject.kind === "group" ? { group: subject.name } : writeSelector(subject);
}

/** Text that the language takes as one line. */
function oneLine(text: string): string {
  return printable(text).slice(0, 1000);
}
