import type { Canonicaliser } from "./canonicaliser.ts";
import { distinct } from "./distinct.ts";
import { appended } from "./fitted.ts";
import type { EgressGateway, IdentitySelector, Scope, SubjectSelector } from "./model.ts";
import type { RawDocument } from "./raw-document.ts";
import type { Registry } from "./registry.ts";
import type { Reporter } from "./reporter.ts";
import type { SubjectSelectorSpec } from "./schema/egress-policy.ts";
import { parseSpiffeSelector } from "./spiffe-selector.ts";
import { suggest } from "./suggest.ts";
import { parseName } from "./token.ts";
import type { DocumentPath } from "./yaml-source.ts";

/** What reading selectors needs. `registry` is null inside a group, which cannot hold groups. */
export interface SelectorContext {
  readonly gateway: EgressGateway;
  readonly canon: Canonicaliser;
  readonly registry: Registry | null;
  readonly reporter: Reporter;
}

const KEYS = ["group", "serviceAccount", "namespace", "spiffe", "trustDomain"] as const;

/**
 * Reads a list of selectors written in a document of `scope`. A namespace's document may only mean its own workloads in
 * the mesh's own domain. The result is sorted and has no duplicates.
 */
export function buildSelectors(
  document: RawDocument,
  path: DocumentPath,
  specs: readonly SubjectSelectorSpec[],
  scope: Scope,
  context: SelectorContext,
): readonly SubjectSelector[] {
  let found: SubjectSelector[] = [];
  for (let i = 0; i < specs.length; i++) {
    const spec = specs[i] as SubjectSelectorSpec;
    const here = [...path, i];
    const keys = KEYS.reduce((count, key) => (spec[key] === undefined ? count : count + 1), 0);
    if (keys !== 1) {
      const message = keys === 0 ? "a selector names who it means" : "a selector has exactly one key";
      context.reporter.report(
        document,
        here,
        "selector-keys",
        `${message}: one of ${KEYS.map((k) => `\`${k}\``).join(", ")}`,
      );
      continue;
    }
    const selector = buildSelector(document, here, spec, scope, context);
    if (selector === null) continue;
    if (scope !== "") checkInside(document, here, selector, scope, context);
    found = appended(found, selector);
  }
  return distinct(found);
}

function buildSelector(
  document: RawDocument,
  path: DocumentPath,
  spec: SubjectSelectorSpec,
  scope: Scope,
  context: SelectorContext,
): SubjectSelector | null {
  const { gateway, reporter } = context;
  const own = gateway.trustDomains[0] ?? "";
  if (spec.group !== undefined) return findGroup(document, [...path, "group"], spec.group, scope, context);
  if (spec.serviceAccount !== undefined) {
    const match = /^([^/]+)\/([^/]+)$/.exec(spec.serviceAccount);
    const id = match === null ? null : `/ns/${match[1]}/sa/${match[2]}`;
    if (id !== null && context.canon.spiffeId(`spiffe://${own}${id}`) !== null) {
      return { kind: "id", trustDomain: own, path: id };
    }
    const message = `\`${spec.serviceAccount}\` is not \`namespace/serviceaccount\``;
    reporter.report(document, [...path, "serviceAccount"], "invalid-selector", message);
    return null;
  }
  if (spec.namespace !== undefined) {
    const at = [...path, "namespace"];
    const name = reporter.take(document, at, "invalid-selector", parseName(spec.namespace));
    return name === null ? null : { kind: "namespace", namespace: name };
  }
  if (spec.trustDomain !== undefined) {
    const domain = knownDomain(document, [...path, "trustDomain"], spec.trustDomain, context);
    return domain === null ? null : { kind: "trustDomain", trustDomain: domain };
  }
  const at = [...path, "spiffe"];
  const parsed = reporter.take(document, at, "invalid-selector", parseSpiffeSelector(spec.spiffe ?? "", context.canon));
  if (parsed === null) return null;
  const domain = knownDomain(document, at, parsed.trustDomain, context);
  return domain === null ? null : { kind: parsed.kind, trustDomain: domain, path: parsed.path };
}

function findGroup(
  document: RawDocument,
  path: DocumentPath,
  name: string,
  scope: Scope,
  { gateway, registry, reporter }: SelectorContext,
): SubjectSelector | null {
  if (registry === null) {
    reporter.report(document, path, "unknown-key", "a group holds workloads, not groups");
    return null;
  }
  const group = registry.group(scope, name);
  if (group === null) {
    const meant = registry.nearGroup(scope, name);
    reporter.report(document, path, "unknown-group", `there is no group \`${name}\` here`, meant);
    return null;
  }
  if (scope !== "" && group.members.some((member) => !isInside(member, scope, gateway.trustDomains[0] ?? ""))) {
    const message = `of group \`${name}\` this policy speaks only for the workloads of namespace \`${scope}\``;
    reporter.report(document, path, "group-narrowed", message);
  }
  return { kind: "group", scope: group.scope, name: group.name };
}

/** The domain as the engine knows it: an alias means the mesh's own. */
function knownDomain(
  document: RawDocument,
  path: DocumentPath,
  domain: string,
  { gateway, reporter }: SelectorContext,
): string | null {
  if (gateway.trustDomains.includes(domain)) return gateway.trustDomains[0] ?? null;
  if (gateway.federatedTrustDomains.includes(domain)) return domain;
  const meant = suggest(domain, [...gateway.trustDomains, ...gateway.federatedTrustDomains]);
  const message = `trust domain \`${domain}\` is neither the mesh's own nor federated: list it in the EgressGateway`;
  reporter.report(document, path, "unknown-trust-domain", message, meant);
  return null;
}

function checkInside(
  document: RawDocument,
  path: DocumentPath,
  selector: SubjectSelector,
  scope: Scope,
  { gateway, reporter }: SelectorContext,
): void {
  if (selector.kind === "group" || isInside(selector, scope, gateway.trustDomains[0] ?? "")) return;
  const federated = "trustDomain" in selector && gateway.federatedTrustDomains.includes(selector.trustDomain);
  const what = federated ? "workloads of a partner's trust domain" : `workloads outside namespace \`${scope}\``;
  reporter.report(document, path, "outside-namespace", `only the root namespace may speak for ${what}`);
}

/** Does the selector mean only workloads of this namespace, in the mesh's own trust domain? */
function isInside(selector: IdentitySelector, scope: Scope, own: string): boolean {
  if (selector.kind === "namespace") return selector.namespace === scope;
  if (selector.kind === "trustDomain") return false;
  if (selector.trustDomain !== own) return false;
  const base = `/ns/${scope}/sa`;
  if (selector.kind === "prefix") return selector.path === base;
  return selector.path.startsWith(`${base}/`) && !selector.path.slice(base.length + 1).includes("/");
}
