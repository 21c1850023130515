import { buildGateway, findGateway } from "./build-gateway.ts";
import { buildGroup } from "./build-group.ts";
import { buildPolicy } from "./build-policy.ts";
import { buildService, resolveRouting } from "./build-service.ts";
import type { Canonicaliser } from "./canonicaliser.ts";
import { checkOwnership } from "./check-ownership.ts";
import { checkRouting } from "./check-routing.ts";
import { checkWork } from "./check-work.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { LIMITS } from "./limits.ts";
import { createListCache } from "./list-cache.ts";
import type { PathPattern, PolicySet, Scope } from "./model.ts";
import type { RawDocument, RawDocumentOf } from "./raw-document.ts";
import { createRegistry } from "./registry.ts";
import { compareText, createReporter, type Reporter } from "./reporter.ts";

/** What documents amount to. `set` is null without a usable gateway; with errors it is not to be used. */
export interface Assembly {
  readonly set: PolicySet | null;
  readonly diagnostics: readonly Diagnostic[];
  /** The root namespace, where there is a gateway. */
  readonly root: string | null;
}

/**
 * Resolves, checks and normalises documents into a set. Test documents are not looked at. `outdated` = the namespaces
 * whose documents are not the current ones.
 */
export function assemble(
  documents: readonly RawDocument[],
  canon: Canonicaliser,
  invalidNamespaces: readonly string[],
  outdated: ReadonlySet<Scope> = new Set(),
): Assembly {
  const gatewayReporter = createReporter((document) => document.place);
  const gatewayDocument = findGateway(documents, gatewayReporter);
  if (gatewayDocument === null) return { set: null, diagnostics: gatewayReporter.diagnostics, root: null };
  const gateway = buildGateway(gatewayDocument, canon, gatewayReporter);
  if (gateway === null) return { set: null, diagnostics: gatewayReporter.diagnostics, root: null };

  const scopeOf = (document: RawDocument): Scope => scopeIn(gateway.namespace, document);
  const reporter = createReporter(scopeOf);
  const ranked = ofRank(documents, scopeOf);
  checkNames(ranked, scopeOf, reporter);

  const unresolved = pick(ranked, "ExternalService").map((document) =>
    buildService(document, scopeOf(document), gateway.clusterDomain, canon, reporter),
  );
  checkOwnership(unresolved, outdated, reporter);
  const bare = createRegistry(
    unresolved.map(({ service }) => service),
    [],
  );
  const services = unresolved.map((each) =>
    resolveRouting(each, (name) => bare.service(each.service.scope, name), reporter),
  );
  const selectors = { gateway, canon, registry: null, reporter };
  const placedGroups = pick(ranked, "IdentityGroup").map((document) => {
    return { document, group: buildGroup(document, scopeOf(document), selectors) };
  });
  const groups = placedGroups.map(({ group }) => group);
  const lists = {
    ports: createListCache<readonly number[]>(),
    methods: createListCache<readonly string[]>(),
    paths: createListCache<readonly PathPattern[] | "any">(),
  };
  const context = { gateway, canon, registry: createRegistry(services, groups), reporter, lists };
  const placed = pick(ranked, "EgressPolicy").flatMap((document) => {
    if (document.namespace === null) {
      const message = "a policy at the top names its namespace: the root namespace speaks for everyone";
      reporter.report(document, ["metadata"], "missing-namespace", message, `namespace: ${gateway.namespace}`);
      return [];
    }
    return [{ document, policy: buildPolicy(document, scopeOf(document), context) }];
  });
  checkQuotas(placed, reporter);
  checkWork(gateway, placedGroups, placed, reporter);
  checkRouting(services, placed, reporter);
  const set: PolicySet = {
    gateway,
    services,
    groups,
    policies: placed.map(({ policy }) => policy),
    invalidNamespaces: [...invalidNamespaces].sort(),
  };
  return { set, diagnostics: [...gatewayReporter.diagnostics, ...reporter.diagnostics], root: gateway.namespace };
}

/** `""` for root and global documents, else the namespace. */
export function scopeIn(root: string, document: RawDocument): Scope {
  return document.namespace === null || document.namespace === root ? "" : document.namespace;
}

/** Root first, then by namespace, then by name: the order of rank and of the set. */
function ofRank(documents: readonly RawDocument[], scopeOf: (document: RawDocument) => Scope): readonly RawDocument[] {
  return documents.toSorted(
    (a, b) => compareText(scopeOf(a), scopeOf(b)) || compareText(a.name, b.name) || compareText(a.file, b.file),
  );
}

function pick<K extends RawDocument["kind"]>(documents: readonly RawDocument[], kind: K): readonly RawDocumentOf<K>[] {
  return documents.filter((each) => each.kind === kind) as unknown as readonly RawDocumentOf<K>[];
}

/** Names are unique per kind and namespace. */
function checkNames(
  documents: readonly RawDocument[],
  scopeOf: (document: RawDocument) => Scope,
  reporter: Reporter,
): void {
  const seen = new Map<string, RawDocument>();
  for (const document of documents) {
    if (document.kind === "DecisionTest" || document.kind === "EgressGateway") continue;
    const key = `${document.kind}/${scopeOf(document)}/${document.name}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, document);
    else {
      const message = `\`${document.name}\` is the name of an ${document.kind} in \`${first.file}\` already`;
      reporter.report(document, ["metadata", "name"], "duplicate-name", message);
    }
  }
}

function checkQuotas(
  placed: readonly { readonly document: RawDocument; readonly policy: { scope: Scope; rules: readonly unknown[] } }[],
  reporter: Reporter,
): void {
  const counts = new Map<Scope, number>();
  for (const { document, policy } of placed) {
    const before = counts.get(policy.scope) ?? 0;
    const after = before + policy.rules.length;
    counts.set(policy.scope, after);
    if (before <= LIMITS.rulesPerNamespace && after > LIMITS.rulesPerNamespace) {
      const message = `the namespace has more than ${LIMITS.rulesPerNamespace} rules`;
      reporter.report(document, ["spec", "rules"], "limit-exceeded", message);
    }
  }
}
